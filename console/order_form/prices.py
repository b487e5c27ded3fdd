"""The prices of a typed order, as a price, a distance, or a key for a market price."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import Enum

from console.order_form.draft import (
    TOO_LARGE,
    WHOLE,
    Distance,
    Draft,
    Measure,
    Measured,
    distance_in,
    is_too_large,
    number_in,
    priced_at,
    way_of,
)
from core.model.instrument import Ticks
from core.model.order import Effect, Side, StopHolder, TimeInForce
from core.model.values import ZERO, Fraction, Price
from core.staging.resting_entries import Reach, reach_of
from core.views import SymbolView
from widgets import format as f


class Taken(Enum):
    """The price that a key takes; the value is its name."""

    BID = "bid"
    ASK = "ask"
    MID = "mid"
    LAST = "last"


def price_of(which: Taken, symbol: SymbolView, now: datetime, *, buys: bool) -> Price | str:
    """Return a price on its tick, or the reason why there is none.

    A price between two ticks is rounded down for a buyer and up for a seller, so the order is never worse than the
    price named. The last price is the one that the panes show.
    """
    price, at = _seen(which, symbol)
    if price is None or at is None or price <= 0:
        return f"no {which.value} of {symbol.symbol} is known"
    if now - at > f.STALE_AFTER:
        return f"the {which.value} is {f.age(at, now)} old: not taken"
    ticks = symbol.instrument.ticks
    if which is Taken.LAST:
        rounded = ticks.nearest(price)
    else:
        rounded = ticks.rounded(price, ROUND_FLOOR if buys else ROUND_CEILING)
    return rounded if rounded > 0 else f"no {which.value} of {symbol.symbol} is known"


def _seen(which: Taken, symbol: SymbolView) -> tuple[Price | None, datetime | None]:
    quote = symbol.quote
    if which is Taken.LAST:
        return symbol.last, symbol.last_at
    if quote is None:
        return None, None
    if which is Taken.MID:
        return (quote.mid, quote.at) if quote.bid > 0 and quote.ask > 0 else (None, None)
    return (quote.bid if which is Taken.BID else quote.ask), quote.at


def ticked(price: Decimal, steps: int, ticks: Ticks) -> Price:
    """Return the price `steps` ticks higher, or lower if negative.

    A price between two ticks first moves to the next tick in that direction. The result is at least the smallest price.
    """
    least = min(step for _begins, step in ticks.steps)
    at = price
    for _ in range(abs(steps)):
        tick = ticks.at(at) if steps > 0 else ticks.at(max(at - least, least))
        count = at / tick
        whole = count.to_integral_value(ROUND_FLOOR) + 1 if steps > 0 else count.to_integral_value(ROUND_CEILING) - 1
        at = max(whole * tick, least)
    return Price(at)


def read_prices(draft: Draft, limit: str, trigger: str, stop: str) -> None:
    draft.limit = _price(draft, "limit", limit)
    _read_trigger(draft, trigger)
    kind = draft.type
    if kind is not None and kind.has_limit and not limit:
        draft.faults["limit"] = "a limit order needs its price"
    if kind is not None and not kind.has_limit and limit:
        draft.faults["limit"] = f"a {kind.word} order has none: clear it"
        draft.limit = None  # a left-over values nothing
    draft.price = draft.limit or _aimed(draft)
    if draft.opens:
        side = Side.SELL if draft.effect is Effect.SHORT else Side.BUY
        _measure(draft, side, reach_of(side, draft.limit, _aimed(draft)))
    draft.stop = _stop(draft, stop)
    _read_stop(draft, stop)


def _measure(draft: Draft, side: Side, reach: Reach | None) -> None:
    """Set the prices from the fills that its limit allows now, as the checks do."""
    draft.price = None if reach is None else reach.most
    if reach is not None:
        draft.farthest = reach.most if side is Side.BUY else reach.least
        draft.nearest = reach.least if side is Side.BUY else reach.most


def _aimed(draft: Draft) -> Price | None:
    """Return the price at which it would trade now."""
    touch = draft.touch
    if not draft.opens or not draft.waits:
        return touch
    if not draft.trails:
        return draft.trigger
    if touch is None or (draft.trail_price is None and draft.trail_fraction is None):
        return None
    behind = draft.trail_price if draft.trail_price is not None else touch * (draft.trail_fraction or ZERO)
    return draft.instrument.ticks.rounded(touch - behind if draft.effect is Effect.SHORT else touch + behind)


def _read_trigger(draft: Draft, text: str) -> None:
    """Parse the trigger of a stop entry: above the market to buy, below it to sell short."""
    kind = draft.type
    if not draft.opens or kind is None or not kind.has_stop:
        if text:
            entry = "this entry" if kind is None else f"a {kind.word} entry"
            why = f"{entry} has none" if draft.opens else "the stop of what closes stands in Stop price"
            draft.faults["trigger"] = f"{why}: clear it"
        return
    draft.trigger = _price(draft, "trigger", text)
    touch = draft.touch
    if not text:
        draft.faults["trigger"] = "a stop entry needs what starts it"
    elif draft.trigger is not None and touch is not None:
        is_above = kind.waits_above(Side.SELL if draft.effect is Effect.SHORT else Side.BUY)
        if (draft.trigger > touch) is not is_above or draft.trigger == touch:
            side = "above" if is_above else "below"
            draft.faults.setdefault("trigger", f"must be {side} the market, {f.price(touch)}")


def _stop(draft: Draft, text: str) -> Price | None:
    """Return the stop from a price or distance, measured from the entry or, for a closing order, from the market."""
    distance = distance_in(text)
    if distance is None:
        return _price(draft, "stop", text, " or 1%, 1.5atr")
    if distance.measure is Measure.R:
        draft.faults["stop"] = "R is the way to the stop: 1%, 1.5atr or a price"
        return None
    is_above = draft.effect in (Effect.SHORT, Effect.COVER)
    anchor = draft.price if draft.opens else draft.touch
    return _measured(draft, "stop", distance, anchor, is_above=is_above)


def _target(draft: Draft, text: str) -> Price | None:
    """Return the target from a price, or a distance from the fill farthest from the stop."""
    distance = distance_in(text)
    if distance is None:
        return _price(draft, "target", text, " or 2%, 3atr, 2r")
    return _measured(draft, "target", distance, draft.farthest, is_above=draft.effect is not Effect.SHORT)


def _measured(draft: Draft, name: str, distance: Distance, anchor: Price | None, *, is_above: bool) -> Price | None:
    is_stop = name == "stop"
    if draft.is_stale and (draft.limit is None or not draft.opens):
        draft.faults[name] = "the quote is old: type a price"
        return None
    if anchor is None and draft.opens and draft.waits:
        draft.faults[name] = "it is measured from what starts the entry: type that first"
        return None
    atr = draft.symbol.conditions.atr if draft.symbol is not None else None
    has_risk = not is_stop and draft.farthest is not None and draft.stop is not None and "stop" not in draft.faults
    risk = abs(draft.farthest - draft.stop) if has_risk and draft.farthest and draft.stop else None
    way = way_of(distance, Measured(anchor, atr, risk))
    if isinstance(way, str):
        draft.faults[name] = way
        return None
    if anchor is None:
        draft.faults[name] = "it needs a limit or a quote to be measured from"
        return None
    price = priced_at(anchor, way, draft.instrument.ticks, is_above=is_above, is_stop=is_stop)
    if price is None:
        draft.faults[name] = "no price is left: that is too far"
        return None
    side = "over" if is_above else "under"
    draft.readings[name] = f"{f.price(price)}, {f.money(abs(price - anchor))} {side} {f.price(anchor)}"
    return price


def _read_stop(draft: Draft, text: str) -> None:
    if not draft.opens:
        kind = draft.type
        if kind is not None and kind.has_stop and not text:
            draft.faults["stop"] = "a stop order needs its price"
        elif kind is not None and not (kind.has_stop or kind.rests) and text and draft.effect is not None:
            draft.faults["stop"] = "this order has none: clear it"
        elif draft.is_pair and draft.limit is not None and draft.stop is not None:
            is_under = draft.stop < draft.limit
            if is_under is (draft.effect is Effect.COVER) or draft.stop == draft.limit:
                side = "above" if draft.effect is Effect.COVER else "below"
                draft.faults.setdefault("stop", f"of a pair: {side} its limit {f.price(draft.limit)}")
        return
    if not text:
        draft.faults["stop"] = "what opens needs a stop"
    elif draft.stop is not None and draft.nearest is not None:
        is_under = draft.stop < draft.nearest
        if is_under is (draft.effect is Effect.SHORT) or draft.stop == draft.nearest:
            side = "above" if draft.effect is Effect.SHORT else "below"
            draft.faults.setdefault("stop", f"must be {side} {f.price(draft.nearest)}")


def read_target(draft: Draft, text: str) -> None:
    """Parse the target. The broker holds it beside the stop, and only for whole shares."""
    if not text:
        return
    draft.target = _target(draft, text)
    is_fraction = draft.quantity is not None and draft.quantity % 1
    if not draft.opens:
        draft.faults["target"] = "only an entry has one; a pair that closes is a limit with a stop"
    elif is_fraction:
        draft.faults["target"] = "the broker holds a target for whole shares only"
    elif draft.waits:
        draft.faults["target"] = "the broker holds none with a stop entry: clear it"
    elif draft.holder is not StopHolder.BROKER or draft.lasts is TimeInForce.IOC:
        draft.faults["target"] = "needs a stop held by the broker, day or gtc"
    elif draft.target is not None and draft.farthest is not None:
        is_over = draft.target > draft.farthest
        if is_over is (draft.effect is Effect.SHORT) or draft.target == draft.farthest:
            side = "below" if draft.effect is Effect.SHORT else "above"
            draft.faults.setdefault("target", f"must be {side} {f.price(draft.farthest)}")


def read_trail(draft: Draft, text: str) -> None:
    """Parse `1.50` in dollars or `2 %` of the price."""
    if not draft.trails:
        if text:
            draft.faults["trail"] = "only a trailing stop has one: clear it"
        return
    value = number_in(text.removesuffix("%").removeprefix("$").strip())
    if value is None or (text.endswith("%") and value >= WHOLE):
        draft.faults["trail"] = "how far behind: 1.50 USD, or 2 %"
    elif text.endswith("%"):
        draft.trail_fraction = Fraction(value / WHOLE)
    else:
        draft.trail_price = _price(draft, "trail", text.removeprefix("$").strip())


def _price(draft: Draft, name: str, text: str, otherwise: str = ", above zero") -> Price | None:
    if not text:
        return None
    value = number_in(text)
    if value is None and is_too_large(text):
        draft.faults[name] = TOO_LARGE
        return None
    if value is None:
        draft.faults[name] = f"USD for one share{otherwise}"
        return None
    tick = draft.instrument.ticks.at(value)
    if value % tick:
        draft.faults[name] = f"off its tick of {tick} USD"
    return Price(value)
