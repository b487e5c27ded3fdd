"""The watchdog over real processes that hang, leak, die, end with a status, or do not leave when they are asked."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from state.folders import AccountFolder, Home
from state.halt_request import HaltRequest
from state.lock import holder
from state.watchdog.limits import MEGABYTE, Limits
from state.watchdog.log import WatchdogLog
from state.watchdog.presence import ask_to_restart, last_said, watchdog_of
from state.watchdog.watchdog import GAVE_UP, NOT_LEFT, Watchdog
from tests.kit.waiting import PATIENCE

ENGINE = Path(__file__).with_name("fake_engine.py")
QUICK = Limits(
    silent_seconds=0.6,
    starting_seconds=PATIENCE,
    memory_bytes=150 * MEGABYTE,
    holds_seconds=0.1,
    patience_seconds=0.5,
    look_seconds=0.02,
    first_look_seconds=0.02,
)
DEAF_TO_SILENCE = replace(QUICK, silent_seconds=PATIENCE)
"""A busy machine may keep an engine that is well from its turn."""
ENDS = "exit:0"


class Watched:
    """A watchdog over an engine of several lives, and what it says."""

    def __init__(
        self, tmp_path: Path, *ways: str, limits: Limits = QUICK, environ: dict[str, str] | None = None
    ) -> None:
        home = Home.of({"KEYTURN_HOME": str(tmp_path)})
        self.folder = home.account("paper")
        self.folder.prepare()
        self.lines: list[str] = []
        command = [sys.executable, "-S", str(ENGINE), str(self.folder.path), *ways]
        log = WatchdogLog(self.lines.append)
        self.dog = Watchdog(command, home, {**os.environ, **(environ or {})}, limits, log)

    def said(self, words: str) -> bool:
        return any(words in line for line in self.lines)

    def lives(self) -> int:
        return len((self.folder.path / "lives").read_text().splitlines())


@pytest.mark.parametrize(
    ("way", "why"),
    [
        ("hang", "no heartbeat for "),
        ("leak", " MB of memory, limit 150 MB"),
        ("no-data", "no market data for 999 s in an open session"),
        ("stop", "no heartbeat for "),
    ],
)
def test_an_engine_in_trouble_is_dumped_asked_to_leave_and_started_again(tmp_path: Path, way: str, why: str) -> None:
    """SY-02: alert, threads in the log, a graceful stop, a restart; one that was stopped hears it too."""
    watched = Watched(tmp_path, way, ENDS, limits=QUICK if way in ("hang", "stop") else DEAF_TO_SILENCE)

    assert watched.dog.run() == 0

    assert watched.lives() == 2
    assert watched.said("ALERT process ")
    assert watched.said(why)
    assert watched.said("ended with status 0")
    assert watched.said("up again, ")
    kept = watched.folder.watchdog_log.read_text()
    assert "most recent call first" in kept
    assert ("in hangs_here" in kept) is (way == "hang")
    assert watched.folder.watchdog_log.stat().st_mode & 0o777 == 0o600


def test_an_engine_that_does_not_leave_is_killed(tmp_path: Path) -> None:
    """SY-02: SIGTERM, patience, SIGKILL."""
    watched = Watched(tmp_path, "deaf", ENDS)

    assert watched.dog.run() == 0

    assert watched.said("did not leave in 0.5 s: killed")
    assert watched.said("ended with signal SIGKILL")
    assert watched.lives() == 2


def test_an_engine_that_never_said_that_it_answers_is_not_asked_for_its_threads(tmp_path: Path) -> None:
    """SY-02: SIGUSR2 would end it before it could leave."""
    watched = Watched(tmp_path, "mute", ENDS)

    assert watched.dog.run() == 0

    assert watched.said("its threads are not asked")
    assert watched.said("ended with status 0")


def test_one_that_is_killed_is_there_again_at_once(tmp_path: Path) -> None:
    """SY-02"""
    watched = Watched(tmp_path, "die", ENDS)

    assert watched.dog.run() == 0

    assert watched.said("ended with signal SIGKILL")
    (up,) = [line for line in watched.lines if "up again" in line]
    assert float(up.split("again, ")[1].split()[0]) < 5


def test_three_restarts_in_ten_minutes_and_it_stays_down_and_its_next_start_is_halted(tmp_path: Path) -> None:
    """SY-02: with a status of its own, and it says what is left behind."""
    watched = Watched(tmp_path, "exit:70", "die")

    assert watched.dog.run() == GAVE_UP

    assert watched.lives() == 4
    last = watched.lines[-1]
    assert "ALERT 3 restarts in 10 minutes did not help: process " in last
    assert "STAYS DOWN with 2 positions and 1 working orders, UNCOVERED SPY 2.5 no stop" in last
    asked = HaltRequest(watched.folder).asked_by()
    assert asked is not None
    assert asked.startswith("the watchdog: 3 restarts in 10 minutes did not help: process ")
    assert not watched.folder.kill_switch.exists()


def test_restarts_that_are_long_ago_count_no_more(tmp_path: Path) -> None:
    """SY-02"""
    watched = Watched(tmp_path, *["exit:70@0.1"] * 5, ENDS, limits=Limits(look_seconds=0.02, within_seconds=0.1))

    assert watched.dog.run() == 0
    assert watched.lives() == 6


@pytest.mark.parametrize("status", [0, 1, 2])
def test_an_end_that_was_meant_or_would_come_again_is_not_followed_by_a_start(tmp_path: Path, status: int) -> None:
    """SY-02: a stop, wrong usage, keys that are refused."""
    watched = Watched(tmp_path, f"exit:{status}")

    assert watched.dog.run() == status

    assert watched.lives() == 1
    assert HaltRequest(watched.folder).asked_by() is None


def test_what_the_engine_said_is_shown_and_kept(tmp_path: Path) -> None:
    """SY-02: as it stands, in the log of its account, in the last alert, and for whoever waits for a restart."""
    watched = Watched(tmp_path, "exit:2")

    assert watched.dog.run() == 2

    words = "keyturn: the journal has a damaged line"
    assert watched.said(words)
    assert watched.said(f"a restart would end so again; it said: {words}")
    assert f" engine: {words}\n" in watched.folder.watchdog_log.read_text()
    assert last_said(watched.folder) == words


def test_what_an_engine_said_that_never_held_its_account_goes_into_the_log_of_the_one_that_is_meant(
    tmp_path: Path,
) -> None:
    """SY-02"""
    watched = Watched(tmp_path)
    watched.dog._command = [sys.executable, "-c", "raise SystemExit('keyturn: no keys')"]
    watched.dog._account = lambda: watched.folder

    assert watched.dog.run() == 1
    assert " engine: keyturn: no keys\n" in watched.folder.watchdog_log.read_text()


def test_what_cannot_be_started_at_all_is_said(tmp_path: Path) -> None:
    """SY-02"""
    watched = Watched(tmp_path)
    watched.dog._command = [str(tmp_path / "nothing")]

    assert watched.dog.run() == 2
    assert watched.said("ALERT the engine cannot be started: ")


@pytest.mark.parametrize(
    ("way", "words"),
    [("garbage:0@1.4", "the heartbeat's words cannot be read"), ("odd:0@1.4", "heartbeat is a link")],
)
def test_a_strange_heartbeat_is_said_and_the_engine_is_left_alone(tmp_path: Path, way: str, words: str) -> None:
    """SY-02: for longer than a silence may last."""
    watched = Watched(tmp_path, way)

    assert watched.dog.run() == 0

    assert watched.lives() == 1
    assert watched.said(words)


# ── as a process of its own ──────────────────────────────────────────────────────────────────────────────────────────

PROGRAM = """
import os, signal, sys
for name in (signal.SIGHUP, signal.SIGINT):
    signal.signal(name, signal.SIG_DFL)  # whatever these tests were started under
from state.folders import Home
from state.watchdog.limits import Limits
from state.watchdog.watchdog import Watchdog
limits = Limits(silent_seconds=0.6, patience_seconds=0.5, look_seconds=0.02, first_look_seconds=0.02)
sys.exit(Watchdog(sys.argv[2:], Home.of({"KEYTURN_HOME": sys.argv[1]}), os.environ, limits).run())
"""


class Process:
    """A watchdog that runs, and its account."""

    def __init__(self, tmp_path: Path, *ways: str, environ: dict[str, str] | None = None) -> None:
        self.folder: AccountFolder = Home.of({"KEYTURN_HOME": str(tmp_path)}).account("paper")
        self.folder.prepare()
        engine = [sys.executable, "-S", str(ENGINE), str(self.folder.path), *ways]
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(tmp_path), *engine],
            env={**os.environ, **(environ or {})},
            stderr=subprocess.PIPE,
            text=True,
        )

    def until(self, holds: object) -> None:
        until = time.monotonic() + PATIENCE
        while not holds():  # type: ignore[operator]
            assert time.monotonic() < until, "it did not come"
            assert self.process.poll() is None
            time.sleep(0.02)

    def engines(self) -> list[int]:
        lives = self.folder.path / "lives"
        return [int(line.split()[0]) for line in lives.read_text().splitlines()] if lives.exists() else []

    def beats(self) -> bool:
        return self.folder.heartbeat.exists()

    def ends(self) -> tuple[int, str]:
        said = self.process.communicate(timeout=PATIENCE)[1]
        return self.process.returncode, said


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_watchdog_that_is_asked_to_end_lets_the_engine_leave_first(tmp_path: Path, name: signal.Signals) -> None:
    """SY-02"""
    watchdog = Process(tmp_path, "live")
    watchdog.until(watchdog.beats)

    watchdog.process.send_signal(name)

    status, said = watchdog.ends()
    assert status == 0
    assert f"asked to end ({name.name})" in said
    assert "ended with status 0" in said
    assert not is_running(watchdog.engines()[0])


def test_a_restart_that_is_asked_for_is_the_watchdogs_and_counts_as_no_trouble(tmp_path: Path) -> None:
    """SY-02: more of them than it allows in ten minutes, and it is found by the lock that it holds."""
    watchdog = Process(tmp_path, "live")
    for lives in range(1, 6):
        watchdog.until(lambda lives=lives: len(watchdog.engines()) == lives)
        watchdog.until(lambda: holder(watchdog.folder) == watchdog.engines()[-1])
        watchdog.until(lambda: watchdog_of(watchdog.folder) == watchdog.process.pid)
        if lives < 5:
            ask_to_restart(watchdog.process.pid)

    assert not any(is_running(pid) for pid in watchdog.engines()[:-1])
    watchdog.process.send_signal(signal.SIGTERM)
    status, said = watchdog.ends()
    assert status == 0
    assert said.count("asked for a restart") == 4
    assert "ALERT" not in said
    assert watchdog_of(watchdog.folder) is None


def test_one_that_does_not_leave_is_killed_then_too(tmp_path: Path) -> None:
    """SY-02"""
    watchdog = Process(tmp_path, "deaf")
    watchdog.until(watchdog.beats)

    watchdog.process.send_signal(signal.SIGTERM)

    status, said = watchdog.ends()
    assert (status, "killed" in said) == (NOT_LEFT, True)
    assert not is_running(watchdog.engines()[0])


def test_a_watchdog_that_was_stopped_for_a_while_kills_no_healthy_engine(tmp_path: Path) -> None:
    """SY-02: nor one that was stopped beside it, as on a laptop that slept."""
    watchdog = Process(tmp_path, "live")
    watchdog.until(watchdog.beats)
    (engine,) = watchdog.engines()
    time.sleep(0.2)
    for pid in (engine, watchdog.process.pid):
        os.kill(pid, signal.SIGSTOP)
    time.sleep(1.0)  # longer than a silence may last here
    for pid in (watchdog.process.pid, engine):
        os.kill(pid, signal.SIGCONT)
    time.sleep(0.5)

    watchdog.process.send_signal(signal.SIGTERM)

    status, said = watchdog.ends()
    assert status == 0
    assert "this watchdog stood still for" in said
    assert watchdog.engines() == [engine]


def test_the_service_manager_hears_of_every_step(tmp_path: Path) -> None:
    """SY-02: ready with the engine's first beat, alive all the time, stopping; and of the engine itself nothing."""
    name = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name)
        manager.settimeout(PATIENCE)
        watchdog = Process(tmp_path, "live", environ={"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "200000"})

        heard = [manager.recv(4096).decode() for _ in range(8)]
        watchdog.process.send_signal(signal.SIGTERM)
        assert watchdog.ends()[0] == 0
        manager.setblocking(False)
        try:
            while True:
                heard.append(manager.recv(4096).decode())
        except BlockingIOError:
            pass

    assert "READY=1\nSTATUS=on" in heard
    assert heard.count("WATCHDOG=1") >= 5
    assert heard[-1] == "STOPPING=1\nSTATUS=asked to end (SIGTERM)" or heard[-1] == "WATCHDOG=1"
    assert "STOPPING=1\nSTATUS=asked to end (SIGTERM)" in heard
    assert (watchdog.folder.path / "lives").read_text().split()[1] == "False"


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
