"""How many requests of the broker's trading API an effect takes (RK-24).

Properties of assets are counted apart: they are remembered (`core/workflows/orders/request_pacing.py`). What an adapter
sends beyond this, as repeats and further pages, it reports itself (`CallsCounted.beyond`).
"""

from __future__ import annotations

from collections.abc import Mapping

from core.messages.effects import (
    CancelOrder,
    Effect,
    FetchAccount,
    FetchActivities,
    FetchClock,
    FetchFigures,
    FetchPicture,
    LookUpOrder,
    LookUpSymbols,
    ReplaceOrder,
    SubmitOrder,
)

BOOKS = 6
"""The account, positions before and after, open orders twice, closed orders."""
ACTIVITIES = 4
"""The account before and after, the activities, the positions."""
FIGURES = 2
"""The clock and the account; quotes are the data service's, with a limit of its own."""

COSTS: Mapping[type, int] = {
    SubmitOrder: 1,
    ReplaceOrder: 1,
    CancelOrder: 1,
    LookUpOrder: 1,
    FetchFigures: FIGURES,
    FetchAccount: 1,
    FetchClock: 1,
    FetchPicture: BOOKS,
    FetchActivities: ACTIVITIES,
    LookUpSymbols: 0,
}


def requests_of(effect: Effect) -> int | None:
    """None where it asks the broker nothing."""
    if isinstance(effect, FetchFigures) and effect.is_quote_alone:
        return 0
    return COSTS.get(type(effect))
