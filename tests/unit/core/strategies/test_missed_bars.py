"""Whether a desk that starts has missed minutes that nobody will bring (ST-01)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from core.market.calendar import load_calendar
from core.strategies.questions import first_minute, has_missed_bars
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import THURSDAY, NewYorkHours, at

HOURS = NewYorkHours()
FRIDAY, MONDAY = THURSDAY + timedelta(days=1), THURSDAY + timedelta(days=4)


@table(
    "heard starts missed",
    (("15:59", THURSDAY), ("09:00", FRIDAY), False),
    (("15:59", THURSDAY), ("09:30", FRIDAY), False),
    (("15:59", THURSDAY), ("13:00", FRIDAY), False),
    (("15:58", THURSDAY), ("09:00", FRIDAY), True),
    (("11:00", THURSDAY), ("13:00", THURSDAY), False),
    (("11:00", THURSDAY), ("18:00", THURSDAY), False),
    (("11:00", THURSDAY), ("08:00", FRIDAY), True),
    (("15:59", THURSDAY), ("09:31", MONDAY), True),
    (("15:59", FRIDAY), ("09:31", MONDAY), False),
    (("15:59", FRIDAY), ("12:00", FRIDAY + timedelta(days=1)), False),
)
def test_only_passed_days_are_missed(heard: tuple[str, date], starts: tuple[str, date], missed: bool) -> None:
    """ST-01, MD-02: nights and weekends have no minutes."""
    assert has_missed_bars(HOURS, at(*heard), at(*starts)) is missed


def test_a_journal_before_the_calendar_misses_all() -> None:
    """ST-01: and stops no start."""
    calendar = load_calendar(date(2026, 10, 20), date(2026, 12, 1))
    assert has_missed_bars(calendar, at("15:59", date(2026, 3, 2)), at("10:00"))


def test_a_late_desk_hears_from_the_open() -> None:
    """MD-02: as its market data does."""
    opened: datetime = at("09:30")
    assert [first_minute(HOURS, at(clock)) for clock in ("09:30", "12:00", "20:00")] == [opened] * 3
    assert first_minute(HOURS, at("08:10") + timedelta(seconds=7)) == at("08:10")
