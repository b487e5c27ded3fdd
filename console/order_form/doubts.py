"""Warnings that the engine's checks would give for a typed order, with current figures."""

from __future__ import annotations

from decimal import Decimal

from console.order_form.draft import Draft
from core.model.order import Effect, OrderType
from core.model.sizing import product
from core.model.values import ZERO, Fraction
from core.views import DeskView
from widgets import format as f

FAR = Decimal("0.01")
"""A limit so far through the market is a slip of the hand, or a price of another symbol."""

UNGUARDED = "no stop guards what waits at it"
"""Shown beside the limit of an exit that the market has not reached; its ticket gives the same warning (EX-13)."""


def doubt(draft: Draft, view: DeskView) -> None:
    if not draft.opens:
        if _waits_bare(draft):
            draft.doubts["limit"] = UNGUARDED
        return
    if view.status.entries_refused is not None:
        draft.doubts["effect"] = f"entries are off: {view.status.entries_refused}"
    if (through := _through(draft)) > FAR:
        side = "over the ask" if draft.buys else "under the bid"
        draft.doubts["limit"] = f"{f.percent(Fraction(through))} {side}: it fills at once"
    cost, loss, power = draft.cost, draft.loss, view.status.buying_power
    sizing = view.sizing
    if cost is not None and power is not None and cost > power:
        draft.doubts["quantity"] = f"{cost:,.2f} USD is over the buying power"
    elif cost is not None and sizing.max_notional is not None and cost > sizing.max_notional:
        draft.doubts["quantity"] = f"{cost:,.2f} USD is over {sizing.max_notional:,.2f} an order"
    elif loss is not None and (risk := _risk(draft, view)) is not None and loss > risk:
        draft.doubts["quantity"] = f"loses {loss:,.2f} USD, over {risk:,.2f} a trade"


def _through(draft: Draft) -> Decimal:
    """Return how far a limit is through the market, as a fraction of the touched price; 0 if it rests."""
    if draft.type is not OrderType.LIMIT or draft.limit is None or not draft.touch:
        return ZERO
    beyond = draft.limit - draft.touch if draft.buys else draft.touch - draft.limit
    return max(ZERO, beyond / draft.touch)


def _waits_bare(draft: Draft) -> bool:
    """Return whether the order leaves shares without a stop.

    A working exit reserves the shares that its stop reserved before; a pair includes a stop.
    """
    is_limit = draft.type is not None and draft.type.rests and not draft.is_pair
    if draft.effect is None or not is_limit or draft.limit is None or draft.touch is None:
        return False
    return draft.limit < draft.touch if draft.buys else draft.limit > draft.touch


def _risk(draft: Draft, view: DeskView) -> Decimal | None:
    """Return the loss allowed at the stop in USD, after the factors that reduce every order."""
    from core.risk.size_factors.base import WantedEntry  # loads the settings: too slow before the first paint
    from core.risk.sizing import binding_cuts

    risk, symbol = view.sizing.risk, draft.symbol
    if risk is None or symbol is None or draft.price is None or draft.stop is None or draft.farthest is None:
        return risk
    is_long = draft.effect is not Effect.SHORT
    way = abs(draft.farthest - draft.stop)
    wanted = WantedEntry(risk, draft.price, way, risk, draft.step, is_long, instrument=symbol.instrument)
    return risk * product(binding_cuts(wanted, symbol.conditions))
