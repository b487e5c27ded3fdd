"""`keyturn engine …` whatever the account is like: one line that says what is and what to do, and a code."""

from __future__ import annotations

import os
import signal
import socket
import subprocess

import orjson
import pytest

from state.halt_request import HaltRequest
from state.lock import holder
from tests.real.account import House


def one_line(answer: subprocess.CompletedProcess[str]) -> tuple[int, str]:
    """Its code and its only line, wherever it was printed."""
    (line,) = [*answer.stdout.splitlines(), *answer.stderr.splitlines()]
    return answer.returncode, line


def what_a_killed_engine_leaves(house: House) -> None:
    """A socket that nobody listens at, and a lock file that names a process which is gone."""
    engine = house.running()
    engine.killed()
    assert house.folder.engine_socket.exists()
    assert orjson.loads(house.folder.lock.read_bytes())["pid"] == engine.pid


def nothing(_house: House) -> None:
    """Nothing ever ran."""


def a_lock_of_another_process(house: House) -> None:
    """Its number is that of a process which lives, and is none of ours."""
    house.folder.prepare()
    house.folder.lock.write_bytes(orjson.dumps({"pid": os.getpid(), "started": "2026-01-05T14:30:00+00:00"}))
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(house.folder.engine_socket))
    left.close()


def gave_up(house: House) -> None:
    """The watchdog let it stay down."""
    what_a_killed_engine_leaves(house)
    HaltRequest(house.folder).leave("the watchdog: 3 restarts in 10 minutes did not help: it was killed")


NOT_RUNNING = {
    "nothing": nothing,
    "a killed engine's files": what_a_killed_engine_leaves,
    "another process's number": a_lock_of_another_process,
    "the watchdog gave up": gave_up,
}


@pytest.mark.parametrize("state", NOT_RUNNING)
def test_where_none_runs_each_says_so_and_a_start_needs_no_mending(house: House, state: str) -> None:
    """SY-01, SY-02"""
    NOT_RUNNING[state](house)

    whose = "no engine ran here yet" if state == "nothing" else "demo: no engine runs"
    assert one_line(house.run("engine", "stop", "--yes")) == (3, f"{whose}; `keyturn engine start` starts one")
    status = house.run("engine", "status")
    assert (status.returncode, status.stdout.split(",")[0].split()[0]) == (3, "stopped")
    code, line = one_line(house.run("engine", "restart"))
    assert (code, line) == (0, f"demo: the engine was not running, and runs now, process {holder(house.folder)}")

    status = house.run("engine", "status")
    if state == "the watchdog gave up":
        assert (status.returncode, status.stdout.split(",")[0]) == (1, "halted")
    else:
        assert (status.returncode, status.stdout.split(",")[0]) == (0, "on")


def test_where_one_runs_each_says_so(house: House) -> None:
    """SY-01, SY-02: `start` starts no second one; `restart` is another process; `stop` ends its watchdog too."""
    code, line = one_line(house.run("engine", "start"))
    first = holder(house.folder)
    assert (code, line) == (
        0,
        f"demo: the engine runs, process {first}; `keyturn` attaches a desk, `keyturn engine stop` ends it",
    )
    assert one_line(house.run("engine", "start")) == (
        0,
        "demo: its engine runs already; `keyturn` attaches a desk",
    )
    assert holder(house.folder) == first
    code, line = one_line(house.run("engine", "run"))
    assert (code, line) == (
        2,
        f"keyturn: an engine already runs on account 'demo' (process {first}); "
        "end it first: `keyturn engine stop`, or q at its desk",
    )

    code, line = one_line(house.run("engine", "restart"))
    second = holder(house.folder)
    assert (code, line) == (0, f"demo: the engine runs again, process {second}")
    assert second not in (None, first)

    answer = house.run("engine", "stop", "--yes")
    assert (answer.returncode, answer.stdout.splitlines()) == (
        0,
        ["nothing is held and no order works", "demo: stopped; its journal is closed"],
    )
    assert house.run("engine", "status").returncode == 3
    house.until(lambda: house.processes() == [], "its watchdog ends too")
    assert house.journal_is_whole()


def test_while_one_starts_nothing_is_started_beside_it_and_it_is_not_called_stopped(house: House) -> None:
    """SY-01: stopped by the kernel just after it took the lock, as one that reads a long journal."""
    engine = house.engine()
    house.until(lambda: holder(house.folder) is not None, "it holds the account")
    engine.signalled(signal.SIGSTOP)
    assert house.listener() is None

    status = house.run("engine", "status")
    assert (status.returncode, status.stdout.split(",")[0]) == (0, "starting")
    code, line = one_line(house.run("engine", "start"))
    assert code == 0
    assert "starts already" in line or "runs already" in line
    code, line = one_line(house.run("engine", "run"))
    assert code == 2
    assert "an engine already runs on account 'demo'" in line

    engine.signalled(signal.SIGCONT)
    engine.until_it_listens()
