"""How fast virtual time runs. The wall is a clock of the test's own, so that nothing waits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.runtime.virtual_time import BEAT, DEAD_HOURS, RESTING_BEAT, Pace
from tests.unit.core.brokers.trading_floor import at

TEN = at("10:00")


class Wall:
    """A wall clock that only moves when somebody waits for it."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


class Waker:
    """An event whose waiting moves the wall."""

    def __init__(self, wall: Wall) -> None:
        self.wall = wall
        self.is_up = False
        self.waits: list[float] = []

    def set(self) -> None:
        self.is_up = True

    def clear(self) -> None:
        self.is_up = False

    def is_set(self) -> bool:
        return self.is_up

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.wall.seconds += seconds
        return self.is_up


@pytest.fixture
def wall() -> Wall:
    return Wall()


def a_pace(wall: Wall, speed: float | None) -> Pace:
    pace = Pace(speed, wall.monotonic)
    pace.wake = Waker(wall)  # type: ignore[assignment]
    return pace


def seconds_until(pace: Pace, wall: Wall, virtual: float, last: float = 0) -> float:
    """Seconds of the wall until `virtual` seconds after ten have come."""
    began = wall.seconds
    for _ in range(100_000):
        if pace.wait_until(TEN + timedelta(seconds=virtual), TEN + timedelta(seconds=last)):
            return wall.seconds - began
    raise AssertionError("it never came")


@pytest.mark.parametrize(("speed", "takes"), [(1.0, 60.0), (10.0, 6.0), (0.5, 120.0)])
def test_a_speed_is_virtual_seconds_a_second(wall: Wall, speed: float, takes: float) -> None:
    """MD-05"""
    assert seconds_until(a_pace(wall, speed), wall, 60) == pytest.approx(takes)


def test_at_full_speed_nothing_waits(wall: Wall) -> None:
    """MD-05"""
    pace = a_pace(wall, None)

    assert pace.wait_until(TEN + timedelta(hours=5), TEN)
    assert pace.now(TEN) == TEN
    assert wall.seconds == 1000.0


def test_full_speed_still_reads_commands(wall: Wall) -> None:
    """OP-07"""
    pace = a_pace(wall, None)
    pace.wake.set()

    assert not pace.wait_until(TEN, TEN)


def test_a_command_wakes_the_wait(wall: Wall) -> None:
    """OP-07"""
    pace = a_pace(wall, 1.0)

    assert not pace.wait_until(TEN + timedelta(seconds=60), TEN)
    assert pace.wake.waits == [BEAT]  # type: ignore[attr-defined]
    pace.wake.set()
    wall.seconds += 60
    assert not pace.wait_until(TEN + timedelta(seconds=60), TEN)
    pace.wake.clear()
    assert pace.wait_until(TEN + timedelta(seconds=60), TEN)


def test_an_open_ticket_runs_in_real_time(wall: Wall) -> None:
    """MD-05, OP-04"""
    pace = a_pace(wall, 100.0)
    assert seconds_until(pace, wall, 100) == pytest.approx(1.0)

    pace.attend(True)
    pace.wake.clear()
    attended = seconds_until(pace, wall, 110, last=100)
    pace.attend(False)
    pace.wake.clear()
    alone = seconds_until(pace, wall, 210, last=110)

    assert (attended, alone) == (pytest.approx(10.0), pytest.approx(1.0))


def test_attending_wakes_whoever_waits(wall: Wall) -> None:
    """OP-04"""
    pace = a_pace(wall, 1.0)

    pace.attend(True)

    assert pace.wake.is_set()


def test_a_night_is_not_waited_for(wall: Wall) -> None:
    """MD-05"""
    night = (DEAD_HOURS + timedelta(seconds=1)).total_seconds()

    assert seconds_until(a_pace(wall, 1.0), wall, night) == 0


def test_five_minutes_are(wall: Wall) -> None:
    """MD-05"""
    assert seconds_until(a_pace(wall, 1.0), wall, DEAD_HOURS.total_seconds()) == pytest.approx(300)


def test_virtual_time_never_goes_back(wall: Wall) -> None:
    """MD-05"""
    pace = a_pace(wall, 1.0)
    pace.wait_until(TEN + timedelta(seconds=60), TEN)

    assert pace.now(TEN + timedelta(seconds=30)) == TEN + timedelta(seconds=30)
    assert pace.now(TEN) == TEN + timedelta(seconds=BEAT)


def test_it_beats_at_most_once_in_a_beat(wall: Wall) -> None:
    """SY-02"""
    pace, beats = Pace(None, wall.monotonic), 0
    for _ in range(10):
        beats += pace.is_beat_due()
        wall.seconds += BEAT / 5

    assert beats == 3, "a beat counts from four fifths of its time on"


def test_unwatched_it_beats_less_often(wall: Wall) -> None:
    """SY-05: an engine that nobody looks at costs next to nothing."""
    pace, beats = a_pace(wall, 1.0), 0
    pace.beat_by(lambda: RESTING_BEAT)
    pace.wait_until(TEN + timedelta(seconds=60), TEN)
    assert pace.wake.waits == [RESTING_BEAT]  # type: ignore[attr-defined]
    for _ in range(10):
        beats += pace.is_beat_due()
        wall.seconds += RESTING_BEAT / 2

    assert beats == 5


def test_a_hurried_beat_comes_at_once(wall: Wall) -> None:
    """OP-03"""
    pace = Pace(None, wall.monotonic)
    assert pace.is_beat_due()

    pace.hurry()

    assert pace.is_beat_due()
    assert not pace.is_beat_due()
