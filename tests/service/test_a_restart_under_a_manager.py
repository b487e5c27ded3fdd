"""`keyturn engine restart` under a service manager: the watchdog that it started stays, with its limits and keys."""

from __future__ import annotations

import socket
from pathlib import Path

from state.lock import holder
from tests.kit.waiting import PATIENCE
from tests.service.house import House


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_the_managed_watchdog_restarts_its_engine_and_nothing_is_started_beside_it(tmp_path: Path) -> None:
    """SY-02"""
    name = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name)
        manager.settimeout(PATIENCE)
        with House(tmp_path, variables={"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "60000000"}) as house:
            watchdog = house.engine("engine", "watch")
            house.until(lambda: house.listener() is not None, "its engine listens")
            first = holder(house.folder)

            answer = house.run("engine", "restart")

            second = holder(house.folder)
            assert (answer.returncode, answer.stdout) == (0, f"demo: the engine runs again, process {second}\n")
            assert second not in (None, first)
            assert watchdog.process.poll() is None
            assert second is not None
            assert parent_of(second) == watchdog.pid
            assert sorted(house.processes()) == sorted([watchdog.pid, second])
            assert watchdog.stopped() == 0
            told = []
            manager.setblocking(False)
            try:
                while True:
                    told.append(manager.recv(4096).decode())
            except BlockingIOError:
                pass
            assert sum("STOPPING=1" in words for words in told) == 1, "only at its own end"


def test_an_engine_without_a_watchdog_gets_one(house: House) -> None:
    """SY-02"""
    alone = house.running()

    assert house.run("engine", "restart").returncode == 0

    assert alone.ended() == 0
    second = holder(house.folder)
    assert second is not None
    assert len(house.processes()) == 2
    assert parent_of(second) in house.processes()
