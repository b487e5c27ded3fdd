"""Profit by month and the calendar of daily profits: the change of equity less cash and shares moved (AN-01)."""

from __future__ import annotations

from calendar import Calendar, day_abbr
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from core.analytics.account_days import AccountDay
from core.analytics.wording import NONE
from core.model.values import ZERO, Money

WEEKDAYS = 5
SHADES = " ░▒▓█"
"""By `shade_of`."""
HEAD = ("month", "profit, USD", "sessions", "best day", "worst day")
SHOWN = 3
"""Months in the calendar of a page of text, the newest of them."""
NAME, CELL = 10, 13


@dataclass(frozen=True, slots=True)
class ProfitMonth:
    """A calendar month.

    Attributes
    ----------
    days
        Each session with its profit, USD; None where its close or the one before was not recorded.
    """

    year: int
    month: int
    days: tuple[tuple[date, Money | None], ...]

    @property
    def name(self) -> str:
        return f"{self.year}-{self.month:02}"

    @property
    def known(self) -> tuple[Money, ...]:
        return tuple(profit for _, profit in self.days if profit is not None)

    @property
    def profit(self) -> Money | None:
        """USD, of the sessions that are known; None where none is."""
        return Money(sum(self.known, ZERO)) if self.known else None

    @property
    def weeks(self) -> list[list[date]]:
        """The weeks with a session, Monday to Friday, with days of the months before and after."""
        sessions = {day for day, _ in self.days}
        weeks = (week[:WEEKDAYS] for week in Calendar().monthdatescalendar(self.year, self.month))
        return [week for week in weeks if not sessions.isdisjoint(week)]


def months_of(closes: Sequence[AccountDay]) -> tuple[ProfitMonth, ...]:
    """The months of these closes in their order; the first close only begins the series.

    Where a close is missing, its profit is in that of no session: the two closes around it are not compared.
    """
    found: dict[tuple[int, int], list[tuple[date, Money | None]]] = {}
    for before, day in pairwise(closes):
        profit = None
        if before.equity is not None and day.equity is not None:
            profit = Money(day.equity - before.equity - day.moved)
        found.setdefault((day.day.year, day.day.month), []).append((day.day, profit))
    return tuple(ProfitMonth(year, month, tuple(days)) for (year, month), days in found.items())


def month_rows(months: Sequence[ProfitMonth]) -> list[tuple[str, ...]]:
    """A row for each month, as `HEAD` names its cells."""
    return [
        (
            each.name,
            _usd(each.profit),
            f"{len(each.known)} of {len(each.days)}" if len(each.known) < len(each.days) else f"{len(each.days)}",
            _usd(max(each.known, default=None)),
            _usd(min(each.known, default=None)),
        )
        for each in months
    ]


def calendar_lines(months: Sequence[ProfitMonth]) -> Iterator[str]:
    """The newest months, a line a week, Monday to Friday: profit and a shade of its size."""
    shown = months[-SHOWN:]
    largest = largest_of(shown)
    for each in shown:
        profits = dict(each.days)
        yield f"{each.name:<{NAME}}" + "".join(f"{day:>{CELL}}" for day in list(day_abbr)[:WEEKDAYS])
        for week in each.weeks:
            yield f"{'':<{NAME}}" + "".join(f"{_cell(day, profits, largest):>{CELL}}" for day in week)


def largest_of(months: Sequence[ProfitMonth]) -> Decimal:
    return max((abs(profit) for each in months for profit in each.known), default=ZERO)


def shade_of(profit: Decimal, largest: Decimal) -> int:
    """Return the quarter of the largest profit or loss that it is in, 1 to 4; 0 without a profit or loss."""
    return min(4, 1 + int(abs(profit) / largest * 4)) if profit else 0


def _cell(day: date, profits: Mapping[date, Money | None], largest: Decimal) -> str:
    if day not in profits:
        return ""
    profit = profits[day]
    if profit is None:
        return f"{day.day:>2} ?"
    return f"{day.day:>2} {_short(profit)}{SHADES[shade_of(profit, largest)]}"


def _short(profit: Money) -> str:
    """In nine characters: with cents, with dollars from 10,000 on, in thousands or millions from a million on."""
    for below, unit, sign in ((10_000, 0, ""), (1_000_000, 1, ""), (1_000_000_000, 1000, "k")):
        if abs(profit) < below:
            return f"{profit / unit:+,.0f}{sign}" if unit else f"{profit:+,.2f}"
    return f"{profit / 1_000_000:+,.0f}M"


def _usd(profit: Money | None) -> str:
    return NONE if profit is None else f"{profit:+,.2f}"
