"""Figures that the desk sums up over rows: the positions together, and the results of each period (AN-01)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

from core.analytics.presentation import ROLLING
from core.model.lazy_dataclass import dataclass
from core.model.values import NO_MONEY, ZERO, Money
from core.views.results import ClosedRow, DayRow
from core.views.rows import PositionRow

TODAY, WEEK, QUARTER = "today", "this week", f"{ROLLING} sessions"


@dataclass(frozen=True, slots=True)
class PositionSums:
    """The positions together, USD, over those with a price.

    Attributes
    ----------
    short
        What is held short, negative.
    profit, profit_fraction
        Open profit, and as a fraction of the opening cost; None without a known one.
    without_price
        The number of positions that are in no sum.
    """

    long: Money
    short: Money
    profit: Money | None
    profit_fraction: Decimal | None
    without_price: int

    @property
    def value(self) -> Money:
        """Return what is held on both sides."""
        return Money(self.long - self.short)

    @property
    def net(self) -> Money:
        return Money(self.long + self.short)


def position_sums(rows: Sequence[PositionRow]) -> PositionSums:
    values = [row.value for row in rows if row.value is not None]
    known = [(row.profit, row.paid) for row in rows if row.profit is not None]
    profit, paid = sum((made for made, _ in known), ZERO), sum((paid for _, paid in known), ZERO)
    return PositionSums(
        long=Money(sum((value for value in values if value > 0), ZERO)),
        short=Money(sum((value for value in values if value < 0), ZERO)),
        profit=Money(profit) if known else None,
        profit_fraction=profit / paid if paid else None,
        without_price=len(rows) - len(values),
    )


@dataclass(frozen=True, slots=True)
class Period:
    """Days from the first to the last, both included."""

    name: str
    first: date
    last: date
    is_month: bool = False

    def of(self, days: Sequence[DayRow]) -> list[DayRow]:
        return [row for row in days if self.first <= row.day <= self.last]


def periods(days: Sequence[DayRow], today: date) -> list[Period]:
    """Return today, this week, this month, the last 63 sessions if so many are known, and each earlier known month,
    backwards.
    """
    found = [
        Period(TODAY, today, today),
        Period(WEEK, today - timedelta(days=today.weekday()), today),
        Period(f"{today:%B %Y}", today.replace(day=1), today, True),
    ]
    if len(days) >= ROLLING:
        found.append(Period(QUARTER, days[-ROLLING].day, today))
    oldest, first = min((row.day for row in days), default=today), today.replace(day=1)
    while oldest < first:
        last = first - timedelta(days=1)
        first = last.replace(day=1)
        found.append(Period(f"{first:%B %Y}", first, last, True))
    return found


def by_strategy(days: Sequence[DayRow]) -> list[ClosedRow]:
    """Sum the closed trades of each strategy over all days, in order of first appearance."""
    sums: dict[str, ClosedRow] = {}
    for row in (closed for day in days for closed in day.closed):
        so_far = sums.get(row.strategy, ClosedRow(row.strategy, 0, 0, NO_MONEY))
        sums[row.strategy] = ClosedRow(
            row.strategy,
            so_far.trades + row.trades,
            so_far.wins + row.wins,
            Money(so_far.profit + row.profit),
            so_far.failed + row.failed,
            Money(so_far.failed_profit + row.failed_profit),
        )
    return list(sums.values())


def together(rows: Sequence[ClosedRow]) -> ClosedRow:
    """Sum the rows of all strategies."""
    return ClosedRow(
        "all",
        sum(row.trades for row in rows),
        sum(row.wins for row in rows),
        Money(sum((row.profit for row in rows), NO_MONEY)),
        sum(row.failed for row in rows),
        Money(sum((row.failed_profit for row in rows), NO_MONEY)),
    )


def worths(period: Period, days: Sequence[DayRow], equity_now: Money | None) -> list[Money]:
    """Return the known equity at the start of each day, and at the end of the last."""
    inside = [row.equity for row in period.of(days) if row.equity is not None]
    after = next((row.equity for row in days if row.day > period.last and row.equity is not None), equity_now)
    return [*inside, after] if inside and after is not None else inside


def growth(worth: Sequence[Money]) -> Decimal | None:
    """Return the change from the first figure to the last, as a fraction of the first."""
    return (worth[-1] - worth[0]) / worth[0] if worth and worth[0] else None


def drawdown(worth: Sequence[Money]) -> Decimal:
    """Return the deepest fall below the previous maximum, as a fraction of it, from the known figures."""
    highest, deepest = Decimal(0), Decimal(0)
    for each in worth:
        highest = max(highest, each)
        deepest = max(deepest, (highest - each) / highest if highest > 0 else Decimal(0))
    return deepest


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """A period's results, USD; `change_fraction` and `drawdown` are of the equity by day, None without two figures.

    `trades`, `wins` and `profit` are without trades that failed in execution (EX-18).
    """

    period: str
    first: date
    last: date
    trades: int
    wins: int
    profit: Money
    equity_before: Money | None
    equity_after: Money | None
    change_fraction: Decimal | None
    drawdown: Decimal | None
    failed: int = 0
    failed_profit: Money = NO_MONEY


@dataclass(frozen=True, slots=True)
class PeriodStrategyRow:
    """The closed trades of a strategy, or of manual trading, in one period; `profit` in USD.

    Those that failed in execution are in the last two figures alone (EX-18).
    """

    period: str
    strategy: str
    trades: int
    wins: int
    profit: Money
    failed: int = 0
    failed_profit: Money = NO_MONEY


def period_rows(days: Sequence[DayRow], today: date, equity_now: Money | None) -> Iterator[PeriodRow]:
    """Yield the sums of each period as the results show them."""
    for period in periods(days, today):
        closed, worth = together(by_strategy(period.of(days))), worths(period, days, equity_now)
        is_known = len(worth) > 1
        yield PeriodRow(
            period.name,
            period.first,
            period.last,
            closed.trades,
            closed.wins,
            closed.profit,
            worth[0] if is_known else None,
            worth[-1] if is_known else None,
            growth(worth) if is_known else None,
            drawdown(worth) if is_known else None,
            closed.failed,
            closed.failed_profit,
        )


def period_strategy_rows(days: Sequence[DayRow], today: date) -> Iterator[PeriodStrategyRow]:
    """Yield the sums of each strategy in each period."""
    for period in periods(days, today):
        for row in by_strategy(period.of(days)):
            yield PeriodStrategyRow(
                period.name, row.strategy, row.trades, row.wins, row.profit, row.failed, row.failed_profit
            )
