"""The quotes and rooms of the simulated exchange, compiled: what an order pays, and how much of a bar it may have.

Each bar is walked open, low, high, close: an entry at a limit and an exit of a long position both meet the low first.
Quotes are derived from the last price, half a spread away, and rounded to the worse tick.
"""

from __future__ import annotations

import numpy as np

from core.research.kernel import layout as reg
from core.research.kernel.layout import Integers, compiled

POINTS = 4
"""The open, the low, the high and the close of a bar."""

(
    HIGH_FIRST,
    AT_THE_LAST_PRICE,
    LIMITS_FIRST,
    TARGET_IN_ENTRY_BAR,
    WHOLE_VOLUME,
    SLIPPAGE_TO_NEAREST,
    NO_FEE,
    NO_FORCED_FLAT,
) = range(1, 9)
"""Planted faults, one for each rule: the equality test has to find each of them."""

DERIVED_SIZE = 100 * reg.QUANTITY_UNITS
"""What a quote without a bar offers."""
NEAR_A_TICK = 1e-6
"""Ticks from the next whole one, within which a float does not decide."""

# ── prices ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@compiled
def ask_of(c: Integers, price: int) -> int:
    """Return what a buyer pays after a last price."""
    if c[reg.FAULT] == AT_THE_LAST_PRICE:
        return int(price)
    return int(-(-(price + c[reg.HALF_SPREAD]) // reg.TICK) * reg.TICK)


@compiled
def bid_of(c: Integers, price: int) -> int:
    """Return what a seller receives after a last price; never below a tick."""
    if c[reg.FAULT] == AT_THE_LAST_PRICE:
        return int(price)
    return int(max((price - c[reg.HALF_SPREAD]) // reg.TICK * reg.TICK, reg.TICK))


@compiled
def size_slippage(s: Integers, c: Integers, bars: Integers, price: int, quantity: int) -> float:
    """Return the slippage of an order's size, nearly, in units of a price and a rate; -1 for all of it."""
    bar = s[reg.OPENED]
    wanted, room = quantity, DERIVED_SIZE
    if bars[reg.START, bar] <= s[reg.NOW] < bars[reg.END, bar]:
        wanted, room = quantity * c[reg.OF_PARTS], bars[reg.VOLUME, bar] * c[reg.PART] * reg.QUANTITY_UNITS
    if wanted >= room:
        return -1.0
    return float(price * c[reg.BY_SIZE] * (wanted / room))


@compiled
def dearer(s: Integers, c: Integers, bars: Integers, price: int, quantity: int) -> int:
    """Return the price of a buyer of so much with slippage, rounded up to the tick."""
    moved, unit = price * (reg.RATE_UNITS + c[reg.SLIPPAGE]), reg.RATE_UNITS * reg.TICK
    if c[reg.FAULT] == SLIPPAGE_TO_NEAREST:
        return int((2 * moved + unit) // (2 * unit) * reg.TICK)
    if c[reg.BY_SIZE]:
        more = size_slippage(s, c, bars, price, quantity)
        if more >= 0.0:
            ticks = (moved % unit + more) / unit
            if np.rint(ticks) > 0 and abs(ticks - np.rint(ticks)) < NEAR_A_TICK:
                s[reg.REFUSED] = reg.SLIPPAGE_TIE
            return int((moved // unit + np.int64(np.ceil(ticks))) * reg.TICK)
        moved += price * c[reg.BY_SIZE]
    return int(-(-moved // unit) * reg.TICK)


@compiled
def cheaper(s: Integers, c: Integers, bars: Integers, price: int, quantity: int) -> int:
    """Return the price of a seller of so much with slippage, rounded down to the tick."""
    moved, unit = price * (reg.RATE_UNITS - c[reg.SLIPPAGE]), reg.RATE_UNITS * reg.TICK
    if c[reg.FAULT] == SLIPPAGE_TO_NEAREST:
        return int((2 * moved + unit) // (2 * unit) * reg.TICK)
    if c[reg.BY_SIZE]:
        more = size_slippage(s, c, bars, price, quantity)
        if more >= 0.0:
            rest = moved % unit
            ticks = (rest - more) / unit
            if (rest > 0 or np.rint(ticks) < 0) and abs(ticks - np.rint(ticks)) < NEAR_A_TICK:
                s[reg.REFUSED] = reg.SLIPPAGE_TIE
            return int(max((moved // unit + np.int64(np.floor(ticks))) * reg.TICK, reg.TICK))
        moved -= price * c[reg.BY_SIZE]
    return int(max(moved // unit * reg.TICK, reg.TICK))


@compiled
def point_of(bars: Integers, bar: int, number: int) -> int:
    """Return the time of a point of a bar's path."""
    start = bars[reg.START, bar]
    lasts = bars[reg.END, bar] - start
    if number == 0:
        return int(start)
    if number == POINTS - 1:
        return int(start + lasts * 59 // 60)
    return int(start + lasts * number // 3)


@compiled
def price_of(c: Integers, bars: Integers, bar: int, number: int) -> int:
    """Return the price at a point of a bar's path."""
    if number == 0:
        return int(bars[reg.OPEN, bar])
    if number == POINTS - 1:
        return int(bars[reg.CLOSE, bar])
    is_low = (number == 1) != (c[reg.FAULT] == HIGH_FIRST)
    return int(bars[reg.LOW, bar] if is_low else bars[reg.HIGH, bar])


@compiled
def passed_points(bars: Integers, bar: int, at: int) -> int:
    """Return how many points of a bar's path are not after `at`."""
    count = 0
    for number in range(POINTS):
        if point_of(bars, bar, number) <= at:
            count += 1
    return count


@compiled
def last_price(s: Integers, c: Integers, bars: Integers) -> int:
    """Return the newest price."""
    bar = s[reg.OPENED]
    return price_of(c, bars, bar, max(passed_points(bars, bar, s[reg.NOW]) - 1, 0))


@compiled
def is_known(s: Integers, bars: Integers) -> bool:
    """Return whether the newest price is of a bar that is open, or was the last one before now."""
    end = bars[reg.END, s[reg.OPENED]]
    return bool(s[reg.NOW] < end + (end - bars[reg.START, s[reg.OPENED]]))


@compiled
def highest(high: Integers, first: int, last: int) -> int:
    """Return the highest price of the bars from `first` to before `last`."""
    top = high[first]
    for bar in range(first + 1, last):
        top = max(top, high[bar])
    return int(top)


# ── volume ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@compiled
def taken(s: Integers, c: Integers, bars: Integers, step: int, wanted: int) -> int:
    """Take as much of the minute's volume, or of the longer bar's, as an order may have; return that quantity."""
    bar, now = s[reg.OPENED], s[reg.NOW]
    is_open = bars[reg.START, bar] <= now < bars[reg.END, bar]
    span = -1 - bar if is_open and c[reg.IS_DAILY] else now // reg.MINUTE
    used = s[reg.TAKEN] if s[reg.TAKEN_IN] == span else 0
    if is_open:
        points = POINTS if c[reg.FAULT] == WHOLE_VOLUME else passed_points(bars, bar, now)
        traded = bars[reg.VOLUME, bar] * points
        whole = POINTS * c[reg.OF_PARTS]
        free = traded * c[reg.PART] * reg.QUANTITY_UNITS - used * whole
        room = free // (whole * step) * step if free > 0 else 0
        if room == 0 and used == 0 and traded * reg.QUANTITY_UNITS >= POINTS * step:
            room = step
    else:
        room = max(DERIVED_SIZE - used, 0) // step * step
    quantity = min(room, wanted)
    if quantity > 0:
        s[reg.TAKEN_IN] = span
        s[reg.TAKEN] = used + quantity
    return quantity
