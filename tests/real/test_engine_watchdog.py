"""The watchdog over the real program: the demo's engine, killed by the kernel, stopped, and asked to leave."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Self

from console.commands.assembly.own_program import own_program
from state.folders import AccountFolder, Home
from state.heartbeat import read
from state.lock import holder
from tests.real.waiting import LIMIT, until

OVER_THE_DEMO = """
import os, sys
from dataclasses import replace
from console.commands.assembly.host import Host
from console.commands.assembly.own_program import own_program
from console.commands.engine.watch import watched
from state.watchdog.limits import Limits
limits = replace(Limits(), silent_seconds=float(sys.argv[1]), look_seconds=0.1)
sys.exit(watched(Host.of(os.environ), own_program("demo", "--headless"), limits))
"""


class Service:
    """A watchdog over a demo, in processes of their own."""

    def __init__(self, home: Path, silent_seconds: float = 60.0) -> None:
        environ = {**os.environ, "KEYTURN_HOME": str(home)}
        self.folder: AccountFolder = Home.of(environ).account("demo")
        self.process = subprocess.Popen(
            [sys.executable, "-c", OVER_THE_DEMO, str(silent_seconds)], env=environ, stderr=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Whatever failed, neither the watchdog nor its engine runs on."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(LIMIT)
        if (pid := holder(self.folder)) is not None and pid > 0:
            os.kill(pid, signal.SIGKILL)

    def until(self, holds: Callable[[], bool]) -> None:
        def runs_and_holds() -> bool:
            assert self.process.poll() is None
            return holds()

        until(runs_and_holds)

    def engine(self) -> int | None:
        """The process that holds the account, once it is on."""
        held, beaten = holder(self.folder), read(self.folder)
        is_on = beaten is not None and beaten[0].pid == held and beaten[0].state == "on"
        return held if is_on else None

    def another_than(self, pid: int) -> Callable[[], bool]:
        return lambda: self.engine() not in (None, pid)

    def asked_to_end(self) -> tuple[int, str]:
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate(timeout=LIMIT)[1]
        return self.process.returncode, said


def test_a_killed_demo_goes_on_in_a_new_process(tmp_path: Path) -> None:
    """SY-02: and leaves when it is asked"""
    with Service(tmp_path) as service:
        service.until(lambda: service.engine() is not None)
        first = service.engine()
        assert first is not None

        os.kill(first, signal.SIGKILL)
        service.until(service.another_than(first))

        status, said = service.asked_to_end()
        assert status == 0
        assert "SIGKILL" in said
        assert holder(service.folder) is None
        beaten = read(service.folder)
        assert beaten is not None
        assert beaten[0].state == "stopped"


def test_a_stopped_demo_is_dumped_and_started_again(tmp_path: Path) -> None:
    """SY-02: where every thread of the real engine stood is in the log."""
    with Service(tmp_path, silent_seconds=10.0) as service:
        service.until(lambda: service.engine() is not None)
        first = service.engine()
        assert first is not None

        os.kill(first, signal.SIGSTOP)
        service.until(service.another_than(first))

        assert service.asked_to_end()[0] == 0
        assert "core/runtime/" in service.folder.watchdog_log.read_text()


def test_the_program_is_found_in_any_folder(tmp_path: Path) -> None:
    """SY-02: an `app.py` or a `state` of another there is not imported."""
    (tmp_path / "app.py").write_text("raise SystemExit(99)\n")
    (tmp_path / "state.py").write_text("raise SystemExit(98)\n")

    answer = subprocess.run(
        own_program("--version"), cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT, check=False
    )

    assert (answer.returncode, answer.stdout.split()[0]) == (0, "keyturn")
