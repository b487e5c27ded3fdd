"""The simulated exchange's orders for one long position, compiled: executions, tables, target, sale, entry (AN-08).

The rules are those of `core.brokers.simulated` (second edition) without recorded quotes. At each point of a bar's path
orders at any price come first, then tables, then limits. Everything is an integer.
"""

from __future__ import annotations

from core.research.kernel import layout as reg
from core.research.kernel.layout import Integers, compiled
from core.research.kernel.quotes import (
    LIMITS_FIRST,
    NO_FEE,
    POINTS,
    TARGET_IN_ENTRY_BAR,
    ask_of,
    bid_of,
    cheaper,
    dearer,
    price_of,
    taken,
)

# ── executions ───────────────────────────────────────────────────────────────────────────────────────────────────────


@compiled
def note(s: Integers, tables: Integers, kind: int, price: int, quantity: int) -> None:
    """Write an execution into its table."""
    row = tables[reg.FILL_ROW + s[reg.FILLS]]
    row[reg.FILL_AT], row[reg.FILL_KIND] = s[reg.NOW], kind
    row[reg.FILL_PRICE], row[reg.FILL_QUANTITY] = price, quantity
    s[reg.FILLS] += 1


@compiled
def bought(s: Integers, c: Integers, tables: Integers, sessions: Integers, price: int, quantity: int) -> None:
    """Book a part of the entry."""
    fee = 0 if c[reg.FAULT] == NO_FEE else c[reg.FEE] * quantity
    s[reg.CASH] -= price * quantity + fee
    if s[reg.POSITION] == 0:
        s[reg.TRADE_AT], s[reg.TRADE_DAY] = s[reg.NOW], sessions[reg.DAY, s[reg.SESSION_NOW]]
        s[reg.TRADE_QUANTITY] = s[reg.TRADE_COST] = s[reg.TRADE_PROCEEDS] = s[reg.TRADE_FEES] = 0
        s[reg.TRADE_PRICE], s[reg.TRADE_IS_ROUNDED] = price, 0
    elif price != s[reg.TRADE_PRICE]:
        s[reg.TRADE_IS_ROUNDED] = 1
    if s[reg.ENTRY_LEFT] == s[reg.ENTRY_QUANTITY]:
        s[reg.FILLED_TODAY] += 1
    s[reg.POSITION] += quantity
    s[reg.TRADE_QUANTITY] += quantity
    s[reg.TRADE_COST] += price * quantity
    s[reg.TRADE_FEES] += fee
    s[reg.VALUE_TODAY] += price * quantity
    s[reg.ENTRY_LEFT] -= quantity
    note(s, tables, reg.BUYS, price, quantity)


@compiled
def sold(
    s: Integers,
    c: Integers,
    tables: Integers,
    kind: int,
    reason: int,
    price: int,
    quantity: int,
) -> None:
    """Book a part of an exit; the last one ends the trade."""
    fee = 0 if c[reg.FAULT] == NO_FEE else c[reg.FEE] * quantity
    proceeds = price * quantity - fee
    s[reg.CASH] += proceeds
    if c[reg.SETTLES]:
        s[reg.UNSETTLED] += proceeds
        tables[reg.SETTLING_ROW + s[reg.SESSION_NOW] + c[reg.SETTLES], 0] += proceeds
    s[reg.POSITION] -= quantity
    s[reg.TRADE_PROCEEDS] += price * quantity
    s[reg.TRADE_FEES] += fee
    s[reg.TRADE_IS_ROUNDED] = 1
    note(s, tables, kind, price, quantity)
    if s[reg.POSITION] > 0:
        return
    row = tables[reg.TRADE_ROW + s[reg.TRADES]]
    row[reg.ENTERED_AT], row[reg.LEFT_AT], row[reg.TRADED] = s[reg.TRADE_AT], s[reg.NOW], s[reg.TRADE_QUANTITY]
    row[reg.COST], row[reg.PROCEEDS] = s[reg.TRADE_COST], s[reg.TRADE_PROCEEDS]
    row[reg.FEES], row[reg.REASON] = s[reg.TRADE_FEES], reason
    s[reg.TRADES] += 1
    s[reg.LOST_TODAY] += max(s[reg.TRADE_COST] + s[reg.TRADE_FEES] - s[reg.TRADE_PROCEEDS], 0)
    s[reg.STOPS] = s[reg.TARGET] = 0


# ── exits at the exchange ────────────────────────────────────────────────────────────────────────────────────────────


@compiled
def stopped(
    s: Integers,
    c: Integers,
    bars: Integers,
    tables: Integers,
    number: int,
    price: int,
) -> None:
    """Fill what an elected stop gets at this price."""
    tables[number, reg.STOP_STATE] = reg.ELECTED
    quantity = taken(s, c, bars, tables[number, reg.STOP_STEP], tables[number, reg.STOP_LEFT])
    if quantity <= 0:
        return
    if s[reg.ENTRY] == reg.WORKING:
        s[reg.REFUSED] = reg.STOPPED_WHILE_BUYING
    tables[number, reg.STOP_LEFT] -= quantity
    if tables[number, reg.STOP_LEFT] == 0:
        tables[number, reg.STOP_STATE] = reg.NONE
    if s[reg.TARGET]:
        s[reg.TARGET_LEFT] -= quantity
        s[reg.TARGET] = reg.WORKING if s[reg.TARGET_LEFT] > 0 else reg.NONE
    sold(s, c, tables, reg.STOPS_OUT, reg.BY_STOP, price, quantity)


@compiled
def meet_stop(
    s: Integers,
    c: Integers,
    bars: Integers,
    tables: Integers,
    number: int,
    begins: int,
    ends: int,
) -> None:
    """Let a stop meet a part of the path: elected at its price, or at the open that gapped through it."""
    if min(begins, ends) <= s[reg.PLAN_STOP]:
        elected_at = bid_of(c, min(s[reg.PLAN_STOP], begins))
        price = cheaper(s, c, bars, elected_at, tables[number, reg.STOP_WHOLE])
        stopped(s, c, bars, tables, number, price)


@compiled
def meet_target(
    s: Integers,
    c: Integers,
    bars: Integers,
    tables: Integers,
    number: int,
    begins: int,
    ends: int,
    before: int,
) -> None:
    """Let the target meet a part of the path; in the bar of its entry only the close fills it, at its limit."""
    limit = s[reg.PLAN_TARGET]
    first, last = bid_of(c, begins), bid_of(c, ends)
    is_fresh = s[reg.FRESH_BAR] == s[reg.OPENED] and c[reg.FAULT] != TARGET_IN_ENTRY_BAR
    if is_fresh:
        if number != POINTS - 1 or last < limit:
            return
        price = limit
    else:
        if max(first, last) < limit:
            return
        worst = min(first, last)
        if before:
            worst = min(worst, bid_of(c, before))
        if s[reg.TARGET_HIT]:
            worst = min(worst, limit)
        price = max(limit, cheaper(s, c, bars, worst, s[reg.ENTRY_QUANTITY]))
    quantity = taken(s, c, bars, reg.QUANTITY_UNITS, s[reg.TARGET_LEFT])
    s[reg.TARGET_HIT] = 1 if price == limit else 0
    if quantity <= 0:
        return
    s[reg.TARGET_LEFT] -= quantity
    tables[0, reg.STOP_LEFT] -= quantity
    if s[reg.TARGET_LEFT] == 0:
        s[reg.TARGET] = tables[0, reg.STOP_STATE] = reg.NONE
    sold(s, c, tables, reg.TAKES_PROFIT, reg.BY_TARGET, price, quantity)


@compiled
def meet_market(
    s: Integers,
    c: Integers,
    bars: Integers,
    tables: Integers,
    quoted: int,
) -> None:
    """Let stops that were elected before, and a sale, continue at this quote."""
    for number in range(s[reg.STOPS]):
        if tables[number, reg.STOP_STATE] == reg.ELECTED:
            price = cheaper(s, c, bars, quoted, tables[number, reg.STOP_WHOLE])
            stopped(s, c, bars, tables, number, price)
    if s[reg.SALE] == reg.WORKING:
        quantity = taken(s, c, bars, s[reg.SALE_STEP], s[reg.SALE_LEFT])
        if quantity > 0:
            s[reg.SALE_LEFT] -= quantity
            if s[reg.SALE_LEFT] == 0:
                s[reg.SALE] = reg.NONE
            price = cheaper(s, c, bars, quoted, s[reg.SALE_WHOLE])
            sold(s, c, tables, reg.SELLS, s[reg.SALE_REASON], price, quantity)


# ── the entry ────────────────────────────────────────────────────────────────────────────────────────────────────────


@compiled
def add_stop(s: Integers, tables: Integers, state: int, at: int, quantity: int) -> None:
    """Add a stop for bought shares; it is on its way, or working already as a leg."""
    if s[reg.STOPS] == reg.MOST_STOPS:
        s[reg.REFUSED] = reg.TOO_MANY_STOPS
        return
    row = tables[s[reg.STOPS]]
    row[reg.STOP_STATE], row[reg.STOP_AT], row[reg.STOP_LEFT] = state, at, quantity
    row[reg.STOP_WHOLE] = quantity
    row[reg.STOP_STEP] = reg.QUANTITY_UNITS if quantity % reg.QUANTITY_UNITS == 0 else 1
    s[reg.STOPS] += 1


@compiled
def fill_entry(
    s: Integers,
    c: Integers,
    bars: Integers,
    sessions: Integers,
    tables: Integers,
    price: int,
    begins: int,
    ends: int,
) -> None:
    """Fill what the entry gets at this price; its stop follows, and legs meet the rest of the path at once."""
    quantity = taken(s, c, bars, s[reg.ENTRY_STEP], s[reg.ENTRY_LEFT])
    if quantity <= 0:
        return
    bought(s, c, tables, sessions, price, quantity)
    if bars[reg.START, s[reg.OPENED]] <= s[reg.NOW] < bars[reg.END, s[reg.OPENED]]:
        s[reg.FRESH_BAR] = s[reg.OPENED]
    if s[reg.ENTRY_LEFT] == 0:
        s[reg.ENTRY] = reg.NONE
    if not s[reg.HAS_LEGS]:
        add_stop(s, tables, reg.COMING, s[reg.NOW] + 2 * c[reg.LATENCY], quantity)
        return
    if s[reg.ENTRY_LEFT] == 0:
        add_stop(s, tables, reg.WORKING, s[reg.NOW], s[reg.ENTRY_QUANTITY])
        s[reg.TARGET] = reg.WORKING if s[reg.PLAN_TARGET] else reg.NONE
        s[reg.TARGET_LEFT], s[reg.TARGET_HIT] = s[reg.ENTRY_QUANTITY], 0
        meet_stop(s, c, bars, tables, 0, min(begins, s[reg.ENTRY_LIMIT]), ends)


@compiled
def meet_entry(
    s: Integers,
    c: Integers,
    bars: Integers,
    sessions: Integers,
    tables: Integers,
    begins: int,
    ends: int,
    before: int,
) -> None:
    """Let the entry's limit meet each quote of a part of the path."""
    limit = s[reg.ENTRY_LIMIT]
    first, last = ask_of(c, begins), ask_of(c, ends)
    if min(first, last) > limit:
        return
    worst = max(first, last)
    if before:
        worst = max(worst, ask_of(c, before))
    if s[reg.ENTRY_HIT]:
        worst = max(worst, limit)
    price = min(limit, dearer(s, c, bars, worst, s[reg.ENTRY_QUANTITY]))
    s[reg.ENTRY_HIT] = 1 if price == limit else 0
    fill_entry(s, c, bars, sessions, tables, price, begins, ends)


# ── one point of a path ──────────────────────────────────────────────────────────────────────────────────────────────


@compiled
def pass_point(
    s: Integers,
    c: Integers,
    bars: Integers,
    sessions: Integers,
    tables: Integers,
    number: int,
) -> None:
    """Let every order meet the path up to a point: those at any price first, then tables, then limits."""
    bar = s[reg.OPENED]
    ends = price_of(c, bars, bar, number)
    begins = price_of(c, bars, bar, max(number - 1, 0))
    before = 0
    if number == 0 and bar > 0 and bars[reg.START, bar] - bars[reg.START, bar - 1] <= reg.PAUSE:
        before = bars[reg.CLOSE, bar - 1]
    is_turned = c[reg.FAULT] == LIMITS_FIRST
    meet_market(s, c, bars, tables, min(bid_of(c, begins), bid_of(c, ends)))
    if is_turned and s[reg.TARGET] == reg.WORKING:
        meet_target(s, c, bars, tables, number, begins, ends, before)
    for each in range(s[reg.STOPS]):
        if tables[each, reg.STOP_STATE] == reg.WORKING:
            meet_stop(s, c, bars, tables, each, begins, ends)
    if not is_turned and s[reg.TARGET] == reg.WORKING:
        meet_target(s, c, bars, tables, number, begins, ends, before)
    if s[reg.ENTRY] == reg.WORKING:
        meet_entry(s, c, bars, sessions, tables, begins, ends, before)
