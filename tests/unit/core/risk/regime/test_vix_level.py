"""The level of the VIX: its borders, and that it does not flap."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from core.model.sizing import VixLevel
from core.risk.regime import (
    BAND,
    ORDER,
    USUAL,
    VixLevels,
    at_levels,
    by_levels,
    last_reading,
    level_after,
    plain_level,
    readings,
)
from tests.kit.rows import table
from tests.unit.core.risk.regime.seasons import values

LOW, NORMAL, ELEVATED, HIGH = VixLevel
points = st.decimals(Decimal("5"), Decimal("90"), places=2)


def levels(*told: str) -> list[VixLevel]:
    return [reading.level for reading in readings(values(*told))]


@table(
    "value level",
    *[("14.99", LOW), ("15", NORMAL), ("19.99", NORMAL), ("20", ELEVATED), ("30", ELEVATED), ("30.01", HIGH)],
)
def test_the_first_level_is_by_the_borders(value: str, level: VixLevel) -> None:
    """RK-19"""
    assert plain_level(Decimal(value)) is level
    assert level_after(Decimal(value), None) is level


def test_a_level_rises_at_its_border() -> None:
    """RK-19"""
    assert levels("14.99", "15.00", "19.99", "20.00", "30.00", "30.01") == [
        LOW, NORMAL, NORMAL, ELEVATED, ELEVATED, HIGH,
    ]  # fmt: skip


def test_a_level_falls_a_point_under_its_border() -> None:
    """RK-19"""
    assert levels("31", "29.01", "29.00", "19.01", "18.99", "14.00", "13.99") == [
        HIGH, HIGH, ELEVATED, ELEVATED, NORMAL, NORMAL, LOW,
    ]  # fmt: skip


def test_oscillation_changes_a_level_once() -> None:
    """RK-19"""
    assert levels("29.9", *["30.1", "29.9", "30.2", "29.2"] * 20)[1:] == [HIGH] * 80


def test_a_fall_through_two_borders_passes_both() -> None:
    """RK-19"""
    assert levels("35", "16") == [HIGH, NORMAL]
    assert levels("35", "19.5") == [HIGH, ELEVATED]


def test_without_a_day_there_is_no_reading() -> None:
    """RK-19: nothing is invented."""
    assert last_reading([]) is None


@given(points, st.sampled_from(ORDER))
def test_a_level_stays_within_a_point(value: Decimal, before: VixLevel) -> None:
    """RK-19"""
    level = ORDER.index(level_after(value, before))

    assert ORDER.index(plain_level(value)) <= level <= ORDER.index(plain_level(value + BAND))


@given(points, st.sampled_from(ORDER))
def test_the_same_value_again_changes_no_level(value: Decimal, before: VixLevel) -> None:
    """RK-19"""
    level = level_after(value, before)

    assert level_after(value, level) is level


@table("low elevated high level", ("10", "12", "13", HIGH), ("15", "20", "30", NORMAL), ("18", "20", "30", LOW))
def test_levels_are_settings(low: str, elevated: str, high: str, level: VixLevel) -> None:
    """RK-19: a reading of the shared file is at the level that its closes leave by the account's own borders."""
    reading = last_reading(values("14", "14", "16"))
    assert reading is not None

    found = by_levels(reading, VixLevels(Decimal(low), Decimal(elevated), Decimal(high)))

    assert (found.level, found.value, found.closes) == (level, reading.value, reading.closes)
    assert by_levels(reading, USUAL) is reading


@table(
    "before value level",
    (HIGH, "29.50", HIGH), (ELEVATED, "29.50", ELEVATED), (None, "29.50", ELEVATED), (None, "30.01", HIGH),
)  # fmt: skip
def test_a_value_in_the_day_begins_at_the_level_before(before: VixLevel | None, value: str, level: VixLevel) -> None:
    """RK-19: without one, at that of the closes"""
    close = last_reading(values("14", "16", "21"))
    assert close is not None
    noon = datetime.combine(close.measured_on + timedelta(days=1), time(17), UTC)
    reading = replace(close, value=Decimal(value), measured_on=noon.date(), measured_at=noon)

    found = by_levels(reading, USUAL, before)

    assert (found.level, at_levels(found, USUAL).level) == (level, last_reading(values("21", value)).level)  # type: ignore[union-attr]
    assert (found.value, found.closes, found.measured_at) == (reading.value, close.closes, noon)
