"""The slice of daily results: realized profit by strategy (including manual), and the account's equity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from core.facts import DayCorrected, DayStarted, OrderFilled, TradeClosed
from core.model.position import AnyTrade
from core.model.values import NO_MONEY, Money

KEPT = 400
"""Days, more than a year of sessions: the oldest is removed for each new one."""


@dataclass(slots=True)
class Closed:
    """The results of one strategy on one day. A trade whose first exit failed is no win (EX-18).

    `realised` is the profit of its fills, partial exits included, less fees, USD (AN-01).
    """

    trades: int = 0
    wins: int = 0
    realised: Money = NO_MONEY


@dataclass(slots=True)
class DayResult:
    """`equity` is the opening equity, USD: the broker's figure for the previous close."""

    equity: Money | None = None
    closed: dict[str, Closed] = field(default_factory=dict)


@dataclass(slots=True)
class DayResultsState:
    """`changes` counts changes, so that a reader can skip an unchanged state."""

    days: dict[date, DayResult] = field(default_factory=dict)
    changes: int = 0


class DayResults:
    """`day_of` returns the trading day of an instant, `realised` a fill's strategy and realized profit, USD."""

    name = "day_results"

    def __init__(
        self, day_of: Callable[[datetime], date], realised: Callable[[OrderFilled], tuple[str, Money]]
    ) -> None:
        self._day_of = day_of
        self._realised = realised
        self.state = DayResultsState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            DayStarted: self._started,
            DayCorrected: self._started,
            OrderFilled: self._filled,
            TradeClosed: self._closed,
        }

    def restore(self, state: DayResultsState) -> None:
        self.state = state

    def _on(self, day: date) -> DayResult:
        days = self.state.days
        self.state.changes += 1
        if day not in days:
            days[day] = DayResult()
            while len(days) > KEPT:
                del days[min(days)]
        return days.get(day, DayResult())

    def _started(self, _at: datetime, fact: DayStarted | DayCorrected) -> None:
        self._on(fact.day).equity = fact.equity

    def _filled(self, _at: datetime, fact: OrderFilled) -> None:
        strategy, amount = self._realised(fact)
        if amount:
            closed = self._on(self._day_of(fact.fill.at)).closed.setdefault(strategy, Closed())
            closed.realised = Money(closed.realised + amount)

    def _closed(self, _at: datetime, fact: TradeClosed) -> None:
        trade: AnyTrade = fact.trade
        closed = self._on(self._day_of(trade.exit_time)).closed.setdefault(trade.strategy, Closed())
        closed.trades += 1
        closed.wins += trade.profit > 0 and not trade.is_failed
