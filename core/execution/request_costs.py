"""Number of requests of the broker's trading API per effect (RK-24).

Properties of assets are counted separately: they are cached (`core/workflows/orders/request_pacing.py`). An adapter
reports its additional requests, such as retries and further pages (`CallsCounted.beyond`).
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
"""The clock and the account; quotes come from the data service, which has its own limit."""

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
    """Return the number of requests; None if the effect is not a request to the broker."""
    if isinstance(effect, FetchFigures) and effect.is_quote_alone:
        return 0
    return COSTS.get(type(effect))
