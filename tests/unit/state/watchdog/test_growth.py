"""How fast memory grows, where a day rises and falls by itself."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from state.watchdog.judge import FEWEST_HOURS, HOUR, WARM_UP_HOURS, Growth
from tests.kit.rows import table

MB = 1_000_000
DAY = 86_400.0


def reckoned(days: float, of: Callable[[float], float], every: float = 600.0) -> float | None:
    """Growth in MB a day of a process whose memory is `of(days since its start)`."""
    growth = Growth(5_000.0)
    for number in range(int(days * DAY / every)):
        at = number * every
        growth.add(5_000.0 + at, int(of(at / DAY) * MB))
    growth.add(5_000.0 + days * DAY, int(of(days) * MB))
    found = growth.a_day()
    return None if found is None else found / MB


def of_a_session(day: float) -> float:
    """30 MB more while a session of six hours is open, on five days of seven."""
    return 30.0 * (int(day) % 7 < 5 and 0.3 < day % 1 < 0.6)


@table("slope", 0.0, 5.0, 12.0, 100.0)
def test_a_steady_leak_is_measured_to_the_megabyte(slope: float) -> None:
    """SY-02"""
    assert reckoned(8, lambda day: 90 + slope * day) == pytest.approx(slope, abs=0.1)


@table("began_on", 0, 4, 6)
def test_daily_rises_and_weekends_are_no_growth(began_on: int) -> None:
    """SY-02: whatever day the process began on; from the fourth day to the tenth."""
    for days in (3.2, 4.2, 5.2, 6.2, 7.5, 10.0):
        found = reckoned(days, lambda day: 90 + of_a_session(day + began_on))
        assert found is not None
        assert abs(found) < 10


def test_a_leak_is_found_beneath_them() -> None:
    """SY-02"""
    assert reckoned(7, lambda day: 90 + of_a_session(day) + 12 * day) == pytest.approx(12, abs=1)


def test_one_step_is_no_leak() -> None:
    """SY-02: a library that is loaded late, on any day of the window."""
    for on in (0.5, 1.5, 3.5, 5.5):
        found = reckoned(7, lambda day, on=on: 90 + 25 * (day > on))
        assert found is not None
        assert found < 10


def test_growth_follows_the_lowest_readings() -> None:
    """SY-02"""
    chance = Random(5)

    assert reckoned(7, lambda day: 90 + 3 * day + chance.expovariate(0.05)) == pytest.approx(3, abs=1.5)


def test_growth_needs_three_days_of_hours() -> None:
    """SY-02: and the first hour, in which a process fills its caches, is left out."""
    whole = (FEWEST_HOURS + WARM_UP_HOURS) / 24

    assert reckoned(whole - 0.02, lambda day: 90 + 50 * day) is None
    assert reckoned(whole + 0.02, lambda day: 90 + 50 * day) == pytest.approx(50, abs=1)


def test_a_leak_is_found_across_restarts() -> None:
    """SY-02: no process lives for three days"""
    growth, found = Growth(0.0), dict[int, float | None]()
    for number in range(7 * 24 * 6):
        at = number * 600.0
        if number and number % (36 * 6) == 0:
            growth.begin(at)
        growth.add(at, int((90 + 12 * (at % (36 * HOUR)) / DAY) * MB))
        found[int(at // DAY)] = growth.a_day()

    assert (found[2], found[6]) == (None, pytest.approx(12 * MB, abs=MB / 10))


@table("course rise", ([90, 110, 130, 150], 60), ([90, 110, 105, 150], 0), ([90, 110, 150], None))
def test_a_rise_of_each_hour_is_told_at_once(course: list[int], rise: int | None) -> None:
    """SY-02: from the second hour on"""
    growth = Growth(0.0)
    growth.add(10.0, 20 * MB)
    for number, resident in enumerate([*course, 0], start=1):
        growth.add(number * HOUR, resident * MB)

    assert growth.rise() == (None if rise is None else rise * MB)


def test_an_ended_leak_is_forgotten_after_a_week() -> None:
    """SY-02"""
    assert reckoned(14, lambda day: 90 + 20 * min(day, 4.0)) == pytest.approx(0, abs=0.1)


def test_hours_without_a_reading_are_no_fault() -> None:
    """SY-02: a laptop that slept."""
    growth = Growth(0.0)
    for number in range(24 * 8):
        if number % 24 > 9:
            growth.add(number * HOUR + 1, (90 + number) * MB)

    assert growth.a_day() == pytest.approx(24 * MB)
