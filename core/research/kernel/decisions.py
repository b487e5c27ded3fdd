"""What the desk decides at a bar's end, compiled: exits of the strategy and of the exit rules, and losses (AN-08)."""

from __future__ import annotations

from core.research.kernel import layout as reg
from core.research.kernel.layout import Integers, compiled
from core.research.kernel.quotes import NO_FORCED_FLAT

KEY = reg.SECOND
"""From a bar to the operator's key."""
SIGNAL_LIFE = 90 * reg.SECOND
"""From a bar to the end of an entry of its signal."""


@compiled
def look_at_losses(s: Integers, c: Integers, bars: Integers, bar: int) -> None:
    """Refuse where the desk could take notice of a loss: of the day or the week, at the worst price of the bar."""
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
def reason_to_leave(s: Integers, c: Integers, bars: Integers, sessions: Integers, signals: Integers, bar: int) -> int:
    """Return the reason for an exit on a bar: of the strategy first, then of the exit rules; -1 without one."""
    close = bars[reg.CLOSE, bar]
    if signals[reg.FLAGS, bar] & reg.LATE and c[reg.FAULT] != NO_FORCED_FLAT:
        return reg.BY_CLOSE
    if s[reg.PLAN_TARGET] and close >= s[reg.PLAN_TARGET]:
        return reg.BY_TARGET
    if signals[reg.LEAVES, bar] >> s[reg.PLAN_RULE] & 1:
        return reg.BY_SIGNAL
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
def leave(s: Integers, c: Integers, bars: Integers, reason: int, bar: int, buys: bool) -> None:
    """Ask for the exit: its stops are cancelled first."""
    if buys:
        s[reg.REFUSED] = reg.LEAVES_WHILE_BUYING
        return
    if s[reg.POSITION] > 0 and s[reg.STOPS] == 0:
        s[reg.REFUSED] = reg.NO_STOP
        return
    s[reg.SALE], s[reg.SALE_REASON] = reg.CANCELLING, reason
    s[reg.SALE_AT] = bars[reg.HEARD, bar] + KEY + 2 * c[reg.LATENCY]


@compiled
def enter(s: Integers, c: Integers, bars: Integers, sessions: Integers, bar: int) -> None:
    """Send the entry that was sized in the pause, or let its refused proposal wait until it ends."""
    heard = bars[reg.HEARD, bar]
    s[reg.ENTRY_AT] = heard + KEY + 2 * c[reg.LATENCY]
    if c[reg.IS_DAILY]:
        s[reg.ENTRY_ENDS] = sessions[reg.CLOSES, s[reg.SESSION_NOW]]
    else:
        s[reg.ENTRY_ENDS] = heard + SIGNAL_LIFE + (0 if s[reg.ENTRY] == reg.VOID else c[reg.LATENCY])
    s[reg.ENTRY_LEFT] = s[reg.ENTRY_QUANTITY]
