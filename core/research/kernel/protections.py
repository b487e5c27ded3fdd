"""Protections that count the strategy's closed trades, compiled: each shuts entries for a time after a trade (AN-08).

The rules are those of `core.risk.protections`. A profit ratio is an integer, rounded as a closed trade's is there. Each
window of trades is read backwards from the newest.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from core.research.kernel import layout as reg
from core.research.kernel.layout import Integers, compiled
from core.settings.protections import ProtectionsSettings

PLACES = 10
PROFIT_UNITS = 10**PLACES
"""Units of a profit ratio."""
FALL_UNITS = 10_000
"""Units of a fall of the balance."""
MODELLED = ("cooldown", "loss_streak", "stop_loss_guard", "low_profit", "max_drawdown")
MOST_PAST = 4096
"""Trades that are remembered."""
AFTERNOON = 4 * 60 * reg.MINUTE
"""From noon to the usual close, at which a day's opening equity is measured the day before."""

# ── the settings ─────────────────────────────────────────────────────────────────────────────────────────────────────


def write_protections(c: Integers, terms: ProtectionsSettings) -> None:
    """Write those that are on; one without a time to be shut for is off."""
    cooldown, streak, guard = terms.cooldown, terms.loss_streak, terms.stop_loss_guard
    low, fall = terms.low_profit, terms.max_drawdown
    if cooldown.enabled:
        c[reg.COOLDOWN_STOP], c[reg.COOLDOWN_LOSS] = _time(cooldown.stop_minutes), _least(cooldown.loss)
    if streak.enabled:
        c[reg.STREAK_STOP], c[reg.STREAK_LIMIT] = _time(streak.stop_minutes), streak.trade_limit
    if guard.enabled:
        c[reg.GUARD_STOP], c[reg.GUARD_LIMIT] = _time(guard.stop_minutes), guard.trade_limit
        c[reg.GUARD_BACK], c[reg.GUARD_PROFIT] = _time(guard.lookback_minutes), _least(guard.required_profit)
        c[reg.GUARD_IN_A_ROW] = guard.consecutive
    if low.enabled:
        c[reg.LOW_STOP], c[reg.LOW_LIMIT] = _time(low.stop_minutes), low.trade_limit
        c[reg.LOW_BACK], c[reg.LOW_PROFIT] = _time(low.lookback_minutes), _least(low.required_profit)
    if fall.enabled:
        c[reg.FALL_STOP], c[reg.FALL_TRADES] = _time(fall.stop_minutes), fall.trade_limit
        c[reg.FALL_BACK], c[reg.FALL_WITHIN] = _time(fall.lookback_minutes), fall.method == "within"
        units = PROFIT_UNITS if c[reg.FALL_WITHIN] else FALL_UNITS
        c[reg.FALL_LIMIT] = int((fall.limit * units).to_integral_value(ROUND_FLOOR))


def _time(minutes: int) -> int:
    return minutes * reg.MINUTE


def _least(ratio: Decimal) -> int:
    """Return the least whole number of units that is not below a ratio."""
    return int((ratio * PROFIT_UNITS).to_integral_value(ROUND_CEILING))


# ── compiled ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@compiled
def ratio_of(profit: int, cost: int) -> int:
    """Return a profit as a ratio of a cost, rounded half to even."""
    rest = abs(profit)
    units, rest = rest // cost, rest % cost
    for _ in range(PLACES):
        rest *= 10
        units, rest = units * 10 + rest // cost, rest % cost
    if 2 * rest > cost or (2 * rest == cost and units % 2 == 1):
        units += 1
    return int(-units if profit < 0 else units)


@compiled
def shut(s: Integers, at: int, lasts: int) -> None:
    """Shut entries for a time after a trade, or leave a later end."""
    s[reg.LOCKED_UNTIL] = max(s[reg.LOCKED_UNTIL], at + lasts)


@compiled
def past_row(s: Integers, c: Integers, number: int) -> int:
    """Return the row of a closed trade; the oldest ones are gone."""
    if number <= s[reg.CLOSED] - MOST_PAST:
        s[reg.REFUSED] = reg.TOO_MANY_TRADES
    return int(c[reg.PAST_ROW] + number % MOST_PAST)


@compiled
def count_closed(s: Integers, c: Integers, sessions: Integers, tables: Integers) -> None:
    """Let each protection count the trades that have closed since it last did."""
    while s[reg.COUNTED] < s[reg.TRADES]:
        trade = tables[reg.TRADE_ROW + s[reg.COUNTED]]
        s[reg.COUNTED] += 1
        count_trade(s, c, sessions, tables, trade)


@compiled
def count_trade(s: Integers, c: Integers, sessions: Integers, tables: Integers, trade: Integers) -> None:
    """Let each protection count a closed trade."""
    at, profit = trade[reg.LEFT_AT], trade[reg.PROCEEDS] - trade[reg.COST] - trade[reg.FEES]
    ratio = ratio_of(profit, trade[reg.COST])
    is_counted = trade[reg.REASON] == reg.BY_STOP and ratio != 0 and ratio < c[reg.GUARD_PROFIT]
    row = tables[past_row(s, c, s[reg.CLOSED])]
    row[reg.PAST_AT], row[reg.PAST_RATIO], row[reg.PAST_PROFIT] = at, ratio, profit
    row[reg.PAST_IS_STOP] = 1 if is_counted else 0
    s[reg.CLOSED] += 1
    if c[reg.COOLDOWN_STOP] and (c[reg.COOLDOWN_LOSS] == 0 or -ratio >= c[reg.COOLDOWN_LOSS]):
        shut(s, at, c[reg.COOLDOWN_STOP])
    s[reg.LOST_IN_A_ROW] = s[reg.LOST_IN_A_ROW] + 1 if ratio < 0 else 0
    if c[reg.STREAK_STOP] and s[reg.LOST_IN_A_ROW] >= c[reg.STREAK_LIMIT]:
        shut(s, at, c[reg.STREAK_STOP])
    if not is_counted and c[reg.GUARD_IN_A_ROW]:
        s[reg.GUARD_FROM] = s[reg.CLOSED]
    if is_counted and c[reg.GUARD_STOP]:
        look_at_stops(s, c, tables, at)
    if c[reg.LOW_STOP]:
        look_at_profits(s, c, tables, at)
    if c[reg.FALL_STOP]:
        look_at_fall(s, c, sessions, tables, at)


@compiled
def look_at_stops(s: Integers, c: Integers, tables: Integers, at: int) -> None:
    """Shut entries after so many stop-outs within the window."""
    since, count = at - c[reg.GUARD_BACK], 0
    for number in range(s[reg.CLOSED] - 1, s[reg.GUARD_FROM] - 1, -1):
        row = tables[past_row(s, c, number)]
        if row[reg.PAST_AT] <= since or s[reg.REFUSED]:
            break
        count += row[reg.PAST_IS_STOP]
        if count >= c[reg.GUARD_LIMIT]:
            shut(s, at, c[reg.GUARD_STOP])
            break


@compiled
def look_at_profits(s: Integers, c: Integers, tables: Integers, at: int) -> None:
    """Shut entries where the trades within the window made too little together."""
    since, count, total = at - c[reg.LOW_BACK], 0, 0
    for number in range(s[reg.CLOSED] - 1, -1, -1):
        row = tables[past_row(s, c, number)]
        if row[reg.PAST_AT] <= since or s[reg.REFUSED]:
            break
        count += 1
        total += row[reg.PAST_RATIO]
    if count >= c[reg.LOW_LIMIT] and total < c[reg.LOW_PROFIT]:
        shut(s, at, c[reg.LOW_STOP])


@compiled
def look_at_fall(s: Integers, c: Integers, sessions: Integers, tables: Integers, at: int) -> None:
    """Shut entries after a fall of the balance, or of the sum of ratios, within the window.

    Backwards, `end` is the sum of the trades after one, and `top` and `fall` are the peak and the largest fall of the
    course that begins with it.
    """
    since = at - c[reg.FALL_BACK]
    column = reg.PAST_RATIO if c[reg.FALL_WITHIN] else reg.PAST_PROFIT
    count, end, top, low, fall = 0, 0, 0, 0, 0
    number = s[reg.CLOSED] - 1
    while number >= 0:
        row = tables[past_row(s, c, number)]
        if row[reg.PAST_AT] <= since or s[reg.REFUSED]:
            break
        step = row[column]
        end += step
        top, low = max(0, step + top), min(0, step + low)
        fall = max(fall, -low)
        count += 1
        number -= 1
    if count < c[reg.FALL_TRADES]:
        return
    if c[reg.FALL_WITHIN]:
        if fall > c[reg.FALL_LIMIT]:
            shut(s, at, c[reg.FALL_STOP])
        return
    day = s[reg.SESSION_NOW]
    while day > 0 and sessions[reg.NOON, day - 1] + AFTERNOON > since:
        day -= 1
    balance = tables[reg.SETTLING_ROW + day, 1]
    known_at = sessions[reg.NOON, day - 1] + AFTERNOON if day > 0 else -reg.NEVER
    while number >= 0:
        row = tables[past_row(s, c, number)]
        if row[reg.PAST_AT] <= known_at or s[reg.REFUSED]:
            break
        balance += row[reg.PAST_PROFIT]
        number -= 1
    if balance > 0 and (top - end) * FALL_UNITS > c[reg.FALL_LIMIT] * (balance + top):
        shut(s, at, c[reg.FALL_STOP])
