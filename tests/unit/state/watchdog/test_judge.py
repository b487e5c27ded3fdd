"""What the watchdog makes of what it sees, on a clock of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from state.running_engine import Status
from state.watchdog.judge import Judge, RemarkCode, Restarts, Seen, Trouble
from state.watchdog.presence import MEGABYTE, Limits

PID = 7
LIMITS = Limits()
STATUS = Status("on", PID, "paper", 0, 0, 0, 0, 5, "paper")
OF_ANOTHER = replace(STATUS, pid=6)


class Watch:
    """A judge, and an engine that is looked at every second."""

    def __init__(self, refuses: str | None = None) -> None:
        self.at, self.beat = 1_000.0, 50
        self.judge = Judge(LIMITS, lambda: refuses)
        self.judge.begin(self.at, PID)
        self.remarks: list[RemarkCode] = []
        self.words: list[str] = []

    def look(self, *, beats: bool = True, **seen: object) -> Trouble | None:
        self.at += 1
        self.beat += beats
        found = {"beat": self.beat, "status": STATUS, "resident": 100 * MEGABYTE, **seen}
        verdict = self.judge.look(Seen(self.at, **found))  # type: ignore[arg-type]
        self.remarks += [remark.code for remark in verdict.says]
        self.words += [remark.words for remark in verdict.says]
        if verdict.reason is None:
            return None
        self.words.append(verdict.reason.words)
        return verdict.reason.trouble

    def looks(self, seconds: int, **seen: object) -> Trouble | None:
        """So many looks, to the first that finds a reason."""
        found = (self.look(**seen) for _ in range(seconds))  # type: ignore[arg-type]
        return next((trouble for trouble in found if trouble is not None), None)


@pytest.fixture
def watch() -> Watch:
    """An engine that has begun to beat."""
    found = Watch()
    assert found.looks(3) is None
    return found


# ── silence ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_engine_that_beats_is_left_alone(watch: Watch) -> None:
    """SY-02"""
    assert watch.looks(10_000) is None
    assert watch.remarks == []


def test_an_engine_hangs_after_a_silent_minute(watch: Watch, snapshot) -> None:
    """SY-02: a minute is not yet."""
    assert watch.looks(60, beats=False) is None
    assert watch.look(beats=False) is Trouble.SILENT
    assert watch.words == snapshot


def test_a_clock_jump_ages_no_engine(watch: Watch) -> None:
    """SY-02: forward or back, its time differs, and that is a beat."""
    for jump in (3_600, -86_400 * 365, 1):
        watch.beat += jump
        assert watch.looks(10) is None
    assert watch.looks(60, beats=False) is None
    assert watch.look(beats=False) is Trouble.SILENT


def test_a_suspended_watchdog_starts_counting_again(watch: Watch, snapshot) -> None:
    """SY-02: a laptop that slept, or SIGSTOP: both stood still, and neither is at fault."""
    assert watch.looks(50, beats=False) is None
    watch.at += 8 * 3600

    assert watch.looks(60, beats=False) is None
    assert watch.remarks == [RemarkCode.STOOD_STILL]
    assert watch.looks(2, beats=False) is Trouble.SILENT
    assert watch.words == snapshot


def test_an_earlier_engines_heartbeat_does_not_count(snapshot) -> None:
    """SY-02: it lies there as it was left."""
    watch = Watch()

    assert watch.looks(300, beats=False, status=OF_ANOTHER) is None
    assert not watch.judge.has_beaten
    assert watch.look(beats=False, status=OF_ANOTHER) is Trouble.NEVER_BEAT
    assert watch.words == snapshot


def test_a_start_may_take_longer_than_a_beat() -> None:
    """SY-02: a journal of years is read in it."""
    watch = Watch()

    assert watch.looks(200, beat=None, status=None) is None
    assert watch.looks(10) is None
    assert watch.judge.has_beaten


def test_the_first_beat_may_be_unreadable() -> None:
    """SY-02: a time that moves is a beat, whatever the words are."""
    watch = Watch()

    assert watch.looks(1_000, status=None) is None

    assert watch.remarks == [RemarkCode.GARBAGE]


def test_an_odd_heartbeat_file_kills_nobody(snapshot) -> None:
    """SY-02: a link, a folder, a pipe: nobody knows how the engine is."""
    for seconds in (2, 10_000):
        watch = Watch()
        watch.looks(3)
        assert watch.looks(seconds, beat=None, status=None, odd="a link") is None
        assert watch.remarks == [RemarkCode.ODD_FILE]

        assert watch.looks(60, beats=False) is None
        assert watch.looks(2, beats=False) is Trouble.SILENT
    assert watch.words == snapshot


def test_a_missing_heartbeat_is_silence(watch: Watch) -> None:
    """SY-02: an engine that lives writes it again at its next beat."""
    assert watch.looks(60, beat=None, status=None) is None
    assert watch.remarks == [RemarkCode.MISSING]
    assert watch.look(beat=None, status=None) is Trouble.SILENT


def test_a_full_disk_is_no_hanging_engine(snapshot) -> None:
    """SY-02, SP-06: it cannot beat, and a restart could not start."""
    watch = Watch(refuses="Read-only file system")
    watch.looks(3)

    assert watch.looks(10_000, beats=False) is None
    assert watch.remarks == [RemarkCode.DISK]
    assert watch.words == snapshot


def test_an_engine_is_restarted_when_its_disk_has_room_again(watch: Watch, snapshot) -> None:
    """SY-02, SP-06: its journal failed, and only a new engine can record; not while the disk refuses"""
    lost = replace(STATUS, is_disk_lost=True)
    refusing = Watch(refuses="No space left on device")
    refusing.looks(3)

    assert refusing.looks(100, status=lost) is None
    assert watch.looks(100, status=replace(lost, pid=6)) is None
    assert watch.looks(10, status=lost) is None
    assert watch.look(status=lost) is Trouble.DISK
    assert watch.words == snapshot


def test_a_disk_that_fails_again_at_once_is_left_to_a_person(watch: Watch) -> None:
    """SY-02, SP-06: it would use up the restarts, and an engine that is up cancels for a kill"""
    lost = replace(STATUS, is_disk_lost=True)
    assert watch.looks(20, status=lost) is Trouble.DISK
    watch.judge.begin(watch.at, PID)

    assert watch.looks(int(LIMITS.within_seconds) - 20, status=lost) is None
    assert watch.remarks == [RemarkCode.LOST_DISK]
    assert watch.looks(60, status=lost) is Trouble.DISK


# ── memory ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_memory_must_stay_over_its_limit(watch: Watch, snapshot) -> None:
    """SY-02: a peak is none."""
    assert watch.looks(9, resident=600 * MEGABYTE) is None
    assert watch.look(resident=100 * MEGABYTE) is None
    assert watch.looks(10, resident=600 * MEGABYTE) is None
    assert watch.look(resident=600 * MEGABYTE) is Trouble.MEMORY
    assert watch.words == snapshot


def test_unreadable_memory_is_no_reason(watch: Watch) -> None:
    """SY-02"""
    assert watch.looks(1_000, resident=None) is None


def leaks(watch: Watch, days: float, megabytes_a_day: float, **seen: object) -> Trouble | None:
    """An engine that grows steadily, looked at every ten minutes."""
    begun = watch.at
    while watch.at < begun + days * 86_400:
        watch.at += 599
        watch.judge._looked_at = watch.at  # looked at meanwhile
        grown = int((watch.at - begun) / 86_400 * megabytes_a_day * MEGABYTE)
        if reason := watch.look(resident=100 * MEGABYTE + grown, **seen):  # type: ignore[arg-type]
            return reason
    return None


def test_a_leak_is_found_on_the_fourth_day(watch: Watch) -> None:
    """SY-02"""
    begun = watch.at

    assert leaks(watch, 30, 12) is Trouble.GROWTH
    assert 3 < (watch.at - begun) / 86_400 < 3.1


def test_a_large_leak_is_found_within_hours(watch: Watch) -> None:
    """SY-02"""
    begun = watch.at

    assert leaks(watch, 2, 300) is Trouble.GROWTH
    assert 5 < (watch.at - begun) / 3_600 < 8


def test_growth_is_measured_across_restarts(watch: Watch) -> None:
    """SY-02: each process lives for 36 hours; one that was restarted for growth is measured anew"""
    reasons = []
    for _ in range(4):
        reasons.append(leaks(watch, 1.5, 12))
        watch.judge.begin(watch.at, PID)

    assert [*reasons, leaks(watch, 1.5, 12)].count(Trouble.GROWTH) == 1
    assert Trouble.GROWTH not in reasons[:2]


def test_a_restart_for_growth_waits_for_the_close(watch: Watch, snapshot) -> None:
    """SY-02: it does not hurry, and an open session does."""
    in_session = replace(STATUS, data_silent_seconds=0)

    assert leaks(watch, 5, 12, status=in_session) is None
    assert watch.remarks == [RemarkCode.GROWTH]
    assert watch.look(resident=160 * MEGABYTE) is Trouble.GROWTH
    assert watch.words == snapshot


def test_memory_that_grows_by_less_is_left_alone(watch: Watch) -> None:
    """SY-02"""
    assert leaks(watch, 20, 9) is None


# ── market data ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_silent_data_restarts_once_an_hour(watch: Watch, snapshot) -> None:
    """SY-02: where a restart did not help, it is the far side that is silent, and positions need their engine."""
    silent = replace(STATUS, data_silent_seconds=300)
    assert watch.looks(9, status=silent) is None
    assert watch.looks(2, status=silent) is Trouble.DATA

    watch.judge.begin(watch.at, PID)
    assert watch.looks(3_000, status=silent) is None
    assert watch.remarks == [RemarkCode.DATA]
    assert watch.looks(1_000, status=silent) is Trouble.DATA
    assert watch.words == snapshot


def test_a_closed_session_or_short_silence_is_no_reason(watch: Watch) -> None:
    """SY-02, RK-20: an engine of before says nothing of it."""
    for silent in (None, 0, 270):
        assert watch.looks(5_000, status=replace(STATUS, data_silent_seconds=silent)) is None, silent


def test_a_silence_of_one_moment_is_not_believed(watch: Watch) -> None:
    """SY-02: a clock that jumps makes one."""
    for _ in range(100):
        assert watch.looks(5, status=replace(STATUS, data_silent_seconds=9_000)) is None
        assert watch.look(status=replace(STATUS, data_silent_seconds=0)) is None


# ── restarts ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_at_most_three_restarts_in_ten_minutes() -> None:
    """SY-02"""
    restarts = Restarts(LIMITS)

    assert [restarts.take(at) for at in (0, 100, 599, 600)] == [True, True, True, False]
    assert [restarts.take(at) for at in (601, 650, 701)] == [True, False, True]


def test_five_busy_minutes_are_an_alert_and_no_restart(watch: Watch) -> None:
    """SY-02: over 90 % of a core; again after a quiet window; a sleep begins the window anew"""
    used = 0.0

    def runs(seconds: int, share: float) -> None:
        nonlocal used
        for _ in range(seconds):
            used += share
            assert watch.look(cpu=used) is None

    runs(300, 0.95)
    assert watch.remarks == []
    runs(600, 0.95)
    assert watch.remarks == [RemarkCode.CPU]
    runs(600, 0.2)
    runs(600, 0.95)
    assert watch.remarks == [RemarkCode.CPU, RemarkCode.CPU]
    watch.at += 8 * 3600
    runs(299, 0.2)
    assert watch.remarks[2:] == [RemarkCode.STOOD_STILL]


def test_a_starting_engine_may_be_busy() -> None:
    """SY-02: it reads a journal of years"""
    watch = Watch()
    watch.judge.limits = replace(LIMITS, starting_seconds=10_000.0)
    for second in range(900):
        assert watch.look(beats=False, beat=None, status=None, cpu=float(second)) is None
    assert watch.remarks == []
