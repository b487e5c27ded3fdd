"""A market's days, hours and clock are its venue's: each holds in London and Sydney as it does in New York (RK-20)."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.execution.breaker import RefusalCounts
from core.facts import ProposalSkipped
from core.market.alpaca.minutes import Timetable
from core.market.calendar import ExchangeCalendar
from core.model.order import OrderRequest
from core.model.session import HOME, KIN, VENUES, XNYS, AnnouncedDay, NoSession, Session, Venue
from core.risk.protections.protection import EVERYTHING, Lock
from core.risk.sizing_history import Ranges
from core.settings.risk import SessionSettings
from core.staging.time_in_force import end_of_session, end_of_stops, marked_for
from core.strategies.questions import first_minute
from tests.kit.rows import table
from tests.unit.core.elsewhere import FRIDAY, LONDON, SPY, SYDNEY, THURSDAY, a_bar_there, calendar_of, there
from tests.unit.core.execution.books import a_request

EACH = pytest.mark.parametrize("venue", [XNYS, LONDON, SYDNEY], ids=lambda venue: venue.name)
SUMMER, WINTER = date(2026, 9, 10), date(2026, 12, 10)
MOMENT = timedelta(microseconds=1)
INCLUDED = SessionSettings(policy="include_extended")


def a_buy() -> OrderRequest:
    return a_request(limit="100")


def session_of(calendar: ExchangeCalendar, day: date = THURSDAY) -> Session:
    session = calendar.session_on(day)
    assert isinstance(session, Session)
    return session


@EACH
@pytest.mark.parametrize("day", [SUMMER, THURSDAY, WINTER])
def test_an_exchange_keeps_its_venues_hours(venue: Venue, day: date) -> None:
    """RK-20"""
    session = session_of(calendar_of(venue), day)

    assert (session.open, session.close) == (venue.at(day, venue.opens), venue.at(day, venue.closes))
    assert session.close - session.open == timedelta(minutes=venue.session_minutes)


@EACH
def test_a_trading_day_ends_at_venue_midnight(venue: Venue) -> None:
    """RK-20"""
    calendar, midnight = calendar_of(venue), there(venue, "00:00")

    assert [calendar.trading_day(at) for at in (midnight - MOMENT, midnight)] == [
        THURSDAY - timedelta(days=1),
        THURSDAY,
    ]
    assert (venue.start_of(THURSDAY), venue.end_of(THURSDAY)) == (midnight, there(venue, "00:00", FRIDAY))


def test_one_instant_has_two_days_at_two_venues() -> None:
    """RK-20: Sydney has opened on Thursday while it is Wednesday evening in New York"""
    at = there(SYDNEY, "10:30")

    assert calendar_of(SYDNEY).trading_day(at) == THURSDAY
    assert calendar_of(XNYS).trading_day(at) == THURSDAY - timedelta(days=1)
    assert isinstance(calendar_of(SYDNEY).session_at(at), Session)
    assert calendar_of(XNYS).session_at(at) == NoSession("after the close")


@EACH
def test_a_session_excludes_its_close(venue: Venue) -> None:
    """RK-20"""
    calendar = calendar_of(venue)
    session = session_of(calendar)

    told = [
        calendar.session_at(at) for at in (session.open - MOMENT, session.open, session.close - MOMENT, session.close)
    ]

    assert told == [NoSession("before the open"), session, session, NoSession("after the close")]
    assert calendar.next_session(session.open).open == venue.at(FRIDAY, venue.opens)


def test_a_holiday_is_of_one_venue() -> None:
    """RK-20: Thanksgiving, and the first Monday of September"""
    thanksgiving, labor_day = date(2026, 11, 26), date(2026, 9, 7)

    for day in (thanksgiving, labor_day):
        assert isinstance(calendar_of(XNYS).session_on(day), NoSession)
        assert isinstance(calendar_of(LONDON).session_on(day), Session)
        assert isinstance(calendar_of(SYDNEY).session_on(day), Session)


@EACH
def test_a_clock_change_day_has_its_own_length(venue: Venue) -> None:
    """RK-20: Sydney's day is short in October, London's long, New York's long in November"""
    day, hours = {
        "New York": (date(2026, 11, 1), 25),
        "London": (date(2026, 10, 25), 25),
        "Sydney": (date(2026, 10, 4), 23),
    }[venue.name]

    assert venue.end_of(day) - venue.start_of(day) == timedelta(hours=hours)
    assert venue.end_of_week(day) == venue.end_of(day)  # each is a Sunday
    assert venue.end_of_week(THURSDAY) == venue.start_of(date(2026, 11, 23))


def test_a_brokers_session_keeps_the_venue() -> None:
    """RK-20"""
    early = Session(THURSDAY, there(SYDNEY, "10:00"), there(SYDNEY, "14:10"))

    told = deepcopy(calendar_of(SYDNEY))
    told.follow([AnnouncedDay(THURSDAY, early)])

    assert (told.venue, told.session_on(THURSDAY)) == (SYDNEY, early)


def test_daily_counts_reset_at_venue_midnight() -> None:
    """RK-20, EX-11"""
    tally = RefusalCounts(calendar_of(SYDNEY).trading_day)
    skipped = ProposalSkipped("typed", SPY, there(SYDNEY, "10:00"), ("no",), checks=("quantity",))

    for clock, day in (("23:59", THURSDAY), ("00:00", FRIDAY), ("10:30", FRIDAY), ("11:30", FRIDAY)):
        tally.folds[ProposalSkipped](there(SYDNEY, clock, day), skipped)  # type: ignore[arg-type]

    assert (tally.state.day, tally.state.invalid) == (FRIDAY, 3)


def test_a_session_over_utc_midnight_is_one_day() -> None:
    """RK-20, RK-10"""
    ranges = Ranges(calendar_of(SYDNEY).trading_day)

    for clock in ("10:00", "10:59", "11:00", "15:59"):  # 11:00 is midnight UTC
        ranges.take(a_bar_there(SYDNEY, clock, "100"), 14)

    assert (ranges.state.by_symbol[SPY].day, ranges.state.by_symbol[SPY].closes) == (THURSDAY, [])


@EACH
def test_a_late_start_hears_from_the_open(venue: Venue) -> None:
    """RK-20, ST-03"""
    calendar = calendar_of(venue)
    opened = session_of(calendar).open

    for first in (first_minute, lambda c, at: Timetable(c).first_minute(at)):
        assert first(calendar, opened + timedelta(minutes=90)) == opened
        assert first(calendar, opened - timedelta(minutes=5)) == opened - timedelta(minutes=5)


@table(
    "clock ends",
    ("06:59", None),
    ("07:00", "10:00"),
    ("10:00", None),
    ("16:00", "18:50"),
    ("18:49", "18:50"),
    ("18:50", None),
)
def test_extended_hours_are_the_venues(clock: str, ends: str | None) -> None:
    """RK-20"""
    found = SYDNEY.extended_until(there(SYDNEY, clock), session_of(calendar_of(SYDNEY)))

    assert found == (None if ends is None else there(SYDNEY, ends))


def test_extended_hours_end_early_on_a_half_day() -> None:
    """RK-20: Sydney closes at 14:10 on Christmas Eve"""
    eve = session_of(calendar_of(SYDNEY), date(2026, 12, 24))

    assert SYDNEY.local(eve.close).time() == time(14, 10)
    assert SYDNEY.extended_span(eve) == (there(SYDNEY, "07:00", eve.day), there(SYDNEY, "15:30", eve.day))


def test_a_venue_may_lack_extended_hours() -> None:
    """RK-20: no instant of its day is one, and an order that is typed then is not marked"""
    calendar, order = calendar_of(LONDON), a_buy()
    session = session_of(calendar)

    hours = [LONDON.extended_until(there(LONDON, f"{hour:02d}:15"), session) for hour in range(24)]

    assert set(hours) == {None}
    assert LONDON.extended_span(session) == (session.open, session.close)
    marked = [marked_for(there(LONDON, clock), order, calendar, INCLUDED) for clock in ("07:00", "12:00", "17:00")]
    assert not any(each.extended_hours for each in marked)


@EACH
def test_a_day_order_ends_with_its_session(venue: Venue) -> None:
    """RK-20, OP-02: before the open and in the session that day's, after the close the next one's"""
    calendar = calendar_of(venue)
    session, after = session_of(calendar), session_of(calendar, FRIDAY)

    ends = [end_of_session(calendar, a_buy(), at) for at in (session.open - MOMENT, session.open, session.close)]

    assert ends == [session.close, session.close, after.close]
    assert end_of_stops(calendar, a_buy(), session.open) == after.close


def test_an_extended_order_is_guarded_overnight() -> None:
    """RK-20, OP-02"""
    calendar, order = calendar_of(SYDNEY), marked_for(there(SYDNEY, "08:00"), a_buy(), calendar_of(SYDNEY), INCLUDED)

    assert order.extended_hours
    assert end_of_session(calendar, order, there(SYDNEY, "08:00")) == session_of(calendar, FRIDAY).close
    assert end_of_session(calendar, order, there(SYDNEY, "18:50")) == session_of(calendar, date(2026, 11, 23)).close


@table(
    "venue clock told",
    (XNYS, "05:30:00 New York", "05:30 New York"),
    (LONDON, "10:30:00 London", "10:30 London"),
    (SYDNEY, "21:30:00 Sydney", "21:30 Sydney"),
)
def test_an_instant_names_its_venues_clock(venue: Venue, clock: str, told: str) -> None:
    """RK-20"""
    at = datetime(2026, 11, 19, 10, 30, tzinfo=UTC)

    assert (venue.clock(at), venue.told(at)) == (clock, told)
    assert venue.dated(at, at + timedelta(minutes=5)) == told
    assert venue.dated(at, at - timedelta(days=2)) == f"Thu 19 Nov {told}"


def test_an_unlocalisable_time_is_told_as_is() -> None:
    """RK-20"""
    assert XNYS.told(datetime.min.replace(tzinfo=UTC)) == "00:00 UTC"
    assert SYDNEY.told(datetime.max.replace(tzinfo=UTC)) == "23:59 UTC"


def test_a_lock_ends_by_the_venues_clock(snapshot: SnapshotAssertion) -> None:
    """RK-20, RK-09"""
    since, until = there(SYDNEY, "10:05"), there(SYDNEY, "10:05", FRIDAY)
    lock = Lock(EVERYTHING, since, until, Decimal(3), Decimal(3), "three")

    assert lock.end(SYDNEY) == snapshot
    assert lock.end(XNYS) == snapshot


def test_screen_and_settings_use_new_york() -> None:
    """RK-20"""
    assert (HOME.id, HOME.name, HOME.short, HOME.currency) == ("XNYS", "New York", "NY", "USD")
    assert (HOME.opens, HOME.closes, HOME.session_minutes) == (time(9, 30), time(16), 390)


def test_sister_exchanges_are_own_venues() -> None:
    """RK-20"""
    assert VENUES.keys() == {"XNYS", *KIN}
    assert all(id_ == venue.id and venue.extended == XNYS.extended for id_, venue in VENUES.items())
    assert {venue.calendar for venue in VENUES.values()} == {"XNYS"}
