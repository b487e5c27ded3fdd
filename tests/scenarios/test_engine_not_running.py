"""`keyturn engine stop` and `status` where no engine runs, whatever files are there: the same codes."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from state.files import AccountFolder, Home
from state.kill_switch import HaltRequest
from tests.scenarios.backtests import Keyturn

NOT_RUNNING = 3
DEAD = 2**22 + 1
"""More than any process has."""


def leave_lock(folder: AccountFolder, pid: int) -> None:
    """A socket that nobody listens at, and a lock file that names a process."""
    folder.prepare()
    folder.lock.write_bytes(orjson.dumps({"pid": pid, "started": "2026-01-05T14:30:00+00:00"}))
    here = os.getcwd()
    os.chdir(folder.path)  # a socket's path has 107 bytes at most
    try:
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(folder.engine_socket.name)
    finally:
        os.chdir(here)


def gave_up(folder: AccountFolder) -> None:
    leave_lock(folder, DEAD)
    HaltRequest(folder).leave("the watchdog: it was killed")


STATES: dict[str, Callable[[AccountFolder], None]] = {
    "nothing": lambda _folder: None,
    "a killed engine's files": lambda folder: leave_lock(folder, DEAD),
    "another process's number": lambda folder: leave_lock(folder, os.getpid()),
    "the watchdog gave up": gave_up,
}


def test_where_no_engine_runs_each_command_says_so(
    keyturn: Keyturn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SY-01, SY-02"""
    for state, leaves in STATES.items():
        path = tmp_path / state.replace(" ", "-").replace("'", "")
        path.mkdir(mode=0o700)
        monkeypatch.setenv("KEYTURN_HOME", str(path))
        leaves(Home.of({"KEYTURN_HOME": str(path)}).account("demo"))

        stopped, status = keyturn("engine", "stop", "--yes"), keyturn("engine", "status")

        assert (stopped.code, status.code) == (NOT_RUNNING, NOT_RUNNING), state
        assert len((stopped.out + stopped.err).splitlines()) == 1, state
        assert status.lines[0].split(",")[0].split()[0] == "stopped", state
