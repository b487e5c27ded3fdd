"""Quantities chosen by key: by risk (RK-02), by cash, or the size of the position.

A closing order takes a part of the position.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from console.order_form.draft import Draft
from core.model.order import Effect, StopHolder
from core.model.sizing import SizeLimit
from core.model.values import ZERO, Money, Quantity, plain, rounded_down
from core.views import DeskView
from widgets import format as f


class Way(Enum):
    """The sizing of a quantity, by its name; for a closing order each is a part of the position."""

    RISK = "by risk"
    CASH = "by cash"
    POSITION = "by position"


PARTS = {Way.RISK: Decimal(1), Way.CASH: Decimal("0.5"), Way.POSITION: Decimal("0.25")}
"""Parts of the position, for closing orders."""


WAYS = tuple(Way)
"""In the order of the key that steps through them."""

WHOLE_FROM = Decimal(10)
"""Number of shares from which an opening size is rounded to whole shares.

At most a tenth is cut off, and only a stop for whole shares outlives the day at the broker.
"""


@dataclass(frozen=True, slots=True)
class QuantityPreset:
    """A quantity with its explanation, or None with the reason; `limit` names the binding limit alone."""

    quantity: Quantity | None
    words: str
    limit: str = ""


def preset(draft: Draft, part: Decimal, view: DeskView) -> QuantityPreset:
    """Return `part` of the risk of one trade, at most 1, or of the position for a closing order."""
    from core.risk.size_factors.base import WantedEntry  # loads the settings: too slow before the first paint
    from core.risk.sizing import size_within

    if draft.symbol is None:
        return QuantityPreset(None, "a size needs its symbol: type it first")
    if not draft.opens:
        return _of_what_is_held(draft, part)
    if draft.price is None or draft.farthest is None or draft.stop is None or draft.stop == draft.farthest:
        return QuantityPreset(None, "a size by risk needs a stop price, and a limit price or a quote")
    if "stop" in draft.faults:
        return QuantityPreset(None, f"no size by this stop: {draft.faults['stop']}")
    sizing, power = view.sizing, view.status.buying_power
    if sizing.risk is None or sizing.max_notional is None or power is None:
        return QuantityPreset(None, "equity and buying power are not known yet; wait a moment")
    risk, most = Money(sizing.risk * part), min(sizing.max_notional, power)
    way = abs(draft.farthest - draft.stop)
    is_long = draft.effect is not Effect.SHORT
    room = draft.symbol.room_to_buy if is_long else draft.symbol.room_to_short
    is_bare, of = draft.holder is StopHolder.YOU, draft.instrument
    wanted = WantedEntry(risk, draft.price, way, most, draft.step, is_long=is_long, is_bare=is_bare, instrument=of)
    size = size_within(room, wanted, draft.symbol.conditions)
    if not size.quantity:
        return QuantityPreset(None, f"no size fits: {size.limited_by}")
    if of.cost(size.quantity, draft.price) < sizing.least:
        return QuantityPreset(None, f"no size fits: {size.limited_by} is under the smallest order")
    if size.limited_by is SizeLimit.BUDGET:
        limit = "what the risk budget leaves"
    elif size.limited_by is SizeLimit.RISK:
        limit = " × ".join([f"a risk of {f.money(risk)} USD", *map(str, size.cuts)])
    elif size.limited_by is not SizeLimit.NOTIONAL:
        limit = f"the limit of {size.limited_by}"
    else:
        limit = "the buying power" if most == power else "the largest order"
    shares = _whole(size.quantity)
    return QuantityPreset(shares, f"{plain(shares)} {draft.symbol.symbol}: sized by {limit}", limit)


def sized(draft: Draft, way: Way, view: DeskView) -> QuantityPreset:
    """Return a size and an explanation that begins with its kind."""
    if draft.symbol is not None and draft.effect is not None and not draft.opens:
        return _of_what_is_held(draft, PARTS[way])
    match way:
        case Way.RISK:
            size = preset(draft, Decimal(1), view)
        case Way.CASH:
            size = _of_cash(draft, view)
        case Way.POSITION:
            size = _as_many_as_are_held(draft)
    if size.quantity is None and way is Way.RISK:
        return size
    return QuantityPreset(size.quantity, f"{way.value}: {size.limit or size.words}")


def _of_cash(draft: Draft, view: DeskView) -> QuantityPreset:
    """Return the quantity allowed by the largest order, the buying power and the account limit, regardless of risk."""
    sizing, power = view.sizing, view.status.buying_power
    if draft.symbol is None or draft.price is None:
        return QuantityPreset(None, "it needs a limit price or a quote")
    if sizing.max_notional is None or power is None:
        return QuantityPreset(None, "buying power is not known yet; wait a moment")
    room = draft.symbol.room_to_short if draft.effect is Effect.SHORT else draft.symbol.room_to_buy
    most = min(sizing.max_notional, power, *([room.cost] if room.cost is not None else []))
    bought = draft.instrument.quantity_for(most, draft.price) if most > ZERO else None
    shares = _whole(rounded_down(bought, draft.step)) if bought else None
    if not shares or draft.instrument.cost(shares, draft.price) < sizing.least:
        return QuantityPreset(None, f"{f.money(most)} USD is under the smallest order")
    return QuantityPreset(shares, f"{f.money(most)} USD buys it")


def _whole(shares: Quantity) -> Quantity:
    return rounded_down(shares, Decimal(1)) if shares >= WHOLE_FROM else shares


def _as_many_as_are_held(draft: Draft) -> QuantityPreset:
    held = rounded_down(abs(draft.held), draft.step)
    if not held:
        return QuantityPreset(None, "nothing of it is held")
    return QuantityPreset(held, f"as many as are held, {plain(abs(draft.held))}")


def _of_what_is_held(draft: Draft, part: Decimal) -> QuantityPreset:
    held = abs(draft.held)
    quantity = held if part >= 1 else rounded_down(held * part, draft.step)
    if quantity <= ZERO:
        return QuantityPreset(None, "nothing of it is held" if not held else "too little is held for a part of it")
    return QuantityPreset(Quantity(quantity), f"{plain(quantity)} of {plain(held)} held")
