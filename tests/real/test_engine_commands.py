"""`keyturn engine ...` whatever the account is like: one line, and a code. What ran before, and what starts now."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from state.kill_switch import HaltRequest
from state.running_engine import holder
from tests.real.account import Account
from tests.real.tools import all_told
from tests.real.waiting import LIMIT

RUNS, STANDS_HALTED, REFUSED, RUNS_NOT = 0, 1, 2, 3
STARTS = 1
"""Exit statuses."""
REASON = "a file stands where a folder belongs"


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
    HaltRequest(account.folder).leave("the watchdog gave up")

    assert one_line(account.run("engine", "stop", "--yes"))[0] == RUNS_NOT
    assert state_of(account) == (RUNS_NOT, "stopped")
    assert one_line(account.succeeds("engine", "restart")) == (0, {holder(account.folder)})
    account.until(lambda: state_of(account) == (STANDS_HALTED, "halted"), "it stands halted")


def test_where_an_engine_runs_no_second_one_starts(account: Account) -> None:
    """SY-01, SY-02: `restart` is another process, under a watchdog; `stop` ends that too."""
    alone = account.running()
    account.succeeds("engine", "restart")
    assert alone.ended() == 0
    second = holder(account.folder)
    assert second is not None
    account.until(lambda: account.processes() == sorted([parent_of(second), second]), "it and its watchdog run alone")
    account.until(lambda: state_of(account) == (RUNS, "on"), "it is on")

    assert one_line(account.run("engine", "start"))[0] == 0
    assert holder(account.folder) == second
    assert one_line(account.run("engine", "run")) == (REFUSED, {second})

    account.run("engine", "stop", "--yes")
    account.until(lambda: holder(account.folder) is None, "it ends")
    assert state_of(account) == (RUNS_NOT, "stopped")
    account.until(lambda: account.processes() == [], "its watchdog ends too")
    assert account.journal_is_whole()


def test_a_starting_engine_stays_alone(account: Account) -> None:
    """SY-01: stopped by the kernel just after it took the lock, as one that reads a long journal."""
    engine = account.engine()
    account.until(lambda: holder(account.folder) == engine.pid, "it holds the account, and has said so")
    engine.signalled(signal.SIGSTOP)
    listened = account.listener() is not None

    assert listened or state_of(account) == (STARTS, "starting")
    assert one_line(account.run("engine", "start"))[0] == 0
    assert one_line(account.run("engine", "run")) == (REFUSED, {engine.pid})

    engine.signalled(signal.SIGCONT)
    engine.until_it_listens()
    account.until(lambda: account.processes() == [engine.pid], "it runs alone")


def test_a_managed_watchdog_restarts_its_engine(tmp_path: Path) -> None:
    """SY-02: by `keyturn engine restart`, under a service manager: it stays, with its limits and keys."""
    name = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name)
        manager.settimeout(LIMIT)
        with Account(tmp_path, variables={"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "60000000"}) as account:
            watchdog = account.engine("engine", "watch")
            account.until(lambda: account.listener() is not None, "its engine listens")
            first = holder(account.folder)

            answer = account.succeeds("engine", "restart")

            second = holder(account.folder)
            assert f"process {second}" in answer.stdout
            assert second not in (None, first)
            assert watchdog.process.poll() is None
            assert second is not None
            assert parent_of(second) == watchdog.pid
            account.until(
                lambda: account.processes() == sorted([watchdog.pid, second]), "it and its watchdog run alone"
            )
            assert watchdog.stopped() == 0
            assert sum("STOPPING=1" in words for words in all_told(manager)) == 1


def test_of_engines_started_at_once_one_serves(account: Account) -> None:
    """SP-04, SY-01: each other one says in one line whose account it is"""
    engines = [account.engine() for _ in range(3)]
    account.until(lambda: sum(each.is_alive() for each in engines) == 1, "all but one have ended")

    (winner,) = [each for each in engines if each.is_alive()]
    winner.until_it_listens()
    for each in engines:
        if each is not winner:
            assert each.process.returncode == 2
            (line,) = each.said().splitlines()
            assert f"process {winner.pid}" in line

    account.until(lambda: account.count("EngineStarted"), "it says so")
    assert winner.stopped() == 0
    assert account.count("EngineStarted") == 1
    assert holder(account.folder) is None
    assert account.journal_is_whole()


def test_its_own_line_is_shown_by_each_way_to_start(account: Account) -> None:
    """SY-01, SY-02: a file stands where its logs belong."""
    account.folder.prepare()
    shutil.rmtree(account.folder.logs)
    account.folder.logs.write_text("")

    answer = account.run("engine", "start")
    assert answer.returncode == 2
    assert REASON in answer.stderr
    assert "watchdog" not in answer.stderr

    desk = account.desk((200, 40))
    desk.until_it_shows(REASON)
