"""What the desk looks at while it holds a position, compiled: losses, reasons to leave, and bars that change nothing.

Most bars of a trade touch no order and give no reason to leave. `first_to_look_at` passes over them at once (AN-08).
"""

from __future__ import annotations

from core.research.kernel import layout as reg
from core.research.kernel.layout import Integers, compiled
from core.research.kernel.quotes import NO_FORCED_FLAT, bid_of


@compiled
def look_at_losses(s: Integers, c: Integers, bars: Integers, bar: int) -> None:
    """Refuse where the desk could take notice of a loss: of the day or the week, at the worst price of the bar."""
    if s[reg.POSITION] == 0:
        s[reg.SEEN_LOSS] = s[reg.LOST_TODAY]
    worth = s[reg.CASH] + s[reg.POSITION] * bars[reg.LOW, bar]
    open_loss = s[reg.LOST_TODAY]
    if s[reg.POSITION] > 0:
        open_loss += max(
            s[reg.TRADE_COST] + s[reg.TRADE_FEES] - s[reg.TRADE_PROCEEDS] - s[reg.POSITION] * bars[reg.LOW, bar],
            0,
        )
    if max(s[reg.DAY_OPENING] - worth, open_loss) >= c[reg.DAY_LOSS] or s[reg.WEEK_OPENING] - worth >= c[reg.WEEK_LOSS]:
        s[reg.REFUSED] = reg.NEAR_A_LOSS_LIMIT
    if s[reg.CASH] + s[reg.POSITION] * bars[reg.HIGH, bar] > reg.MOST_MONEY:
        s[reg.REFUSED] = reg.TOO_MUCH_MONEY


@compiled
def is_after_the_clock(bars: Integers, sessions: Integers, bar: int) -> bool:
    """Return whether a bar ends after the desk has asked by the clock for an exit that no bar asked for (ST-02)."""
    return bool(bars[reg.START, bar] > sessions[reg.FLAT_FROM, bars[reg.SESSION, bar]] + reg.MINUTE)


@compiled
def is_under_stop(s: Integers, bars: Integers, bar: int) -> bool:
    """Return whether two closes in a row are about at the stop or below it.

    A stop that still fills then has been triggered for too long: the desk sells its shares itself (EX-21).
    """
    close = bars[reg.CLOSE]
    return bool(bar > 0 and close[bar - 1] <= s[reg.PLAN_STOP] and close[bar] <= s[reg.PLAN_STOP] + reg.TICK)


@compiled
def reason_to_leave(s: Integers, c: Integers, bars: Integers, sessions: Integers, signals: Integers, bar: int) -> int:
    """Return the reason for an exit on a bar: of the strategy first, then of the exit rules; -1 without one."""
    close = bars[reg.CLOSE, bar]
    if signals[reg.LATE, bar] and c[reg.FAULT] != NO_FORCED_FLAT:
        if is_after_the_clock(bars, sessions, bar):
            s[reg.REFUSED] = reg.LEFT_BY_THE_CLOCK
        return reg.BY_CLOSE
    if s[reg.PLAN_TARGET] and close >= s[reg.PLAN_TARGET]:
        return reg.BY_TARGET
    if signals[reg.LEAVES, bar] >> s[reg.PLAN_RULE] & 1 or close < s[reg.PLAN_LEVEL]:
        return int(c[reg.LEAVE_REASON])
    if c[reg.LONGEST] and bars[reg.START, bar] + reg.MINUTE - s[reg.TRADE_AT] >= c[reg.LONGEST]:
        return reg.BY_TIME
    if not c[reg.RULES_GUARD] or bars[reg.START, bar] + reg.MINUTE <= s[reg.TRADE_AT]:
        return -1
    cost, quantity = s[reg.TRADE_COST], s[reg.TRADE_QUANTITY]
    if not s[reg.PLAN_TARGET] and c[reg.PROFIT_TARGET]:
        aimed, unit = cost * (reg.RATIO_UNITS + c[reg.PROFIT_TARGET]), quantity * reg.RATIO_UNITS
        if s[reg.TRADE_IS_ROUNDED] and (2 * aimed + reg.TICK * unit) % (2 * unit * reg.TICK) == 0:
            s[reg.REFUSED] = reg.ROUNDING_TIE
        if close >= (2 * aimed + reg.TICK * unit) // (2 * unit * reg.TICK) * reg.TICK:
            return reg.BY_TARGET
    days = sessions[reg.DAY, bars[reg.SESSION, bar]] - s[reg.TRADE_DAY]
    if c[reg.MAX_DAYS] and days > c[reg.MAX_DAYS]:
        return reg.BY_TIME
    if c[reg.STALE_DAYS] and days > c[reg.STALE_DAYS]:
        is_at = close * quantity * reg.RATIO_UNITS
        least = cost * (reg.RATIO_UNITS + c[reg.STALE_GAIN])
        if s[reg.TRADE_IS_ROUNDED] and is_at == least:
            s[reg.REFUSED] = reg.ROUNDING_TIE
        if is_at < least:
            return reg.BY_TIME
    return -1


@compiled
def is_untouched(s: Integers, c: Integers, bars: Integers, tables: Integers, bar: int) -> bool:
    """Return whether a bar touches no order of what is held, and nothing is on its way."""
    if s[reg.ENTRY] != reg.NONE or s[reg.SALE] != reg.NONE or bars[reg.LOW, bar] <= s[reg.PLAN_STOP]:
        return False
    if s[reg.TARGET] == reg.WORKING and bid_of(c, bars[reg.HIGH, bar]) >= s[reg.PLAN_TARGET]:
        return False
    for number in range(s[reg.STOPS]):
        if tables[number, reg.STOP_STATE] == reg.COMING or tables[number, reg.STOP_STATE] == reg.ELECTED:
            return False
    return True


@compiled
def loss_floor(s: Integers, c: Integers) -> int:
    """Return the highest price of a position at which the desk could take notice of a loss."""
    held, cost = s[reg.POSITION], s[reg.TRADE_COST] + s[reg.TRADE_FEES] - s[reg.TRADE_PROCEEDS]
    of_day = s[reg.DAY_OPENING] - s[reg.CASH] - c[reg.DAY_LOSS]
    of_week = s[reg.WEEK_OPENING] - s[reg.CASH] - c[reg.WEEK_LOSS]
    of_trade = s[reg.LOST_TODAY] + cost - c[reg.DAY_LOSS]
    return int(max(of_day, of_week, of_trade) // held)


@compiled
def first_to_look_at(
    s: Integers, c: Integers, bars: Integers, sessions: Integers, signals: Integers, tables: Integers, bar: int
) -> int:
    """Return the first bar, from an open one on, at which something can happen to the position.

    A bar before it, and the open of the next, touch no order, cause no exit and come near no limit of a loss.
    """
    if s[reg.ENTRY] != reg.NONE or s[reg.SALE] != reg.NONE or s[reg.COUNTED] != s[reg.TRADES]:
        return bar
    if s[reg.OPENED] != bar or not is_untouched(s, c, bars, tables, bar):
        return bar
    floor, ceiling = loss_floor(s, c), (reg.MOST_MONEY - s[reg.CASH]) // s[reg.POSITION]
    last = bars.shape[1] - 1
    while bar < last:
        if bars[reg.START, bar + 1] != bars[reg.HEARD, bar] or bars[reg.SESSION, bar + 1] != bars[reg.SESSION, bar]:
            break
        if bars[reg.LOW, bar] <= floor or bars[reg.HIGH, bar] > ceiling:
            break
        if reason_to_leave(s, c, bars, sessions, signals, bar) >= 0 or s[reg.REFUSED]:
            break
        if not is_untouched(s, c, bars, tables, bar + 1):
            break
        bar += 1
    return bar
