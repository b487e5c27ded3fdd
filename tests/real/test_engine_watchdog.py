"""The watchdog over the real program: the demo's engine, killed, stopped, kept down, and asked to leave."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest

from console.commands.assembly.host import own_program
from state.files import AccountFolder, Home
from state.running_engine import holder, read_heartbeat
from tests.real.waiting import LIMIT, until
from tests.wire.receivers import WebServer, a_web_server

OVER_THE_DEMO = """
import os, sys
from dataclasses import replace
from console.commands.assembly.host import Host
from console.commands.assembly.host import own_program
from console.commands.engine import watched
from state.watchdog.presence import Limits
limits = replace(Limits(), silent_seconds=float(sys.argv[1]), look_seconds=0.1)
sys.exit(watched(Host.of(os.environ), own_program("demo", "--headless"), limits))
"""

SETTINGS = """
[notify]
in_demo = true
seconds = 5
[notify.channels.phone]
[notify.rules.all]
channels = ["phone"]
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
        held, beaten = holder(self.folder), read_heartbeat(self.folder)
        is_on = beaten is not None and beaten[0].pid == held and beaten[0].state == "on"
        return held if is_on else None

    def another_than(self, pid: int) -> Callable[[], bool]:
        return lambda: self.engine() not in (None, pid)

    def asked_to_end(self) -> tuple[int, str]:
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate(timeout=LIMIT)[1]
        return self.process.returncode, said


@pytest.fixture
def web() -> Iterator[WebServer]:
    with a_web_server() as server:
        yield server


@pytest.fixture
def home(tmp_path: Path, web: WebServer, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Its settings tell a phone of everything; there is no keyring."""
    monkeypatch.setenv("KEYTURN_CHANNEL_PHONE", web.ntfy)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    home = Home.of({"KEYTURN_HOME": str(tmp_path / "home")})
    home.settings.parent.mkdir(parents=True)
    home.settings.write_text(SETTINGS)
    return home


def was_told(web: WebServer, words: str) -> bool:
    return any(words in each["message"] for each in web.heard)


def test_an_engine_that_hangs_or_dies_is_reported(home: Home, web: WebServer) -> None:
    """SY-02: a person is told without an engine: one is stopped, the other killed. Where every thread of the stopped
    one stood is in the log; each time another goes on, and the last leaves when the watchdog is asked.
    """
    with Service(home.settings.parent, silent_seconds=10.0) as service:
        first = until(service.engine, "the engine is on")
        os.kill(first, signal.SIGSTOP)
        service.until(lambda: was_told(web, "no heartbeat for"))
        service.until(service.another_than(first))
        second = holder(service.folder)
        assert second is not None
        os.kill(second, signal.SIGKILL)
        service.until(lambda: was_told(web, "signal SIGKILL"))
        service.until(service.another_than(second))
        status, said = service.asked_to_end()

    assert status == 0
    assert "SIGKILL" in said
    assert "core/runtime/" in service.folder.watchdog_log.read_text()
    assert holder(service.folder) is None
    beaten = read_heartbeat(service.folder)
    assert beaten is not None
    assert beaten[0].state == "stopped"
    assert "phone was told" in said
    assert "Keyturn demo: watchdog" in {each["title"] for each in web.heard}
    assert str(web.port) not in said


def test_an_engine_kept_down_by_its_settings_is_reported(home: Home, web: WebServer) -> None:
    """SY-02: by the terms that held before; the file is what keeps the engine down."""
    with Service(home.settings.parent, silent_seconds=LIMIT) as service:
        engine = until(lambda: home.watchdog_terms.exists() and service.engine(), "the engine is on")
        with home.settings.open("a") as file:
            file.write("[risk]\ntypo = 1\n")
        os.kill(engine, signal.SIGKILL)
        said = service.process.communicate(timeout=LIMIT)[1]

    assert service.process.returncode == 2
    assert was_told(web, "signal SIGKILL")
    assert "risk.typo" in said
    assert list(home.watchdog_owed.iterdir()) == []


def test_the_program_is_found_in_any_folder(tmp_path: Path) -> None:
    """SY-02: an `app.py` or a `state` of another there is not imported."""
    (tmp_path / "app.py").write_text("raise SystemExit(99)\n")
    (tmp_path / "state.py").write_text("raise SystemExit(98)\n")

    answer = subprocess.run(
        own_program("--version"), cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT, check=False
    )

    assert (answer.returncode, answer.stdout.split()[0]) == (0, "keyturn")
