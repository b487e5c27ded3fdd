"""Fill in a new order before the operator types: side, limit, stop, target and quantity, from settings and quote.

Typed fields are not changed. A value that is unknown, or known only from a stale quote, stays empty with the reason. A
filled field is drawn as a suggestion until the operator accepts it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from console.order_form.choices import BUY, SHORT
from console.order_form.draft import Draft
from console.order_form.market_prices import Taken, price_of
from console.order_form.presets import Preset
from console.order_form.reading import read_draft
from console.order_form.sizes import Way, sized
from core.model.order import OrderType, StopHolder, TimeInForce
from core.model.values import plain, priced
from core.views import DeskView

FILLED = ("effect", "limit", "stop", "quantity", "target")
"""In dependency order."""
NUMBERS = FILLED[1:]


@dataclass(frozen=True, slots=True)
class Filled:
    """A text with its source, or the reason why there is none."""

    text: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Usual:
    """The defaults of an order: the sizing of its quantity, and the preset of its stop and target."""

    way: Way
    preset: Preset


def prefilled(
    texts: Mapping[str, str], free: Collection[str], usual: Usual, view: DeskView, now: datetime, *, asks_quote: bool
) -> dict[str, Filled]:
    """Return values for the `free` fields.

    Without `asks_quote` side and limit are left alone, so the quote moves no price.
    """
    filled: dict[str, Filled] = {}
    said = dict(texts)

    def put(name: str, offer: Filled) -> None:
        if name in free:
            filled[name] = offer
            said[name] = offer.text

    draft = read_draft(said, view)
    if draft.symbol is None:
        for name in NUMBERS:
            put(name, Filled(""))
        return filled
    if asks_quote:
        put("effect", Filled(SHORT if draft.held < 0 else BUY))
        put("limit", _limit(read_draft(said, view), now))
    draft = read_draft(said, view)
    put("stop", _stop(draft, usual.preset))
    put("quantity", _quantity(read_draft(said, view), usual.way, view))
    put("target", _target(read_draft({**said, "target": ""}, view), usual.preset))
    return filled


def _limit(draft: Draft, now: datetime) -> Filled:
    """Return the side of the quote at which it would trade."""
    if draft.type is not OrderType.LIMIT or draft.symbol is None or draft.effect is None:
        return Filled("")
    which = Taken.ASK if draft.buys else Taken.BID
    price = price_of(which, draft.symbol, now, buys=draft.buys)
    if isinstance(price, str):
        return Filled("", price)
    return Filled(priced(price), f"the {which.value}")


def _stop(draft: Draft, preset: Preset) -> Filled:
    return Filled(preset.stop, preset.name) if draft.opens else Filled("")


def _quantity(draft: Draft, way: Way, view: DeskView) -> Filled:
    size = sized(draft, way, view)
    return Filled("" if size.quantity is None else plain(size.quantity), size.words)


def _target(draft: Draft, preset: Preset) -> Filled:
    """Return the target only if the broker can hold it."""
    is_whole = draft.quantity is not None and not draft.quantity % 1
    is_held = draft.holder is StopHolder.BROKER and draft.lasts is not TimeInForce.IOC and not draft.waits
    if not preset.target or not draft.opens:
        return Filled("")
    if not is_whole or not is_held:
        return Filled("", f"no target of {preset.name}: the broker holds none here")
    return Filled(preset.target, preset.name)
