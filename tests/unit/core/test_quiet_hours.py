"""Quiet hours by the exchange's clock: one beginning and one end a night, however the clock is set."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.model.session import HOME
from core.workflows.operator.notification_rules import QuietHours, instant, next_time
from tests.kit.rows import table

NIGHT = QuietHours(time(22), time(7))
SPRING, AUTUMN = datetime(2026, 3, 8, tzinfo=HOME.zone), datetime(2026, 11, 1, tzinfo=HOME.zone)


def stretches(hours: QuietHours, first: datetime, last: datetime) -> list[tuple[datetime, datetime]]:
    """When they hold, minute by minute, as wall clock times."""
    found: list[tuple[datetime, datetime]] = []
    begin, at = None, first.astimezone(UTC)
    while at < last:
        is_quiet = hours.end_at(at, HOME) is not None
        if is_quiet and begin is None:
            begin = at
        if not is_quiet and begin is not None:
            found.append((begin, at))
            begin = None
        at += timedelta(minutes=1)
    return found


@table("day hours", (SPRING, 8), (AUTUMN, 10))
def test_a_clock_change_night_has_one_end(day: datetime, hours: int):
    """SY-03"""
    (begin, end), *more = stretches(NIGHT, day - timedelta(hours=12), day + timedelta(hours=12))

    assert not more
    assert HOME.told(begin, "%d %H:%M") == HOME.told(day - timedelta(hours=2), "%d %H:%M")
    assert HOME.told(end) == "07:00 New York"
    assert end - begin == timedelta(hours=hours)


def test_a_skipped_end_is_the_next_instant():
    """SY-03: 02:30 is missing in spring; the hours end as the clock shows 03:00."""
    (begin, end), *more = stretches(
        QuietHours(time(22), time(2, 30)), SPRING - timedelta(hours=12), SPRING.replace(hour=12)
    )

    assert not more
    assert HOME.told(end) == "03:00 New York"
    assert end == datetime(2026, 3, 8, 7, tzinfo=UTC)
    assert end - begin == timedelta(hours=4)


def test_a_repeated_hour_ends_the_night_once():
    """SY-03: 01:30 comes twice in autumn; the night is over at the first."""
    (begin, end), *more = stretches(
        QuietHours(time(22), time(1, 30)), AUTUMN - timedelta(hours=12), AUTUMN.replace(hour=12)
    )

    assert not more
    assert end == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert end - begin == timedelta(hours=3, minutes=30)


def test_the_end_is_that_of_the_night_that_holds():
    """SY-03"""
    at = datetime(2026, 3, 7, 23, tzinfo=HOME.zone)
    assert NIGHT.end_at(at, HOME) == datetime(2026, 3, 8, 7, tzinfo=HOME.zone)
    assert NIGHT.end_at(datetime(2026, 3, 8, 7, tzinfo=HOME.zone), HOME) is None
    assert QuietHours(time(12), time(13)).end_at(datetime(2026, 3, 9, 12, 30, tzinfo=HOME.zone), HOME) is not None


@given(st.integers(0, 10 * 366 * 1440), st.times(), st.times())
def test_what_holds_ends_later_and_within_a_day(minute: int, begins: time, ends: time):
    """SY-03"""
    at = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    begins, ends = begins.replace(second=0, microsecond=0), ends.replace(second=0, microsecond=0)
    end = None if begins == ends else QuietHours(begins, ends).end_at(at, HOME)

    assert end is None or at < end <= at + timedelta(hours=25)
    assert end is None or HOME.local(end).time() >= ends or HOME.local(end).time().minute == 0


def test_the_next_digest_is_never_now():
    """SY-03"""
    clocks = (time(12), time(16, 15))
    noon = datetime(2026, 11, 20, 12, tzinfo=HOME.zone)
    assert next_time(HOME, noon, clocks) == noon.replace(hour=16, minute=15)
    assert next_time(HOME, noon + timedelta(hours=5), clocks) == noon.replace(day=21)
    assert instant(HOME, noon.date(), time(12)) == noon
