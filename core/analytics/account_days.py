"""The account at each close, and its profit by month and day (AN-01).

The facts of the following day have the broker's figures for a close. A close that was not recorded stays missing: it
makes no return.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from calendar import Calendar, day_abbr
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import date
from decimal import Decimal
from itertools import pairwise

from core.analytics.presentation import NONE
from core.analytics.windows import A_CENT, DayOfEquity
from core.execution.fee_days import FeeDays
from core.facts import CashMoved, DayCorrected, DayStarted, SharesMoved
from core.model.instrument import share
from core.model.lazy_dataclass import dataclass
from core.model.reconciliation import ActivityKind
from core.model.values import NO_MONEY, ZERO, Money
from core.ports import Recorded


@dataclass(frozen=True, slots=True)
class AccountDay:
    """The close of a session, USD.

    Attributes
    ----------
    equity
        The broker's figure, less the fees until then that it took later; None if it was not recorded.
    is_first_figure
        The broker reported no close: it is the first figure of the following day.
    moved
        Net cash and shares transferred since the previous close; not a result of trading.
    charged
        The fees without an order that name this day, below zero: in the equity, in no trade.
    """

    day: date
    equity: Money | None
    is_first_figure: bool = False
    moved: Money = NO_MONEY
    charged: Money = NO_MONEY


NOT_RECORDED: tuple[Money | None, bool] = None, False
"""A close: its equity, and whether that is the first figure of the following day."""


@dataclass(slots=True)
class AccountFacts:
    """The account's closes by day, and its transfers by the broker's date, USD.

    `fees` says on which day a fee counts; `unpriced` counts the transfers of shares of unknown value.
    """

    sessions: Sequence[date]
    fees: FeeDays
    closes: dict[date, tuple[Money | None, bool]] = field(default_factory=dict)
    moved: defaultdict[date, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    unpriced: int = 0

    def take(self, record: Recorded) -> None:
        """Add a record; a later figure for a close replaces an earlier one."""
        self.fees.take(record.at, record.fact)
        match record.fact:
            case DayStarted(day=day, equity=equity, close_of=None):
                before = bisect_left(self.sessions, day) - 1
                if before >= 0:
                    self.closes[self.sessions[before]] = (equity, True)
            case DayStarted(equity=equity, close_of=day) | DayCorrected(equity=equity, close_of=day) if day is not None:
                self.closes[day] = (equity, False)
            case CashMoved(kind=ActivityKind.TRANSFER) as cash:
                self.moved[cash.day] += cash.amount
            case SharesMoved(kind=ActivityKind.SHARES) as shares:
                self.unpriced += shares.price is None
                if shares.price is not None:
                    self.moved[shares.day] += share(shares.symbol).notional(shares.quantity, shares.price)


def account_days(facts: AccountFacts, first: date, last: date) -> tuple[AccountDay, ...]:
    """Return a row per session, from the close before `first` to the last recorded one up to `last`, none left out."""
    sessions = facts.sessions
    begin = max(bisect_left(sessions, first) - 1, 0)
    span = [day for day in sessions[begin:] if day <= last]
    known = [number for number, day in enumerate(span) if day in facts.closes]
    if not known:
        return ()
    span = span[known[0] : known[-1] + 1]
    moved = _by_session(facts.moved, span) | {span[0]: NO_MONEY}
    return tuple(AccountDay(day, *_close(facts, day), moved[day], facts.fees.charged_on(day)) for day in span)


def _close(facts: AccountFacts, day: date) -> tuple[Money | None, bool]:
    """Return the close with the fees that belong to it; a first figure may have them already."""
    equity, is_first_figure = facts.closes.get(day, NOT_RECORDED)
    if equity is None or is_first_figure:
        return equity, is_first_figure
    return Money(equity + facts.fees.owed_at(day)), False


def _by_session(moved: Mapping[date, Decimal], span: Sequence[date]) -> dict[date, Money]:
    """Sum transfers by session; one on a day without a session is in the next close."""
    sums: defaultdict[date, Decimal] = defaultdict(lambda: ZERO)
    for day, amount in moved.items():
        place = bisect_left(span, day)
        if place < len(span):
            sums[span[place]] += amount
    return {day: Money(sums[day]) for day in span}


def growth(days: Sequence[AccountDay]) -> list[DayOfEquity]:
    """Return the growth of the first equity; each return is (equity − transfers) / previous equity − 1, linked.

    The time-weighted return, with transfers taken as of the close: C. R. Bacon, "Practical Portfolio Performance
    Measurement and Attribution", 2nd ed. (2008). NaN if a close is missing, and after an equity of zero or less.
    """
    series: list[DayOfEquity] = []
    scale, before, moved = 1.0, math.inf, 0.0
    for day in days:
        moved += float(day.moved)
        if day.equity is None:
            series.append(DayOfEquity(day.day, math.nan))
            continue
        equity = float(day.equity)
        worth = scale * (equity - moved) if before > 0 else math.nan
        series.append(DayOfEquity(day.day, worth, cent=scale * A_CENT))
        if moved or before <= 0:
            scale = worth / equity if equity else math.nan
        before, moved = equity, 0.0
    return series


def missing(days: Iterable[AccountDay]) -> tuple[date, ...]:
    return tuple(day.day for day in days if day.equity is None)


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
