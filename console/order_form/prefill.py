"""What stands in a new order before anybody typed: side, limit, stop, target and quantity, by settings and quote.

Only fields that nobody typed into are filled. What the desk does not know, or knows from a stale quote alone, stays
empty and says why. A field that is filled is an offer: it is drawn as one until the operator makes it his own.
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
"""In the order in which one follows from the other."""
NUMBERS = FILLED[1:]


@dataclass(frozen=True, slots=True)
class Filled:
    """A text, and where it is from, or why there is none."""

    text: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Usual:
    """What fills an order: how its quantity is sized, and the preset of its stop and target."""

    way: Way
    preset: Preset


def prefilled(
    texts: Mapping[str, str], free: Collection[str], usual: Usual, view: DeskView, now: datetime, *, asks_quote: bool
) -> dict[str, Filled]:
    """Of the fields that are `free`. Without `asks_quote` side and limit stay as they are: the quote moved no price."""
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
    """The side of the quote that it would take."""
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
    """Only where the broker can hold it."""
    is_whole = draft.quantity is not None and not draft.quantity % 1
    is_held = draft.holder is StopHolder.BROKER and draft.lasts is not TimeInForce.IOC and not draft.waits
    if not preset.target or not draft.opens:
        return Filled("")
    if not is_whole or not is_held:
        return Filled("", f"no target of {preset.name}: the broker holds none here")
    return Filled(preset.target, preset.name)
