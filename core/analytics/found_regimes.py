"""Closed trades by the states that a saved model gave to the days before their entries (AN-07).

The label of a day was written after its close, so it was known at the entry. Trades that failed in execution stand
apart (EX-18).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.analytics.equity import to_the_cent
from core.analytics.presentation import value_of
from core.model.lazy_dataclass import dataclass
from core.model.position import AnyTrade
from core.model.signal import FAILED
from core.model.values import ZERO, Money

OLDEST = timedelta(days=7)
"""The age of the last label that counts for a trade, as for the desk's own (RK-12)."""
NOT_LABELLED = "not labelled"
FAILED_IN_EXECUTION = "failed in execution"
HEAD = f"  {'state':<22}{'trades':>7}{'wins':>11}{'USD each':>14}{'USD':>16}"


@dataclass(frozen=True, slots=True)
class StateRow:
    """The trades of one state. `profit` is exact USD, `wins` the share of trades above zero."""

    state: str
    trades: int
    wins: float
    profit: Money

    @property
    def expectancy(self) -> Decimal:
        """USD a trade."""
        return self.profit / self.trades


@dataclass(frozen=True, slots=True)
class FoundRegime:
    """One model's table, its rows in the order of the states; those without a state follow."""

    model: str
    rows: tuple[StateRow, ...]

    def lines(self) -> Iterator[str]:
        yield f"by found regime, model {self.model}: state of the last session before the entry, 1 the calmest"
        yield HEAD
        for row in self.rows:
            figures = (value_of(row.wins, "percent"), value_of(float(row.expectancy), "money"))
            wins, each = figures
            yield f"  {row.state:<22}{row.trades:>7}{wins:>11}{each:>14}{value_of(float(row.profit), 'money'):>16}"

    def as_json(self) -> list[dict[str, object]]:
        return [
            {
                "model": self.model,
                "state": row.state,
                "trades": row.trades,
                "win_rate": round(row.wins, 6),
                "expectancy": str(to_the_cent(Money(row.expectancy))),
                "profit": str(to_the_cent(row.profit)),
            }
            for row in self.rows
        ]


def by_state(
    model: str, labels: Mapping[date, int], trades: Sequence[AnyTrade], day_of: Callable[[datetime], date]
) -> FoundRegime:
    """Return the table of a model. `day_of` returns the trading day of a time."""
    days = list(labels)
    found: dict[str, list[Money]] = {}
    for trade in trades:
        day = day_of(trade.entry_time)
        at = bisect_left(days, day)
        is_known = at > 0 and day - days[at - 1] <= OLDEST
        name = f"state {labels[days[at - 1]]}" if is_known else NOT_LABELLED
        found.setdefault(FAILED_IN_EXECUTION if trade.exit_reason in FAILED else name, []).append(trade.profit)
    order = sorted(found, key=lambda name: ((NOT_LABELLED, FAILED_IN_EXECUTION).count(name), len(name), name))
    return FoundRegime(model, tuple(_row(name, found[name]) for name in order))


def _row(name: str, profits: Sequence[Money]) -> StateRow:
    wins = sum(profit > 0 for profit in profits) / len(profits)
    return StateRow(name, len(profits), wins, Money(sum(profits, ZERO)))
