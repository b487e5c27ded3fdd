"""Prices chosen by key: bid, ask, middle, last, one tick up or down. Stale data is never used."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import Enum

from core.model.instrument import Ticks
from core.model.values import Price
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
