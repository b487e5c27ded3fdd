"""Read the parts of a journal that a report or the measures of a desk need (AN-01).

Read the parts of a journal for a report of a day or a week, and build the report (AN-06).
It reads the records that explain the days, and the few facts for the current state. The running engine is not involved.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

from core import facts
from core.analytics.desk_measures import DeskMeasures, desk_measures
from core.market.calendar import load_calendar
from core.model.session import HOME
from core.ports import OperatorError, Recorded
from core.reports.figures import Figures
from core.reports.report import FOLDED, STAGED, Quarter, Report, report_of, week_figures
from state.journal import days_of
from state.past_days import AFTER, DAY, LATER, day_named, days_between, read_beside, records_of

RECENT = 5
"""Earlier segments that may hold an exit request still open: a strategy repeats its request."""
IN_SUMS = (facts.DayCorrected, facts.DayStarted, facts.OrderFilled, facts.TradeClosed)
A_WEEK = timedelta(days=7)
WORKDAYS = timedelta(days=4)


def reported(folder: Path, day: str | None, week: str | None) -> Report:
    """Return the report of that day, of the Monday-to-Friday week of a day, or of the journal's last day.

    Raises
    ------
    OperatorError
        One of them is no day, both are given, or the journal has no record of it.
    JournalDamagedError
        A record of these days is not valid.
    """
    if day is not None and week is not None:
        raise OperatorError("--day and --week: one of them, not both")
    if week is not None:
        return _of_week(folder, day_named(week))
    days = days_between(folder, None, None) if day is None else days_between(folder, day_named(day), day_named(day))
    return _of_days(folder, days)


def _of_week(folder: Path, day: date) -> Report:
    monday = day - timedelta(days=day.weekday())
    days = days_between(folder, monday, monday + WORKDAYS)
    return _of_days(
        folder, days, is_week=True, before=_week(folder, monday - A_WEEK), quarter=_quarter(folder, days[-1])
    )


def _quarter(folder: Path, last: date) -> Quarter:
    """Up to that day, of as many sessions as a rolling measure has."""
    from core.analytics.desk_measures import NEEDS  # drags pandas in

    needed = NEEDS["sharpe"]
    first = [day for day in days_of(folder) if day <= last][-needed:][0]
    found = measured(folder, f"{first}..{last}")
    sharpe, deepest = (found.measures.get(name) for name in ("sharpe", "max_drawdown"))
    return Quarter(found.returns, needed, _number(sharpe), _number(deepest))


def _number(value: object) -> float | None:
    return value if isinstance(value, float) else None


def _of_days(
    folder: Path,
    days: Sequence[date],
    *,
    is_week: bool = False,
    before: Figures | None = None,
    quarter: Quarter | None = None,
) -> Report:
    from core.market.calendar import load_calendar  # drags pandas in

    sessions = load_calendar(days[0], days[-1])
    read, status = read_beside(folder, days, FOLDED)
    began = HOME.day_of(read.records[0].at) if read.records else days[0]
    recent = [known for known in days_of(folder) if known < began][-RECENT:]
    status += records_of(folder, recent, STAGED)
    return report_of(
        read, days, HOME.day_of, sessions.session_at, is_week=is_week, status=status, before=before, quarter=quarter
    )


def _week(folder: Path, monday: date) -> Figures | None:
    """Return the sums of a week; None if the journal has no day of it."""
    known = days_of(folder)
    days = [day for day in known if monday <= day <= monday + WORKDAYS]
    if not days:
        return None
    later = [day for day in known if day > days[-1]][:LATER]
    return week_figures(days, records_of(folder, days, IN_SUMS), records_of(folder, later, AFTER), HOME.day_of)


BEFORE = (
    facts.CashMoved,
    facts.CorporateActionApplied,
    facts.DayCorrected,
    facts.DayStarted,
    facts.OrderCreated,
    facts.PositionCorrected,
    facts.SharesMoved,
)
"""Facts to read before and after the days in question."""
WITHIN = (*BEFORE, facts.MarginSampled, facts.TradeClosed)


def measured(folder: Path, what: str | None) -> DeskMeasures:
    """Return the measures of a range `2026-11-16..2026-11-20`, of one day, or of the whole journal.

    Raises `OperatorError`, `JournalDamagedError`.
    """
    first, last = asked(folder, what)
    calendar = load_calendar(days_of(folder)[0] - A_WEEK, last)
    sessions = [session.day for session in calendar.sessions()]
    records = _records_of(folder, first, last)
    venue = calendar.venue
    return desk_measures(records, first, last, sessions, venue.day_of, lambda at: venue.local(at).time())


def asked(folder: Path, what: str | None) -> tuple[date, date]:
    """Return the first and last day of the range within the journal. Raises `OperatorError`."""
    days_between(folder, None, None)
    if not what:
        known = days_of(folder)
        return known[0], known[-1]
    first, dots, last = what.partition("..")
    if DAY.fullmatch(first) is None:
        raise OperatorError(f"{what} is no day and no days; write 2026-11-19 or 2026-11-16..2026-11-20")
    days = days_between(folder, day_named(first), day_named(last) if dots else day_named(first))
    return days[0], days[-1]


def _records_of(folder: Path, first: date, last: date) -> Iterator[Recorded]:
    """Yield the records; a trade is recorded with its last fill's report, which may be a day after the fill."""
    known = days_of(folder)
    after = [day for day in known if day > last][:LATER]
    yield from records_of(folder, [day for day in known if day < first], BEFORE)
    yield from records_of(folder, [day for day in known if first <= day <= last], WITHIN)
    yield from records_of(folder, after, (*BEFORE, facts.TradeClosed))
