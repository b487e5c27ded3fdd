"""`keyturn engine restart` under a service manager: the watchdog that it started stays, with its limits and keys."""

from __future__ import annotations

import socket
from pathlib import Path

from state.lock import holder
from tests.real.account import Account
from tests.real.test_engine_commands import parent_of
from tests.real.waiting import LIMIT


def test_a_managed_watchdog_restarts_its_engine_itself(tmp_path: Path) -> None:
    """SY-02"""
    name = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name)
        manager.settimeout(LIMIT)
        with Account(tmp_path, variables={"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "60000000"}) as account:
            watchdog = account.engine("engine", "watch")
            account.until(lambda: account.listener() is not None, "its engine listens")
            first = holder(account.folder)

            answer = account.run("engine", "restart")

            second = holder(account.folder)
            assert answer.returncode == 0
            assert f"process {second}" in answer.stdout
            assert second not in (None, first)
            assert watchdog.process.poll() is None
            assert second is not None
            assert parent_of(second) == watchdog.pid
            assert sorted(account.processes()) == sorted([watchdog.pid, second])
            assert watchdog.stopped() == 0
            told = []
            manager.setblocking(False)
            try:
                while True:
                    told.append(manager.recv(4096).decode())
            except BlockingIOError:
                pass
            assert sum("STOPPING=1" in words for words in told) == 1
