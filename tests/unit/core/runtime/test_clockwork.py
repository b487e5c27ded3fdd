"""The machine's clock beside a steady one: what is a jump, and what time it is meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from core.messages.inputs import ClockRead
from core.runtime.clock_guard import ClockGuard
from tests.kit.rows import table

NOON = datetime(2026, 11, 19, 17, tzinfo=UTC)
LIMIT = 2.0


class Machine:
    """Two clocks; `passes` moves both, `sets` the one that can be set."""

    def __init__(self, start: datetime = NOON) -> None:
        self.wall, self.ticks = NOON, 100.0
        self.clock = ClockGuard(lambda: self.wall, lambda: self.ticks, start)

    def passes(self, seconds: float) -> Machine:
        self.wall += timedelta(seconds=seconds)
        self.ticks += seconds
        return self

    def sets(self, seconds: float) -> Machine:
        self.wall += timedelta(seconds=seconds)
        return self

    def news(self) -> ClockRead | None:
        self.clock.read()
        return self.clock.news(LIMIT)


def told(jumped: str, behind: str) -> ClockRead:
    return ClockRead(Decimal(jumped), Decimal(behind))


def test_a_clock_that_goes_on_has_no_news() -> None:
    """EX-11"""
    machine = Machine()

    assert all(machine.passes(0.02).news() is None for _ in range(500))
    assert machine.clock.read() == NOON + timedelta(seconds=10)


@table("seconds", 1.9, -1.9)
def test_a_small_clock_change_is_no_jump(seconds: float) -> None:
    """EX-11"""
    assert Machine().passes(1).sets(seconds).news() is None


def test_a_forward_jump_is_told_once() -> None:
    """EX-11"""
    machine = Machine().passes(1).sets(3600)

    assert machine.news() == told("3600.0", "0.0")
    assert machine.passes(1).news() is None
    assert machine.clock.read() == NOON + timedelta(seconds=3602)


def test_a_jump_read_elsewhere_is_told_too() -> None:
    """EX-11"""
    machine = Machine().passes(1).sets(3600)
    machine.clock.read()

    assert machine.passes(1).news() == told("3600.0", "0.0")


def test_after_a_jump_back_time_runs_at_half_pace() -> None:
    """EX-11: what lapses does lapse, and nothing stays ahead for ever."""
    machine = Machine().passes(10)
    machine.clock.read()

    assert machine.sets(-60).news() == told("-60.0", "60.0")
    before = machine.clock.read()
    assert machine.passes(20).clock.read() == before + timedelta(seconds=10)
    assert machine.passes(100).clock.read() == NOON + timedelta(seconds=70)
    assert machine.clock.read() == machine.wall


def test_a_lagging_clock_is_told_again() -> None:
    """EX-11"""
    machine = Machine().sets(-60)
    machine.news()

    assert [machine.passes(1).news() for _ in range(9)] == [None] * 9
    assert machine.passes(1).news() == told("0.0", "55.0")


def test_a_clock_before_the_journal_lags_at_once() -> None:
    """EX-11: a restart after the clock was set back."""
    machine = Machine(start=NOON + timedelta(hours=1))

    assert machine.news() == told("0.0", "3600.0")
    assert machine.clock.read() == NOON + timedelta(hours=1)
