"""Sizes and gate of an entry, compiled (AN-08).

Prices, costs and quantities are integers. A quotient is a float only to be rounded down or compared, and only where it
is further from the next integer, or from the limit, than its largest possible error; else the answer is left to the
engine's own Decimal arithmetic in `plans`, as are prices exactly between two ticks.
"""

from __future__ import annotations

from decimal import Decimal
from math import ceil, nan

import numpy as np
from numpy.typing import NDArray

from core.research.kernel import layout as reg
from core.research.kernel.layout import Integers, allocating, compiled
from core.research.kernel.quotes import ask_of, bid_of
from core.settings.settings import Settings
from core.settings.types import AmountSettings

Floats = NDArray[np.float64]

PLAN_UNITS = 10_000
"""Units of a number of average ranges."""
(RANGE_BARS, STOP_RANGES, TARGET_RANGES, STEP, LEAST_COST, MOST_SHARES, PERIOD, BEGUN_IN, SINCE, TERMS_SIZE) = range(10)
BY_FRACTION, LEFT_TO_PLANS = -2, -1
"""`RANGE_BARS` is 0 for terms given as arrays; these are for a stop by a fraction, and for entries left to `plans`."""
(
    RISK,
    RISK_PART,
    MOST,
    MOST_PART,
    NOISE,
    NOISE_BARS,
    BUDGET,
    DAY_VALUE,
    DAY_VALUE_PART,
    EXPOSURE,
    RESERVE,
    IN_SYMBOL,
    PERIOD_BAND,
    BAND,
    LIMITS_SIZE,
) = range(15)
"""USD, or a part of the opening equity where the USD are not a number; ratios."""

NO, SENT, UNANSWERED, UNSURE = range(4)
"""What becomes of an entry: none, sent, a proposal that is never confirmed, or left to `plans`."""
SLACK, LARGEST = 1e-6, 1e8
"""The least distance of a quotient from an integer, and the largest quotient, for a float to decide."""
LARGEST_BY_BARS = 1e9
"""The largest quotient by an average range, times the bars of it: each bar adds the error of a float."""
CLOSE_BY = 1e-9
"""The least relative distance of a float from a limit for it to decide."""


def terms_of(settings: Settings, step: Decimal, begun_in: int, since: int) -> Integers:
    """Return the integers of a run; those of the plan are left at -1, 0, 0."""
    risk, terms = settings.risk, np.zeros(TERMS_SIZE, np.int64)
    terms[RANGE_BARS] = LEFT_TO_PLANS
    terms[STEP] = int(step * reg.QUANTITY_UNITS)
    terms[LEAST_COST] = ceil(risk.min_notional * reg.MONEY_UNITS)
    terms[MOST_SHARES] = int(min(risk.order_size.shares, Decimal(10**12)) * reg.QUANTITY_UNITS)
    terms[PERIOD] = risk.collar.period_minutes
    terms[BEGUN_IN], terms[SINCE] = begun_in, since
    return terms


def limits_of(settings: Settings) -> Floats:
    """Return the limits of a run."""
    risk, limits = settings.risk, np.zeros(LIMITS_SIZE)
    value = risk.max_day_value
    limits[RISK], limits[RISK_PART] = _amount(risk.per_trade)
    limits[MOST], limits[MOST_PART] = _amount(risk.max_notional)
    limits[DAY_VALUE], limits[DAY_VALUE_PART] = (1e18, 0.0) if value.limits_nothing else _amount(value)
    if risk.sizing.atr.enabled:
        limits[NOISE], limits[NOISE_BARS] = float(risk.sizing.atr.multiple), risk.sizing.atr.bars
    limits[BUDGET] = float(risk.sizing.budget)
    portfolio = risk.portfolio
    limits[EXPOSURE] = 1e9 if portfolio.limits_nothing else float(portfolio.max_exposure)
    limits[RESERVE] = float(portfolio.reserve)
    limits[IN_SYMBOL] = float(portfolio.symbol_exposure) if portfolio.limits_concentration else 1e9
    limits[PERIOD_BAND], limits[BAND] = float(risk.collar.period_band), float(risk.collar.band)
    return limits


def _amount(amount: AmountSettings) -> tuple[float, float]:
    return (float(amount.usd), 0.0) if amount.usd is not None else (nan, float(amount.of_equity or 0))


# ── compiled ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@allocating
def average_ranges(bars: Integers, days: Integers, over: int) -> Floats:
    """Return the desk's average range at each bar, nearly, in units of a price; empty without `over`."""
    found = np.zeros(bars.shape[1] if over else 0, np.float64)
    mean, part = 0.0, 1.0
    for bar in range(len(found)):
        if bar < over:
            part = 1.0 / (bar + 1)
        top, bottom = bars[reg.HIGH, bar], bars[reg.LOW, bar]
        if bar > 0:
            before = bars[reg.CLOSE, bar - 1]
            if days[bars[reg.SESSION, bar]] - days[bars[reg.SESSION, bar - 1]] > reg.LONG_WEEKEND:
                before = bars[reg.CLOSE, bar]
            top, bottom = max(top, before), min(bottom, before)
        mean += (top - bottom - mean) * part
        found[bar] = mean
    return found


@compiled
def whole(quotient: float) -> int:
    """Return a quotient rounded down; -1 if a float cannot tell."""
    down = np.floor(quotient)
    if quotient > LARGEST or quotient - down < SLACK or quotient - down > 1.0 - SLACK:
        return -1
    return int(down)


@compiled
def side_of(value: float, limit: float) -> int:
    """Return -1 below a limit, 1 above it, and 0 if a float cannot tell."""
    if abs(value - limit) <= CLOSE_BY * max(abs(limit), 1.0):
        return 0
    return 1 if value > limit else -1


@compiled
def planned(s: Integers, bars: Integers, terms: Integers, given: Integers, bar: int) -> bool:
    """Write limit, stop and target of an entry into the state; return whether integers can tell.

    The way to the stop is left as a fraction in `ENTRY_AT` and `ENTRY_ENDS`, which are set later.
    """
    length = terms[RANGE_BARS]
    if length == 0:
        s[reg.ENTRY_LIMIT], s[reg.PLAN_STOP], s[reg.PLAN_TARGET] = given[bar, 0], given[bar, 1], given[bar, 2]
        s[reg.ENTRY_AT], s[reg.ENTRY_ENDS] = given[bar, 0] - given[bar, 1], 1
        return True
    limit = bars[reg.CLOSE, bar] // reg.TICK * reg.TICK
    if length == BY_FRACTION:
        unit, way, aim = reg.RATE_UNITS, limit * terms[STOP_RANGES], 0
    else:
        total = 0
        for number in range(bar - length + 1, bar + 1):
            before = bars[reg.CLOSE, number - 1]
            total += max(bars[reg.HIGH, number], before) - min(bars[reg.LOW, number], before)
        unit, way, aim = length * PLAN_UNITS, total * terms[STOP_RANGES], total * terms[TARGET_RANGES]
    down, up = 2 * (limit * unit - way) + reg.TICK * unit, 2 * (limit * unit + aim) + reg.TICK * unit
    tick = 2 * unit * reg.TICK
    s[reg.ENTRY_LIMIT], s[reg.PLAN_STOP] = limit, down // tick * reg.TICK
    s[reg.PLAN_TARGET] = up // tick * reg.TICK if aim else 0
    if s[reg.PLAN_TARGET] == limit:
        s[reg.PLAN_TARGET] = 0
    s[reg.ENTRY_AT], s[reg.ENTRY_ENDS] = way, unit
    return bool(down % tick != 0 and up % tick != 0)


@compiled
def quantity_of(s: Integers, terms: Integers, limits: Floats, average: Floats, opening: float, bar: int) -> int:
    """Return the size of the planned entry in units; 0 if it buys less than a step, -1 if a float cannot tell."""
    way = s[reg.ENTRY_AT] / s[reg.ENTRY_ENDS] / reg.PRICE_UNITS
    price, step = s[reg.ENTRY_LIMIT] / reg.PRICE_UNITS, terms[STEP] / reg.QUANTITY_UNITS
    risk = limits[RISK] if limits[RISK_PART] == 0.0 else limits[RISK_PART] * opening
    most = limits[MOST] if limits[MOST_PART] == 0.0 else limits[MOST_PART] * opening
    largest = LARGEST
    if limits[NOISE] > 0.0 and bar + 1 >= limits[NOISE_BARS]:
        noise = limits[NOISE] * average[bar] / reg.PRICE_UNITS
        side = side_of(noise / way, 1.0)
        if side == 0:
            return -1
        if side > 0:
            risk *= way / noise
            largest = min(LARGEST, LARGEST_BY_BARS / limits[NOISE_BARS])
    if risk <= 0.0 or most <= 0.0:
        return -1 if risk == 0.0 else 0
    quotient = min(risk / (way * step), most / (price * step), limits[BUDGET] * opening / (way * step))
    steps = whole(quotient) if quotient <= largest else -1
    return steps * terms[STEP] if steps >= 0 else -1


@compiled
def sized(
    s: Integers,
    c: Integers,
    bars: Integers,
    terms: Integers,
    limits: Floats,
    average: Floats,
    given: Integers,
    bar: int,
    rule: int,
) -> int:
    """Size an entry and review it, as staged and at its key; write it into the state and return what becomes of it."""
    number = bars[reg.SESSION]
    if terms[RANGE_BARS] == LEFT_TO_PLANS:
        return UNSURE
    is_later = bar > 0 and number[bar] == number[bar - 1]
    if not (c[reg.IS_DAILY] or is_later or number[bar] == terms[BEGUN_IN]):
        return NO
    if not planned(s, bars, terms, given, bar):
        return UNSURE
    limit, stop = s[reg.ENTRY_LIMIT], s[reg.PLAN_STOP]
    if not 0 < stop < limit:
        return NO
    opening = s[reg.DAY_OPENING] / reg.MONEY_UNITS
    quantity = quantity_of(s, terms, limits, average, opening, bar)
    if quantity <= 0:
        return NO if quantity == 0 else UNSURE
    passes = staged(s, bars, terms, limits, quantity, opening, bar)
    if passes <= 0:
        return NO if passes < 0 else UNSURE
    s[reg.PLAN_RULE], s[reg.ENTRY_QUANTITY] = rule, quantity
    s[reg.HAS_LEGS] = 1 if quantity % reg.QUANTITY_UNITS == 0 else 0
    s[reg.ENTRY_STEP] = reg.QUANTITY_UNITS if s[reg.HAS_LEGS] else 1
    if bars[reg.START, bar] < terms[SINCE]:
        return UNANSWERED
    price = bars[reg.OPEN, bar + 1] if s[reg.OPENED] == bar + 1 else bars[reg.CLOSE, bar]
    ask, bid = ask_of(c, price), bid_of(c, price)
    over = -1
    if limits[BAND] < 1.0:
        over = side_of(2.0 * limit - (ask + bid), limits[BAND] * (ask + bid))
    if over == 0:
        return UNSURE
    return UNANSWERED if over > 0 or stop >= min(ask, limit) else SENT


@compiled
def staged(
    s: Integers, bars: Integers, terms: Integers, limits: Floats, quantity: int, opening: float, bar: int
) -> int:
    """Return 1 if the first review passes, -1 if it refuses, 0 if a float cannot tell."""
    limit = s[reg.ENTRY_LIMIT]
    cost = limit * quantity
    free = s[reg.CASH] - s[reg.UNSETTLED]
    if cost < terms[LEAST_COST] or quantity > terms[MOST_SHARES] or cost > max(free, 0):
        return -1
    usd, cash = cost / reg.MONEY_UNITS, s[reg.CASH] / reg.MONEY_UNITS
    most = limits[DAY_VALUE] if limits[DAY_VALUE_PART] == 0.0 else limits[DAY_VALUE_PART] * opening
    found = 1
    for value, bound in (
        (s[reg.VALUE_TODAY] / reg.MONEY_UNITS + usd, most),
        (usd, limits[EXPOSURE] * cash),
        (usd, limits[IN_SYMBOL] * cash),
        (quantity * (limit - s[reg.PLAN_STOP]) / reg.MONEY_UNITS, limits[BUDGET] * opening),
    ):
        side = side_of(value, bound)
        if side > 0:
            return -1
        if side == 0:
            found = 0
    if limits[RESERVE] > 0.0:
        side = side_of(free / reg.MONEY_UNITS - usd, limits[RESERVE])
        if side < 0:
            return -1
        if side == 0:
            found = 0
    if limits[PERIOD_BAND] < 1.0:
        before = price_before(bars, terms[PERIOD], bar)
        if before:
            side = side_of(limit - before, limits[PERIOD_BAND] * before)
            if side > 0:
                return -1
            if side == 0:
                found = 0
    return found


@compiled
def price_before(bars: Integers, minutes: int, bar: int) -> int:
    """Return the close of so many minutes before a bar is heard; 0 if no minute ended then or shortly before."""
    latest = bars[reg.HEARD, bar] - (minutes + 1) * reg.MINUTE
    number = bar
    while number >= 0 and bars[reg.START, number] > latest:
        number -= 1
    if number < 0 or bars[reg.START, number] <= latest - minutes * reg.MINUTE:
        return 0
    return int(bars[reg.CLOSE, number])
