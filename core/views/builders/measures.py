"""Build the measures of the account and the results by group, from what the slices keep by day (AN-01)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from operator import add, is_
from typing import Any

from core.analytics.account_days import AccountDay, AccountFacts, account_days, growth
from core.analytics.groups import KEPT
from core.analytics.presentation import ROLLING
from core.analytics.windows import A_CENT, DayOfEquity, window_of
from core.execution.fee_days import FeeDays
from core.market.calendar import CalendarRangeError
from core.model.account import Account
from core.model.lazy_dataclass import dataclass
from core.model.session import Calendar, Session
from core.model.signal import FAILED, FAILED_WORDS
from core.model.values import CENT, NO_MONEY, Fraction, Money
from core.trading_state.account_history import DayResultsState, DayTallies
from core.trading_state.state import TradingState
from core.trading_state.watermark import High
from core.views.results import DayRow, GroupRow, MeasuresView
from core.views.sums import Period, periods

SATURDAY = 5
A_DAY, A_WEEK = timedelta(days=1), timedelta(days=7)
PLACES = Decimal("0.000001")
FAILURES = frozenset({FAILED_WORDS, *(reason.value for reason in FAILED)})


class MeasureRows:
    """Keeps the rows until what they are made of changes."""

    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._groups: tuple[GroupRow, ...] = ()
        self._of_periods: dict[str, tuple[tuple[DayTallies, ...], tuple[GroupRow, ...]]] = {}
        self._grouped = (-1, date.min)
        self._sessions: list[date] = []
        self._closes: tuple[AccountDay, ...] = ()
        self._course: list[DayOfEquity] = []
        self._measures = MeasuresView()
        self._measured: tuple[object, ...] = ()

    def groups(self, days: Sequence[DayRow], today: date) -> tuple[GroupRow, ...]:
        """Return the groups of each period, today's first."""
        results = self.state.results.state
        if (made_of := (results.changes, today)) != self._grouped:
            spans = {span.name: (span, days_of(results.tallies, span)) for span in periods(days, today)}
            before, self._grouped = self._of_periods, made_of
            self._of_periods = {
                name: before[name] if name in before and _is_same(before[name][0], its) else (its, rows_of(span, its))
                for name, (span, its) in spans.items()
            }
            self._groups = tuple(row for _, rows in self._of_periods.values() for row in rows)
        return self._groups

    def measures(self, at: datetime) -> MeasuresView:
        state, results = self.state, self.state.results.state
        account, today = state.sightings.account, state.calendar.trading_day(at)
        equity = account.equity if isinstance(account, Account) else None
        closed = (results.account_changes, state.fee_days.state.changes, today)
        if self._measured[:3] != closed:
            self._sessions = sessions_of(results, state.highs.days, state.calendar, today)
            self._closes = closes_of(results, state.fee_days, self._sessions)
            self._course = growth(self._closes)
        if (made_of := (*closed, state.highs.changes, equity)) != self._measured:
            self._measured = made_of
            self._measures = measures_of(
                self._closes, self._course, state.highs.days, results.moved, equity, today, self._sessions
            )
        return self._measures


def days_of(tallies: Mapping[str, DayTallies], span: Period) -> tuple[DayTallies, ...]:
    first, last = span.first.isoformat(), span.last.isoformat()
    return tuple(its for day, its in tallies.items() if first <= day <= last)


def _is_same(before: Sequence[DayTallies], after: Sequence[DayTallies]) -> bool:
    return len(before) == len(after) and all(map(is_, before, after))


def rows_of(span: Period, days: Iterable[DayTallies]) -> tuple[GroupRow, ...]:
    """Return the groups of these days by grouping and name; what failed in execution is last."""
    sums: dict[tuple[str, str], list[Any]] = {}
    for by, name, tally in (row for day in days for row in day.rows):
        figures = (tally.trades, tally.wins, tally.losses, tally.gained, tally.lost)
        so_far = sums.get((by, name))
        sums[by, name] = [*figures] if so_far is None else [*map(add, so_far, figures)]
    ordered = sorted(sums.items(), key=lambda item: (KEPT.index(item[0][0]), item[0][1] in FAILURES, item[0][1]))
    return tuple(
        GroupRow(f"{span.name}/{by}/{name}", span.name, by, name, trades, wins, losses, gained, lost, name in FAILURES)
        for (by, name), (trades, wins, losses, gained, lost) in ordered
    )


def sessions_of(results: DayResultsState, highs: Mapping[date, High], calendar: Calendar, today: date) -> list[date]:
    """Return the sessions up to today, from a week before the first figure on: its close was the session before."""
    first = min([*results.days, *highs], default=today) - A_WEEK
    days = (first + timedelta(days=number) for number in range((today - first).days + 1))
    return [day for day in days if _is_session(calendar, day)]


def _is_session(calendar: Calendar, day: date) -> bool:
    """A weekday before the calendar begins counts as one: at worst it is a close that is missing, and no return."""
    try:
        return isinstance(calendar.session_on(day), Session)
    except CalendarRangeError:
        return day.weekday() < SATURDAY


def closes_of(results: DayResultsState, fees: FeeDays, sessions: Sequence[date]) -> tuple[AccountDay, ...]:
    """Return the account at each close that is known before the last of these sessions, as `keyturn measures` does."""
    facts = AccountFacts(sessions, fees)
    facts.moved.update(results.moved)
    for day, each in sorted(results.days.items()):
        before = each.close_of or max((one for one in sessions if one < day), default=None)
        if each.equity is not None and before is not None:
            facts.closes[before] = each.equity, each.close_of is None
    return account_days(facts, sessions[0], sessions[-1]) if sessions else ()


def measures_of(
    closes: Sequence[AccountDay],
    course: Sequence[DayOfEquity],
    highs: Mapping[date, High],
    moved: Mapping[date, Money],
    equity: Money | None,
    today: date,
    sessions: Sequence[date],
) -> MeasuresView:
    """Return the measures.

    Parameters
    ----------
    course
        The growth of the closes without transfers.
    highs
        The highest account figure of each day.
    moved
        What was paid in, by day, USD.
    equity
        The account's last figure, USD.
    sessions
        The venue's days, at least from the first close to today.
    """
    window, mark = window_of(course), watermark_of(closes, course, highs, moved, equity, today, sessions)
    return MeasuresView(
        ROLLING,
        window.returns,
        _fraction(window.total_return),
        _ratio(window.sharpe),
        _ratio(window.sortino),
        _ratio(window.calmar),
        _fraction(window.max_drawdown),
        None if mark is None else mark.equity,
        None if mark is None else mark.day,
        None if mark is None else mark.at,
        None if mark is None else mark.below,
        0 if mark is None else mark.sessions,
    )


@dataclass(frozen=True, slots=True)
class Watermark:
    """The highest equity so far in today's money: transfers since are in it.

    Attributes
    ----------
    at
        When the broker had it; None of a recorded close.
    below
        By how much the account is below it, USD; None without a figure of now.
    sessions
        Sessions since its day.
    """

    equity: Money
    day: date
    at: datetime | None
    below: Money | None
    sessions: int


def watermark_of(
    closes: Sequence[AccountDay],
    course: Sequence[DayOfEquity],
    highs: Mapping[date, High],
    moved: Mapping[date, Money],
    equity: Money | None,
    today: date,
    sessions: Sequence[date],
) -> Watermark | None:
    """Return the highest of all figures: those of the account by day, and the recorded closes.

    Figures of other days are compared by growth, as in `growth`: a deposit is no gain, a withdrawal no loss. The
    figures of its day have a deposit, and not yet a withdrawal.
    """
    end = closes[-1].day if closes else min(highs, default=today) - A_DAY
    scales = {day.day: each.cent / A_CENT for day, each in zip(closes, course, strict=True) if day.equity is not None}
    known = [(day, each.equity) for day, each in zip(closes, course, strict=True) if day.equity is not None]
    scale = known[-1][1] / float(known[-1][0].equity) if known and known[-1][0].equity else 1.0
    paid = {each.day: each.moved for each in closes}
    figures: list[tuple[date, float, datetime | None]] = [(each.day, worth, None) for each, worth in known]
    for day, high in highs.items():
        if day > end:
            figures.append((day, scale * float(high.equity - _paid_until(moved, end, day)), high.at))
        elif day in scales:
            figures.append((day, scales[day] * float(high.equity - max(paid[day], NO_MONEY)), high.at))
    figures = [each for each in figures if not math.isnan(each[1])]
    if not figures:
        return None
    day, worth, at = max(figures, key=lambda each: (each[1], each[0], each[2] is None))
    since = sum((amount for on, amount in moved.items() if end < on <= today), NO_MONEY)
    mark = Money((Decimal(worth / scale) + since).quantize(CENT))
    below = None if equity is None else Money(max(mark - equity, NO_MONEY).quantize(CENT))
    return Watermark(mark, day, at, below, sum(day < each <= today for each in sessions))


def _paid_until(moved: Mapping[date, Money], end: date, day: date) -> Decimal:
    """Return what was paid in after the last close and before a figure of this day."""
    before = sum((amount for on, amount in moved.items() if end < on < day), NO_MONEY)
    return before + max(moved.get(day, NO_MONEY), NO_MONEY)


def _fraction(value: float | None) -> Fraction | None:
    return None if value is None else Fraction(Decimal(value).quantize(PLACES))


def _ratio(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(value).quantize(PLACES)
