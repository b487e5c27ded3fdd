"""The watchdog over small real processes: what it dumps, signals and waits for, and as a process of its own.

`tests/unit/state/watchdog` has its decisions, on a clock of the tests.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from state.files import AccountFolder, Home
from state.running_engine import holder
from state.watchdog.presence import Limits, WatchdogLog, ask_to_restart, watchdog_of
from state.watchdog.watchdog import NOT_LEFT, Watchdog
from tests.real.tools import all_told, is_running
from tests.real.waiting import LIMIT, pause, until

ENGINE = Path(__file__).with_name("fake_engine.py")
SILENT = 5.0
LIMITS = Limits(
    silent_seconds=SILENT,
    starting_seconds=LIMIT,
    timeout_seconds=SILENT,
    dump_seconds=LIMIT,
    look_seconds=0.02,
    first_look_seconds=0.02,
)
PROGRAM = """
import os, signal, sys
for name in (signal.SIGHUP, signal.SIGINT):
    signal.signal(name, signal.SIG_DFL)  # whatever these tests were started under
from state.files import Home
from state.watchdog.presence import Limits
from state.watchdog.watchdog import Watchdog
limits = Limits(silent_seconds=30.0, timeout_seconds=float(sys.argv[2]), look_seconds=0.02, first_look_seconds=0.02)
sys.exit(Watchdog(sys.argv[3:], Home.of({"KEYTURN_HOME": sys.argv[1]}), os.environ, limits).run())
"""


def engine_of(folder: AccountFolder, *ways: str) -> list[str]:
    return [sys.executable, "-S", str(ENGINE), str(folder.path), *ways]


def lives(folder: AccountFolder) -> list[int]:
    path = folder.path / "lives"
    return [int(line.split()[0]) for line in path.read_text().splitlines()] if path.exists() else []


def test_an_engine_in_trouble_is_dumped_and_restarted(tmp_path: Path) -> None:
    """SY-02: one that hangs, one that was stopped, and one whose threads cannot be asked for."""
    for way in ("hang", "stop", "mute"):
        home = Home.of({"KEYTURN_HOME": str(tmp_path / way)})
        folder, lines = home.account("paper"), list[str]()
        folder.prepare()

        dog = Watchdog(engine_of(folder, way, "exit"), home, os.environ, LIMITS, WatchdogLog(lines.append))

        assert dog.run() == 0, lines
        assert len(lives(folder)) == 2, lines
        kept = folder.watchdog_log.read_text()
        assert ("most recent call first" in kept) is (way != "mute"), kept
        assert ("in hangs_here" in kept) is (way == "hang"), kept
        assert sum("ended with status 0" in line for line in lines) == 2, lines


class Process:
    """A watchdog in a process of its own, and its account."""

    def __init__(self, home: Path, way: str, timeout: float = LIMIT, environ: dict[str, str] | None = None) -> None:
        self.folder: AccountFolder = Home.of({"KEYTURN_HOME": str(home)}).account("paper")
        self.folder.prepare()
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(home), str(timeout), *engine_of(self.folder, way)],
            env={**os.environ, **(environ or {})},
            stderr=subprocess.PIPE,
            text=True,
        )

    def until(self, condition: Callable[[], object]) -> None:
        def holds() -> object:
            assert self.process.poll() is None
            return condition()

        until(holds)

    def beats(self) -> bool:
        return self.folder.heartbeat.exists()

    def ends(self) -> tuple[int, str]:
        said = self.process.communicate(timeout=LIMIT)[1]
        return self.process.returncode, said


def test_a_watchdog_that_is_asked_to_end_stops_its_engine(tmp_path: Path) -> None:
    """SY-02: one that does not leave is killed"""
    for number, way in (
        (signal.SIGTERM, "live"),
        (signal.SIGINT, "live"),
        (signal.SIGHUP, "live"),
        (signal.SIGTERM, "deaf"),
    ):
        watchdog = Process(tmp_path / f"{number.name}-{way}", way, 2.0 if way == "deaf" else LIMIT)
        watchdog.until(watchdog.beats)

        watchdog.process.send_signal(number)

        status, said = watchdog.ends()
        assert status == (NOT_LEFT if way == "deaf" else 0), said
        assert number.name in said
        assert not is_running(lives(watchdog.folder)[0])


def test_a_requested_restart_is_no_trouble(tmp_path: Path) -> None:
    """SY-02: more of them than it allows in ten minutes, and it is found by the lock that it holds."""
    watchdog = Process(tmp_path, "live")
    for number in range(1, 6):
        watchdog.until(lambda number=number: len(lives(watchdog.folder)) == number)
        watchdog.until(lambda: holder(watchdog.folder) == lives(watchdog.folder)[-1])
        watchdog.until(lambda: watchdog_of(watchdog.folder) == watchdog.process.pid)
        if number < 5:
            ask_to_restart(watchdog.process.pid)

    assert not any(is_running(pid) for pid in lives(watchdog.folder)[:-1])
    watchdog.process.send_signal(signal.SIGTERM)
    status, said = watchdog.ends()
    assert status == 0
    assert "ALERT" not in said
    assert watchdog_of(watchdog.folder) is None


def test_a_watchdog_that_stood_still_kills_no_engine(tmp_path: Path) -> None:
    """SY-02: nor one that was stopped beside it, as on a laptop that slept."""
    watchdog = Process(tmp_path, "live")
    watchdog.until(watchdog.beats)
    (engine,) = lives(watchdog.folder)
    watchdog.until(lambda: watchdog_of(watchdog.folder) == watchdog.process.pid)
    for pid in (engine, watchdog.process.pid):
        os.kill(pid, signal.SIGSTOP)
    pause(9.0)  # longer than the gap after which it knows that it stood still, a quarter of the silence
    for pid in (watchdog.process.pid, engine):
        os.kill(pid, signal.SIGCONT)
    beaten = watchdog.folder.heartbeat.stat().st_mtime_ns
    watchdog.until(lambda: watchdog.folder.heartbeat.stat().st_mtime_ns != beaten)
    watchdog.until(lambda: "stood still" in watchdog.folder.watchdog_log.read_text())

    watchdog.process.send_signal(signal.SIGTERM)

    assert watchdog.ends()[0] == 0
    assert lives(watchdog.folder) == [engine]


def test_the_service_manager_hears_of_every_step(tmp_path: Path) -> None:
    """SY-02: ready with the engine's first beat, alive all the time, stopping; and of the engine itself nothing."""
    name = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name)
        manager.settimeout(LIMIT)
        environ = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "200000"}
        watchdog = Process(tmp_path, "live", environ=environ)

        heard = list[str]()
        while "READY=1\nSTATUS=on" not in heard or heard.count("WATCHDOG=1") < 5:
            heard.append(manager.recv(4096).decode())
        watchdog.process.send_signal(signal.SIGTERM)
        assert watchdog.ends()[0] == 0
        heard += all_told(manager)

    assert [words for words in heard if words.startswith("READY=1")] == ["READY=1\nSTATUS=on"]
    assert [words for words in heard if words.startswith("STOPPING=1")]
    assert (watchdog.folder.path / "lives").read_text().split()[1] == "False"
