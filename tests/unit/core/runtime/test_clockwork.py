"""The desk's time beside this machine's clock, a steady one and the broker's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from core.messages.inputs import ClockRead
from core.runtime.clock_guard import ClockGuard, Comparison

NOON = datetime(2026, 11, 19, 17, tzinfo=UTC)
HOUR = 3600.0


class Machine:
    """Its clocks: `passes` moves all, `sets` this machine's, and the broker's is right."""

    def __init__(self, start: datetime = NOON, off: float = 0.0, *, counts_sleep: bool = False) -> None:
        self.true, self.off, self.ticks, self.awake = NOON, off, 100.0, 50.0
        self.counts_sleep = counts_sleep
        self.clock = ClockGuard(
            lambda: self.true + timedelta(seconds=self.off), lambda: self.ticks, start, awake=lambda: self.awake
        )

    def passes(self, seconds: float) -> Machine:
        self.awake += seconds
        self.true += timedelta(seconds=seconds)
        self.ticks += seconds
        return self

    def sleeps(self, seconds: float) -> Machine:
        """The machine is suspended: a clock that counts no sleep stands."""
        self.true += timedelta(seconds=seconds)
        self.ticks += seconds * self.counts_sleep
        return self

    def sets(self, seconds: float) -> Machine:
        self.off += seconds
        return self

    def news(self) -> ClockRead | None:
        self.clock.read()
        return self.clock.news()

    def asks(self, took: float = 0.0) -> Comparison:
        asked, told = self.ticks, self.true
        self.passes(took)
        return self.clock.hear(told + timedelta(seconds=took / 2), asked, self.ticks)

    @property
    def error(self) -> float:
        """Seconds by which the desk's time is ahead of the broker's."""
        return (self.clock.read() - self.true).total_seconds()


def told(jumped: str, behind: str) -> ClockRead:
    return ClockRead(Decimal(jumped), Decimal(behind))


def found(ahead: str, is_near: bool, step: str) -> Comparison:
    return Comparison(Decimal(ahead), is_near, Decimal(step))


def test_a_clock_that_goes_on_has_no_news() -> None:
    """EX-23"""
    machine = Machine()

    assert all(machine.passes(0.02).news() is None for _ in range(500))
    assert machine.clock.read() == NOON + timedelta(seconds=10)


@pytest.mark.parametrize("seconds", [1.9, -1.9])
def test_a_small_clock_change_is_no_jump(seconds: float) -> None:
    """EX-23"""
    assert Machine().passes(1).sets(seconds).news() is None


@pytest.mark.parametrize("seconds", [4.5 * HOUR, 48 * HOUR, 720 * HOUR, -60.0, -48 * HOUR])
def test_a_jump_is_told_once_and_not_followed(seconds: float) -> None:
    """EX-23: by seconds, hours or a month, both ways"""
    machine = Machine().passes(1).sets(seconds)

    assert machine.news() == told(str(seconds), "0.0")
    assert machine.passes(8).news() is None
    assert machine.error == 0


def test_a_jump_that_is_undone_leaves_no_trace() -> None:
    """EX-23: 48 hours ahead for 8 seconds"""
    machine = Machine().sets(48 * HOUR)
    machine.news()
    machine.passes(8).sets(-48 * HOUR).news()

    assert machine.asks() == found("0.0", True, "0.0")
    assert machine.passes(60).error == 0


def test_a_jump_read_elsewhere_is_told_too() -> None:
    """EX-23"""
    machine = Machine().passes(1).sets(HOUR)
    machine.clock.read()

    assert machine.passes(1).news() == told("3600.0", "0.0")


def test_a_wrong_clock_leaves_the_desk_on_the_brokers() -> None:
    """EX-23: however often it is asked"""
    machine = Machine().passes(1).sets(HOUR)

    assert [machine.passes(5).asks() for _ in range(3)] == [found("3600.0", False, "0.0")] * 3
    assert machine.error == 0


def test_a_suspended_machine_catches_up_in_one_step() -> None:
    """EX-23"""
    machine = Machine().passes(1).sleeps(4 * HOUR)

    assert machine.news() == told("14400.0", "0.0")
    assert machine.error == -4 * HOUR
    assert machine.asks() == found("0.0", True, "14400.0")
    assert machine.error == 0


def test_a_clock_that_counts_sleep_is_right_as_the_machine_wakes() -> None:
    """EX-23: the sleep is told as a jump, once, and the desk's time is the broker's at once"""
    machine = Machine(counts_sleep=True).passes(1).sleeps(2 * HOUR)

    assert machine.error == 0
    assert machine.news() == told("7200.0", "0.0")
    assert machine.passes(60).news() is None
    assert machine.asks() == found("0.0", True, "0.0")


@pytest.mark.parametrize(("seconds", "jumped"), [(1.9, None), (2.0, "2.0"), (30.0, "30.0")])
def test_a_short_sleep_is_a_jump_from_two_seconds_on(seconds: float, jumped: str | None) -> None:
    """EX-23"""
    news = Machine(counts_sleep=True).passes(1).sleeps(seconds).news()

    assert news == (None if jumped is None else told(jumped, "0.0"))


def test_a_clock_set_in_sleep_is_not_followed() -> None:
    """EX-23: it woke an hour wrong; the larger of both is told"""
    machine = Machine(counts_sleep=True).passes(1).sleeps(60).sets(HOUR)

    assert machine.news() == told("3600.0", "0.0")
    assert machine.error == 0


def test_time_ahead_stands_still_until_it_is_right() -> None:
    """EX-23: a journal whose last record lies ahead"""
    machine = Machine(start=NOON + timedelta(seconds=30))

    assert machine.asks() == found("0.0", False, "0.0")
    assert machine.news() == told("0.0", "30.0")
    assert machine.passes(20).error == 10
    assert machine.passes(20).asks() == found("0.0", True, "0.0")
    assert machine.error == 0


def test_time_ahead_is_told_every_ten_seconds() -> None:
    """EX-23"""
    machine = Machine(start=NOON + timedelta(seconds=60))
    machine.news()

    assert [machine.passes(1).news() for _ in range(9)] == [None] * 9
    assert machine.passes(1).news() == told("0.0", "50.0")


def test_without_the_broker_time_goes_on_from_the_last_record() -> None:
    """EX-23: a start while the broker cannot be reached, with a clock that is two days ahead"""
    machine = Machine(NOON - timedelta(minutes=1), 48 * HOUR)
    machine.clock.doubt()

    assert machine.news() == told("0.0", "0.0")
    assert machine.passes(5).error == -60
    assert machine.asks() == found("172800.0", False, "60.0")
    assert machine.error == 0


@pytest.mark.parametrize(("off", "is_near"), [(2.0, True), (2.9, True), (3.1, False), (-2.9, True), (-3.1, False)])
def test_a_slow_answer_proves_no_difference(off: float, is_near: bool) -> None:
    """EX-23: two seconds, and half of the time that the request took"""
    machine = Machine(NOON - timedelta(minutes=1), off)

    assert machine.asks(took=2.0).is_near is is_near


def test_a_clock_that_is_far_ahead_must_be_told_twice() -> None:
    """EX-23: the desk's time never goes back, so that one wrong answer would move it for good"""
    machine = Machine(NOON - timedelta(hours=10), off=-10 * HOUR)

    first, error = machine.asks(), machine.error
    machine.passes(5).asks()

    assert (first.is_near, error) == (False, -10 * HOUR)
    assert machine.error == 0


def test_no_clock_is_months_ahead() -> None:
    """EX-23"""
    machine = Machine()
    for _ in range(3):
        machine.clock.hear(machine.true + timedelta(days=40), machine.ticks, machine.ticks)
        machine.passes(5)

    assert machine.error == 0
    assert machine.asks().is_near
