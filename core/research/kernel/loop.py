"""The kernel's loop, compiled: what the desk decides at each bar, and when its requests reach the exchange (AN-08).

The desk hears a bar at its end. An operator that confirms everything presses the key a second later, so that an entry
reaches the exchange 1.2 s after the bar and a sale 1.3 s after it, with the usual latency of 0.1 s: each request takes
one latency, and so does each answer. Stops are cancelled before a sale; a stop follows each fill of an entry.

The loop stops where the size of an entry is needed, and at what it does not model.
"""

from __future__ import annotations

from core.research.kernel import layout as reg
from core.research.kernel.exchange import add_stop, fill_entry, meet_market, meet_stop, pass_point
from core.research.kernel.holding import (
    first_to_look_at,
    is_after_the_clock,
    is_under_stop,
    is_untouched,
    look_at_losses,
    reason_to_leave,
)
from core.research.kernel.layout import Integers, compiled
from core.research.kernel.protections import count_closed
from core.research.kernel.quotes import (
    POINTS,
    ask_of,
    bid_of,
    dearer,
    highest,
    is_known,
    last_price,
    point_of,
)
from core.research.kernel.sizes import NO, SENT, UNSURE, Floats, sized

KEY = reg.SECOND
"""From a bar to the operator's key."""
SIGNAL_LIFE = 90 * reg.SECOND
"""From a bar to the end of an entry of its signal."""


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
    if c[reg.LEVEL_BARS]:
        s[reg.PLAN_LEVEL] = highest(bars[reg.HIGH], bar - c[reg.LEVEL_BARS], bar)


AFTER_THE_END = 60 * reg.MINUTE
"""How long answers are processed after the last bar."""
ROOM = 64
"""Rows that one bar may need in a table."""

# ── requests on their way ────────────────────────────────────────────────────────────────────────────────────────────


@compiled
def next_request(s: Integers, tables: Integers) -> int:
    """Return when the next request reaches the exchange, or a proposal ends."""
    at = reg.NEVER
    if s[reg.ENTRY] == reg.COMING:
        at = min(at, s[reg.ENTRY_AT])
    elif s[reg.ENTRY] != reg.NONE:
        at = min(at, s[reg.ENTRY_ENDS])
    if s[reg.SALE] == reg.COMING or s[reg.SALE] == reg.CANCELLING:
        at = min(at, s[reg.SALE_AT])
    for number in range(s[reg.STOPS]):
        if tables[number, reg.STOP_STATE] == reg.COMING:
            at = min(at, tables[number, reg.STOP_AT])
    return at


@compiled
def is_at_any_price(s: Integers, tables: Integers) -> bool:
    """Return whether an order continues at any price."""
    for number in range(s[reg.STOPS]):
        if tables[number, reg.STOP_STATE] == reg.ELECTED:
            return True
    return bool(s[reg.SALE] == reg.WORKING)


@compiled
def is_working(s: Integers, tables: Integers) -> bool:
    """Return whether any order works at the exchange."""
    for number in range(s[reg.STOPS]):
        if tables[number, reg.STOP_STATE] == reg.WORKING:
            return True
    return bool(s[reg.ENTRY] == reg.WORKING or s[reg.TARGET] == reg.WORKING or is_at_any_price(s, tables))


@compiled
def is_idle(s: Integers) -> bool:
    """Return whether nothing is held, works or is on its way."""
    return bool(s[reg.POSITION] == 0 and s[reg.ENTRY] == reg.NONE and s[reg.SALE] == reg.NONE)


@compiled
def end_entry(s: Integers, c: Integers, tables: Integers) -> None:
    """End the entry; the part that legs were to protect gets a stop of its own."""
    was_working = s[reg.ENTRY] == reg.WORKING
    s[reg.ENTRY] = reg.NONE
    bought = s[reg.ENTRY_QUANTITY] - s[reg.ENTRY_LEFT]
    if was_working and s[reg.HAS_LEGS] and bought > 0:
        s[reg.HAS_LEGS] = 0
        add_stop(s, tables, reg.COMING, s[reg.NOW] + c[reg.LATENCY], bought)


@compiled
def arrive(
    s: Integers,
    c: Integers,
    bars: Integers,
    sessions: Integers,
    tables: Integers,
) -> None:
    """Let every request that is due now meet the exchange."""
    now = s[reg.NOW]
    price = last_price(s, c, bars)
    known = is_known(s, bars)
    if s[reg.ENTRY] == reg.COMING and s[reg.ENTRY_AT] <= now:
        s[reg.ENTRY], s[reg.ENTRY_HIT] = reg.WORKING, 0
        asked = ask_of(c, price)
        if known and asked <= s[reg.ENTRY_LIMIT]:
            paid = min(s[reg.ENTRY_LIMIT], dearer(s, c, bars, asked, s[reg.ENTRY_QUANTITY]))
            fill_entry(s, c, bars, sessions, tables, paid, price, price)
    elif s[reg.ENTRY] != reg.NONE and s[reg.ENTRY] != reg.COMING and s[reg.ENTRY_ENDS] <= now:
        end_entry(s, c, tables)
    for number in range(s[reg.STOPS]):
        if tables[number, reg.STOP_STATE] == reg.COMING and tables[number, reg.STOP_AT] <= now:
            tables[number, reg.STOP_STATE] = reg.WORKING
            if known:
                meet_stop(s, c, bars, tables, number, price, price)
    if s[reg.SALE] == reg.CANCELLING and s[reg.SALE_AT] <= now:
        has_two = s[reg.TARGET] == reg.WORKING
        s[reg.STOPS] = s[reg.TARGET] = 0
        s[reg.SALE] = reg.NONE if s[reg.POSITION] == 0 else reg.COMING
        s[reg.SALE_WHOLE] = s[reg.SALE_LEFT] = s[reg.POSITION]
        s[reg.SALE_STEP] = reg.QUANTITY_UNITS if s[reg.POSITION] % reg.QUANTITY_UNITS == 0 else 1
        # The second of two legs is gone with the first; the desk hears of it one latency later.
        s[reg.SALE_AT] = now + (2 if has_two else 1) * c[reg.LATENCY]
    elif s[reg.SALE] == reg.COMING and s[reg.SALE_AT] <= now:
        s[reg.SALE] = reg.WORKING
        if known:
            meet_market(s, c, bars, tables, bid_of(c, price))


@compiled
def run_until(
    s: Integers,
    c: Integers,
    bars: Integers,
    sessions: Integers,
    tables: Integers,
    limit: int,
) -> None:
    """Apply everything before `limit`: points of the open bar, requests, and minutes in which an order continues."""
    while s[reg.REFUSED] == 0:
        requested = next_request(s, tables)
        at, is_point = requested, False
        if is_working(s, tables):
            if s[reg.POINT] < POINTS:
                point = point_of(bars, s[reg.OPENED], s[reg.POINT])
                if point <= at:
                    at, is_point = point, True
            elif is_at_any_price(s, tables):
                minute = (s[reg.NOW] // reg.MINUTE + 1) * reg.MINUTE
                if minute <= at:
                    at, is_point = minute, True
        if at >= limit:
            return
        while s[reg.POINT] < POINTS and point_of(bars, s[reg.OPENED], s[reg.POINT]) < at:
            s[reg.POINT] += 1
        s[reg.NOW] = at
        if not is_point:
            arrive(s, c, bars, sessions, tables)
        elif s[reg.POINT] < POINTS:
            pass_point(s, c, bars, sessions, tables, s[reg.POINT])
            s[reg.POINT] += 1
        elif is_known(s, bars):
            price = last_price(s, c, bars)
            meet_market(s, c, bars, tables, bid_of(c, price))


# ── bars and sessions ────────────────────────────────────────────────────────────────────────────────────────────────


@compiled
def begin(
    s: Integers,
    c: Integers,
    bars: Integers,
    sessions: Integers,
    tables: Integers,
    bar: int,
) -> None:
    """Open a bar at the exchange, and let the orders meet its open."""
    s[reg.OPENED], s[reg.POINT], s[reg.NOW] = bar, 1, bars[reg.START, bar]
    holds = bar > 0 and s[reg.POSITION] > 0 and s[reg.SALE] == reg.NONE
    flat_from = sessions[reg.FLAT_FROM, bars[reg.SESSION, bar]]
    if holds and bars[reg.START, bar - 1] < flat_from and is_after_the_clock(bars, sessions, bar):
        s[reg.REFUSED] = reg.LEFT_BY_THE_CLOCK
    if not is_untouched(s, c, bars, tables, bar) and is_working(s, tables):
        pass_point(s, c, bars, sessions, tables, 0)


@compiled
def end_day(s: Integers, c: Integers, bars: Integers, sessions: Integers, tables: Integers, bar: int) -> None:
    """End the orders of the day; the stop of what is held is asked for again, as one order."""
    if not c[reg.IS_DAILY]:
        if not is_idle(s):
            s[reg.REFUSED] = reg.HELD_OVER_CLOSE
        return
    s[reg.NOW] = max(s[reg.NOW], sessions[reg.CLOSES, s[reg.SESSION_NOW]])
    if s[reg.ENTRY] == reg.WORKING and s[reg.HAS_LEGS] and s[reg.ENTRY_LEFT] < s[reg.ENTRY_QUANTITY]:
        s[reg.REFUSED] = reg.PART_OF_LEGS
    if s[reg.SALE] != reg.NONE:
        s[reg.REFUSED] = reg.SALE_CUT_BY_CLOSE
    s[reg.ENTRY] = s[reg.TARGET] = reg.NONE
    left = 0
    for number in range(s[reg.STOPS]):
        if tables[number, reg.STOP_STATE] == reg.ELECTED:
            s[reg.REFUSED] = reg.STOP_CUT_BY_CLOSE
        if tables[number, reg.STOP_STATE] != reg.NONE:
            left += tables[number, reg.STOP_LEFT]
    s[reg.STOPS] = 0
    if left > 0:
        add_stop(s, tables, reg.WORKING, s[reg.NOW], left)
        # A stop that is asked for again is compared with the last quotes that the desk saw.
        seen = min(bid_of(c, bars[reg.OPEN, bar]), bid_of(c, bars[reg.CLOSE, bar]))
        if s[reg.TRADE_AT] < bars[reg.START, bar]:
            seen = min(seen, bid_of(c, bars[reg.CLOSE, bar - 1]))
        if s[reg.PLAN_STOP] >= seen:
            s[reg.REFUSED] = reg.STOP_AT_QUOTE


@compiled
def valued(s: Integers, bars: Integers, equity: Integers, bar: int) -> int:
    """Write the account at the close of a session's last bar."""
    worth = s[reg.CASH] + s[reg.POSITION] * bars[reg.CLOSE, bar]
    equity[s[reg.SESSION_NOW]] = worth
    return int(worth)


@compiled
def turn_to(
    s: Integers,
    c: Integers,
    bars: Integers,
    sessions: Integers,
    tables: Integers,
    equity: Integers,
    bar: int,
) -> None:
    """End every session before the one of a bar, and begin that: equity, settlement, the day's counts."""
    while s[reg.SESSION_NOW] < bars[reg.SESSION, bar]:
        end_day(s, c, bars, sessions, tables, bar - 1)
        worth = valued(s, bars, equity, bar - 1)
        if sessions[reg.WEEK, s[reg.SESSION_NOW] + 1] != sessions[reg.WEEK, s[reg.SESSION_NOW]]:
            s[reg.WEEK_OPENING] = worth
        s[reg.SESSION_NOW] += 1
        s[reg.UNSETTLED] -= tables[reg.SETTLING_ROW + s[reg.SESSION_NOW], 0]
        s[reg.DAY_OPENING] = tables[reg.SETTLING_ROW + s[reg.SESSION_NOW], 1] = worth
        s[reg.FILLED_TODAY] = s[reg.VALUE_TODAY] = s[reg.LOST_TODAY] = s[reg.SEEN_LOSS] = 0


@compiled
def hear(
    s: Integers,
    c: Integers,
    bars: Integers,
    sessions: Integers,
    signals: Integers,
    tables: Integers,
    equity: Integers,
    bar: int,
) -> bool:
    """Let the desk hear a bar, while the next one opens; return whether an entry has to be sized.

    The next bar trades at its open before the desk decides, and the desk hears of that only later.
    """
    count_closed(s, c, sessions, tables)
    goes_on = bar + 1 < bars.shape[1] and bars[reg.START, bar + 1] == bars[reg.HEARD, bar]
    if goes_on:
        turn_to(s, c, bars, sessions, tables, equity, bar + 1)
    holds, buys, sells = s[reg.POSITION] > 0, s[reg.ENTRY] != reg.NONE, s[reg.SALE] != reg.NONE
    reason = -1
    if holds and not sells:
        reason = reason_to_leave(s, c, bars, sessions, signals, bar)
        if buys and s[reg.HAS_LEGS] and bars[reg.CLOSE, bar] <= s[reg.PLAN_STOP]:
            reason = reg.BY_SIGNAL
        if (reason >= 0 or is_under_stop(s, bars, bar)) and is_at_any_price(s, tables):
            s[reg.REFUSED] = reg.STOP_STILL_FILLS
    if goes_on:
        begin(s, c, bars, sessions, tables, bar + 1)
    if reason >= 0:
        leave(s, c, bars, reason, bar, buys)
    if s[reg.REFUSED] or holds or buys or sells or signals[reg.ENTERS, bar] == 0:
        return False
    return bool(bars[reg.HEARD, bar] >= s[reg.LOCKED_UNTIL] and s[reg.FILLED_TODAY] < c[reg.ENTRIES])


@compiled
def play(
    s: Integers,
    c: Integers,
    bars: Integers,
    sessions: Integers,
    tables: Integers,
    equity: Integers,
    bar: int,
) -> None:
    """Play a bar at the exchange until the desk hears it."""
    if s[reg.OPENED] != bar:
        if s[reg.OPENED] >= 0:
            limit = bars[reg.START, bar]
            if not c[reg.IS_DAILY]:
                limit = min(limit, sessions[reg.CLOSES, s[reg.SESSION_NOW]])
            run_until(s, c, bars, sessions, tables, limit)
        turn_to(s, c, bars, sessions, tables, equity, bar)
        begin(s, c, bars, sessions, tables, bar)
    is_traded = s[reg.POSITION] > 0 or s[reg.LOST_TODAY] > 0
    ends = bars[reg.HEARD, bar]
    if c[reg.IS_DAILY]:
        ends = min(ends, sessions[reg.CLOSES, s[reg.SESSION_NOW]])
    if not is_untouched(s, c, bars, tables, bar):
        run_until(s, c, bars, sessions, tables, ends)
    if is_traded or s[reg.POSITION] > 0 or s[reg.LOST_TODAY] > 0:
        look_at_losses(s, c, bars, bar)


@compiled
def advance(
    s: Integers,
    c: Integers,
    bars: Integers,
    sessions: Integers,
    signals: Integers,
    tables: Integers,
    equity: Integers,
    terms: Integers,
    limits: Floats,
    average: Floats,
    given: Integers,
) -> int:
    """Play bars until the end, or until a pause; return why."""
    count, bar, enters = bars.shape[1], s[reg.BAR], signals[reg.ENTERS]
    if s[reg.PHASE] == reg.TO_SIZE:
        if s[reg.ENTRY] != reg.NONE:
            enter(s, c, bars, sessions, bar)
        bar += 1
    s[reg.PHASE] = reg.DONE
    while bar < count and s[reg.REFUSED] == 0:
        if is_idle(s) and s[reg.LOST_TODAY] == s[reg.SEEN_LOSS]:
            # Nothing is held or works, and no loss is new: only a bar on which an entry is allowed changes anything.
            while bar < count and enters[bar] == 0:
                bar += 1
            turn_to(s, c, bars, sessions, tables, equity, min(bar, count - 1))
            if bar == count:
                break
            if s[reg.FILLED_TODAY] >= c[reg.ENTRIES] and not c[reg.IS_DAILY]:
                bar += 1
                continue
        if s[reg.POSITION] > 0 and not c[reg.IS_DAILY]:
            quiet = first_to_look_at(s, c, bars, sessions, signals, tables, bar)
            if quiet > bar:
                bar = quiet
                s[reg.OPENED], s[reg.POINT], s[reg.NOW] = bar, 1, bars[reg.START, bar]
        if max(s[reg.FILLS], s[reg.TRADES]) + ROOM > reg.ROWS:
            count_closed(s, c, sessions, tables)
            s[reg.BAR] = bar
            return reg.TO_EMPTY
        play(s, c, bars, sessions, tables, equity, bar)
        if s[reg.REFUSED] or (c[reg.IS_DAILY] and bar + 1 == count):
            break
        if hear(s, c, bars, sessions, signals, tables, equity, bar):
            found = sized(s, c, bars, terms, limits, average, given, bar, signals[reg.ENTERS, bar] - 1)
            if found == UNSURE:
                s[reg.BAR], s[reg.PHASE] = bar, reg.TO_SIZE
                return reg.TO_SIZE
            if found != NO:
                s[reg.ENTRY] = reg.COMING if found == SENT else reg.VOID
                enter(s, c, bars, sessions, bar)
        bar += 1
    s[reg.BAR] = bar
    if s[reg.REFUSED]:
        return reg.IS_REFUSED
    finish(s, c, bars, sessions, tables, equity)
    return reg.DONE


@compiled
def finish(
    s: Integers,
    c: Integers,
    bars: Integers,
    sessions: Integers,
    tables: Integers,
    equity: Integers,
) -> None:
    """Let the requests after the last bar reach the exchange, and value the account at the last close."""
    last = bars.shape[1] - 1
    if not c[reg.IS_DAILY] and not is_idle(s):
        limit = min(bars[reg.HEARD, last] + AFTER_THE_END, sessions[reg.CLOSES, s[reg.SESSION_NOW]])
        run_until(s, c, bars, sessions, tables, limit)
    valued(s, bars, equity, last)
