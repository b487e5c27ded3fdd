"""The watchdog over an engine that hangs, leaks, dies, ends with a status, or does not leave; the clock is ours.

`tests/real/test_watchdog.py` has real processes.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from state.files import AccountFolder, Home
from state.kill_switch import HaltRequest
from state.running_engine import EngineLock, Heartbeat, Status
from state.watchdog.engine_process import Child, Said, Wakeups
from state.watchdog.judge import Seen, Trouble, Verdict
from state.watchdog.presence import MEGABYTE, Limits, WatchdogLog, last_said
from state.watchdog.watchdog import GAVE_UP, NOT_LEFT, Watchdog
from tests.kit.simulated_clock import Seconds

QUICK = Limits(memory_bytes=150 * MEGABYTE)
STATUS = Status("on", os.getpid(), "paper", 2, 1, 0, 0, 1, "paper", uncovered=("SPY 2.5 no stop",))
SOUND = 5.0
"""Seconds for which each engine is well, before it fails in its way."""
ENDS = "exit:0"
LAST_WORDS = "keyturn: the journal has a damaged line"


class FakeEngine(Child):
    """An engine without a process: it beats on the test's clock, and fails in its way: the n-th life, the n-th way.

    It holds its account's lock as this process does.
    """

    def __init__(self, watched: Watched, way: str) -> None:
        self.said = Said()
        self.watched, self.began = watched, watched.clock.now
        self.way, _, argument = way.partition(":")
        self.status = int(argument) if argument else 0
        self.end: int | None = None
        self.lock: EngineLock | None = EngineLock(watched.folder)
        self.lock.acquire()
        self.beats()

    @property
    def pid(self) -> int:
        return os.getpid()

    def lives(self) -> None:
        """What it does as the time goes on."""
        if self.end is not None:
            return
        if self.watched.clock.now - self.began < SOUND:
            self.beats()
        elif self.way == "exit":
            os.write(self.said.descriptor, f"{LAST_WORDS}\n".encode() if self.status == 2 else b"")
            self.ends(self.status)
        elif self.way == "die":
            self.ends(-signal.SIGKILL)
        elif self.way == "leak":
            self.watched.resident = 200 * MEGABYTE
            self.beats()
        elif self.way == "no-data":
            self.beats(replace(STATUS, data_silent_seconds=999))
        elif self.way == "lost-disk":
            self.beats(replace(STATUS, is_disk_lost=True))
        elif self.way in ("garbage", "odd"):
            self.spoils_heartbeat()

    def beats(self, status: Status = STATUS) -> None:
        Heartbeat(self.watched.folder).beat(status)
        self.watched.stamp += 1
        os.utime(self.watched.folder.heartbeat, ns=(self.watched.stamp, self.watched.stamp))

    def spoils_heartbeat(self) -> None:
        path = self.watched.folder.heartbeat
        if self.watched.clock.now - self.began > SOUND + 2 * QUICK.silent_seconds:
            self.ends(0)
        elif self.way == "odd":
            path.unlink(missing_ok=True)
            path.symlink_to("nowhere")
        else:
            path.write_text("rubbish")
            self.watched.stamp += 1
            os.utime(path, ns=(self.watched.stamp, self.watched.stamp))

    def ends(self, status: int) -> None:
        if self.end is None and self.lock is not None:
            self.end = status
            self.lock.release()
            self.watched.resident = 50 * MEGABYTE
            if self.watched.folder.heartbeat.is_symlink():
                self.watched.folder.heartbeat.unlink()

    def ended(self) -> int | None:
        return self.end

    def ask_for_threads(self, folder: AccountFolder | None) -> bool:
        self.watched.asked.append("threads")
        return self.way != "mute"

    def threads(self, folder: AccountFolder) -> str:
        return f"in {self.way}"

    def ask_to_leave(self) -> None:
        self.watched.asked.append("leave")
        if self.way != "deaf":
            self.ends(0)

    def kill(self) -> None:
        self.watched.asked.append("kill")
        self.ends(-signal.SIGKILL)


class Watched:
    """A watchdog over an engine of several lives, and what it says."""

    def __init__(self, tmp_path: Path, *ways: str, limits: Limits = QUICK) -> None:
        home = Home.of({"KEYTURN_HOME": str(tmp_path)})
        self.clock, self.stamp, self.resident = Seconds(1_000.0), 1_000_000, 50 * MEGABYTE
        self.folder = home.account("paper")
        self.folder.prepare()
        self.ways, self.engines = ways, list[FakeEngine]()
        self.asked: list[str] = []
        self.lines: list[str] = []
        self.troubles: list[Trouble] = []
        self.signal_at: tuple[float, signal.Signals] | None = None
        self.dog = Watchdog(
            ["engine"], home, os.environ, limits, WatchdogLog(self.lines.append), self.clock, child=self._starts,
            wakeups=lambda: FakeWakeups(self),
        )  # fmt: skip
        look = self.dog._judge.look

        def looked(seen: Seen) -> Verdict:
            verdict = look(replace(seen, resident=self.resident))
            self.troubles += [verdict.reason.trouble] if verdict.reason is not None else []
            return verdict

        self.dog._judge.look = looked  # type: ignore[method-assign]

    def _starts(self, _command: Sequence[str], _environ: Mapping[str, str]) -> Child:
        way = self.ways[min(len(self.engines), len(self.ways) - 1)]
        self.engines.append(FakeEngine(self, way))
        return self.engines[-1]

    def passes(self, seconds: float) -> None:
        self.clock.now += max(seconds, 0.01)
        for engine in self.engines[-1:]:
            engine.lives()

    def said(self, words: str) -> bool:
        return any(words in line for line in self.lines)

    def alerts(self) -> int:
        return sum("ALERT" in line for line in self.lines)


class FakeWakeups(Wakeups):
    """Waiting moves the clock."""

    def __init__(self, watched: Watched) -> None:
        super().__init__()
        self._watched = watched

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None: ...

    def wait(self, seconds: float) -> None:
        self._watched.passes(seconds)
        if self._watched.signal_at is not None and self._watched.clock.now >= self._watched.signal_at[0]:
            self.asked_by = self._watched.signal_at[1]


def test_an_engine_in_trouble_is_dumped_and_restarted(tmp_path: Path) -> None:
    """SY-02: alert, threads in the log, a graceful stop, a restart."""
    for way, trouble in (("hang", Trouble.SILENT), ("leak", Trouble.MEMORY), ("no-data", Trouble.DATA)):
        watched = Watched(tmp_path / way, way, ENDS)

        assert watched.dog.run() == 0, way
        assert (len(watched.engines), watched.alerts(), watched.troubles) == (2, 1, [trouble]), way
        assert watched.asked == ["threads", "leave"], way
        assert [engine.end for engine in watched.engines] == [0, 0], way
        assert f"in {way}" in watched.folder.watchdog_log.read_text()
        assert watched.folder.watchdog_log.stat().st_mode & 0o777 == 0o600


def test_an_engine_after_a_lost_disk_starts_halted(tmp_path: Path) -> None:
    """SY-02, SP-06: exits and stops go on by themselves, and entries wait for a key"""
    watched = Watched(tmp_path, "lost-disk", ENDS)

    assert watched.dog.run() == 0
    assert (len(watched.engines), watched.troubles) == (2, [Trouble.DISK])
    assert "the disk is writable again" in (HaltRequest(watched.folder).asked_by() or "")


def test_a_lost_disk_without_a_halt_restarts_nothing(tmp_path: Path) -> None:
    """SY-02, SP-06: a halt that was pressed on the full disk would be gone"""
    watched = Watched(tmp_path, "lost-disk")
    watched.folder.halt_request.mkdir()
    (watched.folder.halt_request / "in the way").touch()
    watched.signal_at = (watched.clock.now + 60, signal.SIGTERM)

    assert watched.dog.run() == 0
    assert (len(watched.engines), watched.troubles) == (1, [Trouble.DISK])


def test_an_engine_that_does_not_leave_is_killed(tmp_path: Path) -> None:
    """SY-02: SIGTERM, patience, SIGKILL."""
    watched = Watched(tmp_path, "deaf", ENDS)
    began = watched.clock.now

    assert watched.dog.run() == 0

    assert watched.asked == ["threads", "leave", "kill"]
    assert watched.engines[1].began - began > SOUND + QUICK.silent_seconds + QUICK.timeout_seconds
    assert [engine.end for engine in watched.engines] == [-signal.SIGKILL, 0]


def test_one_that_is_killed_is_there_again_at_once(tmp_path: Path) -> None:
    """SY-02"""
    watched = Watched(tmp_path, "die", ENDS)
    began = watched.clock.now

    assert watched.dog.run() == 0

    assert [engine.end for engine in watched.engines] == [-signal.SIGKILL, 0]
    assert watched.engines[1].began - began < SOUND + 2 * QUICK.look_seconds


def test_after_three_restarts_in_ten_minutes_it_stays_down(tmp_path: Path) -> None:
    """SY-02: with a status of its own, it says what is left behind, and the next start is halted."""
    watched = Watched(tmp_path, "exit:70", "die")

    assert watched.dog.run() == GAVE_UP

    assert len(watched.engines) == 4
    last = [line for line in watched.lines if "ALERT" in line][-1]
    assert all(figure in last for figure in ("2 positions", "1 working", "SPY 2.5"))
    assert HaltRequest(watched.folder).asked_by() is not None
    assert not watched.folder.kill_switch.exists()


def test_restarts_that_are_long_ago_count_no_more(tmp_path: Path) -> None:
    """SY-02"""
    watched = Watched(tmp_path, *["exit:70"] * 5, ENDS, limits=replace(QUICK, within_seconds=2 * SOUND))

    assert watched.dog.run() == 0
    assert len(watched.engines) == 6


def test_an_end_that_was_meant_is_not_followed_by_a_start(tmp_path: Path) -> None:
    """SY-02: a stop, wrong usage, keys that are refused."""
    for status in (0, 1, 2):
        watched = Watched(tmp_path / str(status), f"exit:{status}")

        assert watched.dog.run() == status
        assert len(watched.engines) == 1
        assert HaltRequest(watched.folder).asked_by() is None


def test_what_the_engine_said_is_shown_and_kept(tmp_path: Path) -> None:
    """SY-02: as it stands, in the log of its account, in the last alert, and for whoever waits for a restart."""
    watched = Watched(tmp_path, "exit:2")

    assert watched.dog.run() == 2

    shown = [line for line in watched.lines if LAST_WORDS in line]
    assert ["ALERT" in line for line in shown] == [False, True]
    assert LAST_WORDS in watched.folder.watchdog_log.read_text()
    assert last_said(watched.folder) == LAST_WORDS


def test_a_strange_heartbeat_is_said_and_restarts_nothing(tmp_path: Path) -> None:
    """SY-02: for longer than a silence may last."""
    for way in ("garbage", "odd"):
        watched = Watched(tmp_path / way, way)

        assert watched.dog.run() == 0, way
        assert (len(watched.engines), watched.alerts(), watched.troubles) == (1, 1, []), way


def test_a_watchdog_that_is_asked_to_end_stops_its_engine(tmp_path: Path) -> None:
    """SY-02: and its status says whether the engine had to be killed."""
    for way, status in (("live", 0), ("deaf", NOT_LEFT)):
        watched = Watched(tmp_path / way, way)
        watched.signal_at = (watched.clock.now + 3, signal.SIGTERM)

        assert watched.dog.run() == status, way
        assert watched.asked == (["leave"] if status == 0 else ["leave", "kill"])


def test_the_words_of_an_engine_without_an_account_are_kept(tmp_path: Path) -> None:
    """SY-02: in the log of the account that is meant."""
    watched = Watched(tmp_path)
    watched.dog._start, watched.dog._command = Child, [sys.executable, "-c", "raise SystemExit('no keys')"]
    watched.dog._account = lambda: watched.folder
    watched.dog._wakeups_of_run = Wakeups

    assert watched.dog.run() == 1
    assert "no keys" in watched.folder.watchdog_log.read_text()


def test_what_cannot_be_started_at_all_is_an_alert(tmp_path: Path) -> None:
    """SY-02"""
    watched = Watched(tmp_path)
    watched.dog._start, watched.dog._command = Child, [str(tmp_path / "nothing")]

    assert watched.dog.run() == 2
    assert watched.alerts() == 1
