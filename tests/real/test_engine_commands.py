"""`keyturn engine ...` whatever the account is like: one line, and a code. What ran before, and what starts now."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path

from state.halt_request import HaltRequest
from state.lock import holder
from tests.real.account import Account

RUNS, STANDS_HALTED, REFUSED, RUNS_NOT = 0, 1, 2, 3
"""Exit statuses."""


def one_line(answer: subprocess.CompletedProcess[str]) -> tuple[int, set[int]]:
    """Its code, and the processes that its only line names, wherever it was printed."""
    (line,) = [*answer.stdout.splitlines(), *answer.stderr.splitlines()]
    return answer.returncode, {int(number) for number in re.findall(r"process (\d+)", line)}


def state_of(account: Account) -> tuple[int, str]:
    answer = account.run("engine", "status")
    return answer.returncode, answer.stdout.split(",")[0].split()[0]


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_a_restart_after_a_crash_starts_an_engine(account: Account) -> None:
    """SY-01, SY-02: what a killed engine leaves is a socket without a listener, and the lock of a dead process."""
    engine = account.running()
    engine.killed()
    assert account.folder.engine_socket.exists()

    assert one_line(account.run("engine", "stop", "--yes"))[0] == RUNS_NOT
    assert state_of(account) == (RUNS_NOT, "stopped")
    assert one_line(account.run("engine", "restart")) == (0, {holder(account.folder)})
    assert state_of(account) == (RUNS, "on")

    account.run("engine", "stop", "--yes")
    HaltRequest(account.folder).leave("the watchdog gave up")
    assert one_line(account.run("engine", "restart"))[0] == 0
    assert state_of(account) == (STANDS_HALTED, "halted")


def test_where_an_engine_runs_no_second_one_starts(account: Account) -> None:
    """SY-01, SY-02: `restart` is another process; `stop` ends its watchdog too."""
    assert one_line(account.run("engine", "start"))[0] == 0
    first = holder(account.folder)
    assert first is not None
    assert one_line(account.run("engine", "start"))[0] == 0
    assert holder(account.folder) == first
    assert one_line(account.run("engine", "run")) == (REFUSED, {first})

    assert one_line(account.run("engine", "restart"))[0] == 0
    second = holder(account.folder)
    assert second not in (None, first)

    assert account.run("engine", "stop", "--yes").returncode == 0
    assert state_of(account) == (RUNS_NOT, "stopped")
    account.until(lambda: account.processes() == [], "its watchdog ends too")
    assert account.journal_is_whole()


def test_while_one_starts_nothing_is_started_beside_it(account: Account) -> None:
    """SY-01: stopped by the kernel just after it took the lock, as one that reads a long journal."""
    engine = account.engine()
    account.until(lambda: holder(account.folder) is not None, "it holds the account")
    engine.signalled(signal.SIGSTOP)
    listened = account.listener() is not None

    assert listened or state_of(account) == (RUNS, "starting")
    assert one_line(account.run("engine", "start"))[0] == 0
    assert one_line(account.run("engine", "run")) == (REFUSED, {engine.pid})

    engine.signalled(signal.SIGCONT)
    engine.until_it_listens()
    assert account.processes() == [engine.pid]


def test_an_engine_without_a_watchdog_gets_one(account: Account) -> None:
    """SY-02: by a restart"""
    alone = account.running()

    assert account.run("engine", "restart").returncode == 0

    assert alone.ended() == 0
    second = holder(account.folder)
    assert second is not None
    assert len(account.processes()) == 2
    assert parent_of(second) in account.processes()
