"""When the market is open, as the exchange keeps its days."""

from __future__ import annotations

from copy import copy, deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from syrupy.assertion import SnapshotAssertion

from core.market.calendar import (
    FIRST_YEAR,
    LAST_YEAR,
    TABLE,
    CalendarRangeError,
    ExchangeCalendar,
    as_table,
    from_library,
    has_years,
    load_calendar,
    sessions_of,
)
from core.model.session import HOME, AnnouncedDay, NoSession, Session
from tests.kit.rows import table


@pytest.fixture(scope="module")
def year() -> ExchangeCalendar:
    return load_calendar(date(2013, 1, 1), date(2013, 12, 31))


def utc(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2013, month, day, hour, minute, tzinfo=UTC)


def test_a_regular_day_is_half_past_nine_to_four(year: ExchangeCalendar) -> None:
    """ST-02"""
    session = year.session_on(date(2013, 10, 8))

    assert session == Session(date(2013, 10, 8), utc(10, 8, 13, 30), utc(10, 8, 20))


@table(
    "day close",
    (date(2013, 7, 3), utc(7, 3, 17)),
    (date(2013, 11, 29), utc(11, 29, 18)),
    (date(2013, 12, 24), utc(12, 24, 18)),
)
def test_a_half_day_closes_at_one_in_new_york(year: ExchangeCalendar, day: date, close: datetime) -> None:
    """ST-02"""
    session = year.session_on(day)

    assert isinstance(session, Session)
    assert session.close == close
    assert year.session_at(close - timedelta(minutes=1)) == session
    assert year.session_at(close) == NoSession("after the close")


@table("friday monday", (date(2013, 3, 8), date(2013, 3, 11)), (date(2013, 11, 1), date(2013, 11, 4)))
def test_daylight_saving_moves_the_open_in_utc(year: ExchangeCalendar, friday: date, monday: date) -> None:
    """RK-03"""
    before, after = year.session_on(friday), year.session_on(monday)

    assert isinstance(before, Session)
    assert isinstance(after, Session)
    assert abs(after.open.hour - before.open.hour) == 1
    assert after.close - after.open == before.close - before.open == timedelta(hours=6, minutes=30)


@table(
    "at reason",
    (utc(10, 8, 13, 29), "before the open"),
    (utc(10, 8, 4, 0), "before the open"),
    (utc(10, 8, 20, 0), "after the close"),
    (utc(10, 9, 3, 59), "after the close"),
    (utc(10, 12, 15, 0), "weekend"),
    (utc(11, 28, 15, 0), "holiday, Thanksgiving"),
    (utc(12, 25, 15, 0), "holiday, Christmas"),
)
def test_a_closed_market_says_why(year: ExchangeCalendar, at: datetime, reason: str) -> None:
    """MD-03"""
    assert year.session_at(at) == NoSession(reason)


def test_an_unscheduled_closing_is_a_holiday() -> None:
    """MD-03"""
    storm = load_calendar(date(2012, 10, 26), date(2012, 10, 31))

    assert storm.session_on(date(2012, 10, 29)) == NoSession("holiday")


def test_answers_do_not_depend_on_order(year: ExchangeCalendar) -> None:
    """MD-05"""
    start = utc(11, 27, 0)
    minutes = [start + timedelta(minutes=10 * n) for n in range(6 * 24 * 4)]
    forwards = [year.session_at(at) for at in minutes]

    backwards = [year.session_at(at) for at in reversed(minutes)]

    assert backwards[::-1] == forwards
    assert sum(isinstance(answer, Session) for answer in forwards) == 39 + 21


def test_the_session_after_thanksgiving_is_half(year: ExchangeCalendar) -> None:
    """RK-03"""
    assert year.next_session(utc(11, 27, 22)).day == date(2013, 11, 29)
    assert year.next_session(utc(11, 29, 14, 30)).day == date(2013, 12, 2)


def test_the_last_evening_knows_the_next_session() -> None:
    """RK-03"""
    four_days = load_calendar(date(2013, 10, 7), date(2013, 10, 10))

    assert four_days.next_session(utc(10, 10, 21)).day == date(2013, 10, 11)


def test_a_range_of_one_holiday_loads() -> None:
    """RK-03"""
    christmas = load_calendar(date(2013, 12, 25), date(2013, 12, 25))

    assert christmas.session_on(date(2013, 12, 25)) == NoSession("holiday, Christmas")


def test_a_trading_day_ends_at_new_york_midnight(year: ExchangeCalendar) -> None:
    """RK-03"""
    assert year.trading_day(utc(10, 8, 3, 59)) == date(2013, 10, 7)
    assert year.trading_day(utc(10, 8, 4, 0)) == date(2013, 10, 8)
    assert year.trading_day(utc(12, 8, 4, 59)) == date(2013, 12, 7)


@table("at", datetime(2012, 12, 31, 15, tzinfo=UTC), datetime(2014, 1, 15, 15, tzinfo=UTC))
def test_a_day_outside_the_range_is_an_error(year: ExchangeCalendar, at: datetime) -> None:
    """MD-03"""
    with pytest.raises(CalendarRangeError, match="outside of the loaded calendar"):
        year.session_at(at)
    with pytest.raises(CalendarRangeError, match="outside of the loaded calendar"):
        year.session_on(at.date())
    with pytest.raises(CalendarRangeError, match="outside of the loaded calendar"):
        year.next_session(at)


def test_the_session_after_the_range_is_an_error(year: ExchangeCalendar) -> None:
    """MD-03"""
    with pytest.raises(CalendarRangeError, match="the calendar ends on 2014-01-14"):
        year.next_session(datetime(2014, 1, 14, 22, tzinfo=UTC))


def test_a_range_that_runs_backwards_is_refused() -> None:
    """MD-03"""
    with pytest.raises(CalendarRangeError, match="backwards"):
        load_calendar(date(2013, 10, 10), date(2013, 10, 7))


def test_announced_days_replace_the_table(snapshot: SnapshotAssertion) -> None:
    """MD-01, MD-10: an early close that only the broker knows, a day that it does not open, and all else as it was."""
    table = load_calendar(date(2026, 11, 16), date(2026, 11, 20))
    first, closed, third = (table.session_on(date(2026, 11, day)) for day in (16, 17, 18))
    assert isinstance(first, Session)
    assert isinstance(closed, Session)
    early = replace(first, close=first.open + timedelta(hours=1))
    other, copied = deepcopy(table), copy(table)
    assert isinstance(table.session_at(closed.open), Session)

    table.follow((AnnouncedDay(first.day, early), AnnouncedDay(closed.day, None)))

    for told in (table, copied):
        assert told.session_on(first.day) == early
        assert told.session_on(closed.day) == NoSession(snapshot)
        assert told.session_at(closed.open) == told.session_on(closed.day)
        assert told.next_session(early.close) == third
    assert other.session_on(closed.day) == closed


def test_a_calendar_without_an_end_goes_on() -> None:
    """MD-10: of any length"""
    table = load_calendar(date(2026, 11, 16), date(2026, 11, 20), has_end=False)
    until, known = load_calendar(date(2026, 11, 16), date(2030, 3, 29)), []
    at = datetime(2026, 11, 16, 5, tzinfo=UTC)
    for _ in range(800):
        known.append(table.next_session(at))
        at = known[-1].open

    assert tuple(known) == until.sessions()[:800]
    assert isinstance(table.session_on(date(2039, 7, 5)), Session)


def test_the_table_equals_the_library() -> None:
    """SY-09: New York's sessions are read without pandas."""
    library = from_library(FIRST_YEAR, LAST_YEAR, HOME)

    assert as_table(library, HOME, FIRST_YEAR, LAST_YEAR) == TABLE.read_text(encoding="utf-8")
    assert sessions_of(HOME, FIRST_YEAR, LAST_YEAR)[0] == library[0]


def test_other_years_come_from_the_library() -> None:
    assert not has_years(HOME, LAST_YEAR, LAST_YEAR + 1)
    late = load_calendar(date(LAST_YEAR, 12, 30), date(LAST_YEAR + 1, 1, 3))
    assert late.session_on(date(LAST_YEAR + 1, 1, 1)) == NoSession("holiday, New Year's Day")
    assert len(late.sessions()) > 2
