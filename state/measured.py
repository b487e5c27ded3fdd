"""Read the facts for a desk's measures from a journal, also while an engine runs (AN-01)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from core.analytics.desk_measures import DeskMeasures, desk_measures
from core.facts import (
    CashMoved,
    CorporateActionApplied,
    DayCorrected,
    DayStarted,
    MarginSampled,
    OrderCreated,
    PositionCorrected,
    SharesMoved,
    TradeClosed,
)
from core.market.calendar import load_calendar
from core.ports import OperatorError, Recorded
from state.journal import days_of
from state.past_days import DAY, LATER, day_named, days_between, records_of

BEFORE = (CashMoved, CorporateActionApplied, DayCorrected, DayStarted, OrderCreated, PositionCorrected, SharesMoved)
"""Facts to read before and after the days in question."""
WITHIN = (*BEFORE, MarginSampled, TradeClosed)
A_WEEK = timedelta(days=7)
"""Calendar days that contain at least one earlier session."""


def measured(folder: Path, what: str | None) -> DeskMeasures:
    """Return the measures of a range `2026-11-16..2026-11-20`, of one day, or of the whole journal.

    Raises `OperatorError`, `JournalDamagedError`.
    """
    first, last = asked(folder, what)
    calendar = load_calendar(days_of(folder)[0] - A_WEEK, last)
    sessions = [session.day for session in calendar.sessions()]
    records = _read(folder, first, last)
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


def _read(folder: Path, first: date, last: date) -> Iterator[Recorded]:
    """Yield the records; a trade is recorded with its last fill's report, which may be a day after the fill."""
    known = days_of(folder)
    after = [day for day in known if day > last][:LATER]
    yield from records_of(folder, [day for day in known if day < first], BEFORE)
    yield from records_of(folder, [day for day in known if first <= day <= last], WITHIN)
    yield from records_of(folder, after, (*BEFORE, TradeClosed))
