"""Months of a desk drawn from a seed: its facts, and beside them the plain tables that a test reads with pandas.

Positions are closed in parts, some of them on later days, and some trades fail in execution. Equity follows chance and
has transfers. The facts go to slices and measures; no engine runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any

import pandas as pd

from core.execution.fee_days import FeeDays
from core.facts import CashMoved, DayStarted, Fact, OrderFilled, TradeClosed
from core.facts.orders import Source
from core.market.calendar import ExchangeCalendar, load_calendar
from core.model.position import Fill, Trade
from core.model.reconciliation import ActivityId, ActivityKind
from core.model.session import HOME
from core.model.signal import FAILED, ExitReason
from core.model.sizing import RegimeLabels, VixLevel
from core.model.values import ClientOrderId, ExecutionId, Money, Price, Quantity, Symbol
from core.ports import Recorded
from core.trading_state.account_history import DayResults

CALENDAR: ExchangeCalendar = load_calendar(date(2024, 1, 2), date(2024, 12, 31))
DAYS = [session.day for session in CALENDAR.sessions()]
BEGAN = Decimal(100_000)
STRATEGIES, SYMBOLS = ("vwap", "sma", "manual"), ("SPY", "QQQ", "IBM")
GOOD = [each for each in ExitReason if each not in FAILED]
A_FAILURE = 0.15
ONE, PRICE = Quantity(Decimal(1)), Price(Decimal(100))


@dataclass
class Months:
    """The facts in their order, and the tables.

    Attributes
    ----------
    trades, fills
        A row each: `profit` of a trade and of a fill, exact.
    closes
        The account at each close, USD, with what was paid in since the one before.
    """

    records: list[Recorded] = field(default_factory=list)
    trades: list[dict[str, Any]] = field(default_factory=list)
    fills: list[dict[str, Any]] = field(default_factory=list)
    closes: list[dict[str, Any]] = field(default_factory=list)
    made: dict[ExecutionId, tuple[str, str, Money]] = field(default_factory=dict)

    def add(self, at: datetime, fact: Fact) -> None:
        self.records.append(Recorded(len(self.records), at, fact))

    def frames(self) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        return pd.DataFrame(self.trades), pd.DataFrame(self.fills), pd.DataFrame(self.closes)

    def results(self) -> DayResults:
        """Return the slice of the daily results after all facts."""
        results = DayResults(HOME.day_of, lambda fact: self.made[fact.fill.execution_id], lambda _order: None, local)
        for record in self.records:
            if (fold := results.folds.get(type(record.fact))) is not None:
                fold(record.at, record.fact)
        return results


def drawn_months(seed: int, sessions: int = 130) -> Months:
    chance, found, days = Random(seed), Months(), DAYS[: sessions + 1]
    equity = BEGAN
    found.closes.append({"day": days[0], "equity": equity, "moved": Decimal(0)})
    facts: list[tuple[datetime, int, Fact]] = []
    for before, day in pairwise(days):
        facts.append((at(day, time(8)), 0, DayStarted(day, Money(equity), before)))
        moved = Decimal(chance.choice((5000, -3000))) if chance.random() < 0.03 else Decimal(0)
        if moved:
            cash = CashMoved(ActivityId(f"t{day}"), day, ActivityKind.TRANSFER, Money(moved), None, "")
            facts.append((at(day, time(20)), 1, cash))
        change = Decimal(str(round(chance.gauss(0.0005, 0.01), 6)))
        equity = (equity * (1 + change) + moved).quantize(Decimal("0.01"))
        found.closes.append({"day": day, "equity": equity, "moved": moved})
    last = days[-1] + timedelta(days=1)
    facts.append((at(last, time(8)), 0, DayStarted(last, Money(equity), days[-1])))
    free = dict.fromkeys(((strategy, symbol) for strategy in STRATEGIES for symbol in SYMBOLS), days[0])
    for place, day in enumerate(days[1:-3], 1):
        for pair, until in free.items():
            if until < day and chance.random() < 0.25:
                ends = place + chance.choice((0, 0, 0, 1, 2))
                free[pair] = days[ends]
                facts += _trade(chance, found, pair, days[place : ends + 1])
    for moment, _, fact in sorted(facts, key=lambda each: each[:2]):
        found.add(moment, fact)
    return found


def at(day: date, clock: time) -> datetime:
    return HOME.at(day, clock)


def _trade(
    chance: Random, found: Months, pair: tuple[str, str], days: list[date]
) -> Iterator[tuple[datetime, int, Fact]]:
    """Yield an entry with its fee, a part closed on each day, the rest on the last one, and the trade."""
    strategy, symbol = pair
    name = f"{symbol}-{strategy}-{days[0]}"
    begins = at(days[0], time(9, 30)) + timedelta(minutes=chance.randrange(0, 270))
    moments = [begins + timedelta(minutes=chance.randrange(1, 60)) + (day - days[0]) for day in days]
    profits = [Decimal(chance.randint(-400_000, 430_000)) / 10_000 for _ in days]
    is_failed = chance.random() < A_FAILURE
    whole = Decimal(0)
    for number, (moment, profit) in enumerate(zip([begins, *moments], [Decimal("-0.0125"), *profits], strict=True)):
        execution = ExecutionId(f"{name}-{number}")
        found.made[execution] = strategy, symbol, Money(profit)
        row = {"day": HOME.day_of(moment), "strategy": strategy, "profit": profit, "failed": is_failed}
        found.fills.append(row)
        whole += profit
        yield (
            moment,
            2,
            OrderFilled(Fill(execution, ClientOrderId(name), moment, ONE, PRICE), ONE, Source.STREAM, False),
        )
    reason = chance.choice((ExitReason.EXECUTION_ERROR, ExitReason.BROKER_REJECT) if is_failed else GOOD)
    level = chance.choice((None, VixLevel.LOW, VixLevel.HIGH))
    trade = Trade(
        Symbol(symbol), strategy, ClientOrderId(name), ClientOrderId(f"{name}-x"), begins, PRICE, ONE, moments[-1],
        PRICE, reason, None, None, None, Money(whole), Money(Decimal(0)),
        regime=None if level is None else RegimeLabels(level, None, None),
    )  # fmt: skip
    found.trades.append(
        {
            "day": HOME.day_of(moments[-1]),
            "closed_at": moments[-1],
            "strategy": strategy,
            "symbol": symbol,
            "half_hour": f"{(clock := HOME.local(begins)):%H}:{clock.minute // 30 * 30:02}",
            "regime": "not known" if level is None else f"VIX {level.value}",
            "reason": reason.value,
            "profit": whole,
            "failed": is_failed,
        }
    )
    yield moments[-1], 3, TradeClosed(trade)


def local(moment: datetime) -> time:
    return HOME.local(moment).time()


def fee_days() -> FeeDays:
    return FeeDays(CALENDAR.session_on)
