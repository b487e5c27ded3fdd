"""Reads of a journal what the measures of a desk need, beside a running engine: lines of a few facts (AN-01)."""

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
"""What is read of the time before the days in question, and after them."""
WITHIN = (*BEFORE, MarginSampled, TradeClosed)
A_WEEK = timedelta(days=7)
"""Calendar days in which there is a session before."""


def measured(folder: Path, what: str | None) -> DeskMeasures:
    """`2026-11-16..2026-11-20`, one day, or all that a journal has. Raises `OperatorError`, `JournalDamagedError`."""
    first, last = asked(folder, what)
    calendar = load_calendar(days_of(folder)[0] - A_WEEK, last)
    sessions = [session.day for session in calendar.sessions()]
    records = _read(folder, first, last)
    venue = calendar.venue
    return desk_measures(records, first, last, sessions, venue.day_of, lambda at: venue.local(at).time())


def asked(folder: Path, what: str | None) -> tuple[date, date]:
    """The first and the last day that the journal has of it. Raises `OperatorError`."""
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
    """A trade is told when its last fill is, which may be a day later than the fill."""
    known = days_of(folder)
    after = [day for day in known if day > last][:LATER]
    yield from records_of(folder, [day for day in known if day < first], BEFORE)
    yield from records_of(folder, [day for day in known if first <= day <= last], WITHIN)
    yield from records_of(folder, after, (*BEFORE, TradeClosed))
