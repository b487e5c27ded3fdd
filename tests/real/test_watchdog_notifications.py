"""Real watchdogs over demo engines that hang, die or stay down: a person is told without an engine."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from state.folders import Home
from state.lock import holder
from tests.real.test_engine_watchdog import Service
from tests.real.waiting import LIMIT, until
from tests.wire.receivers import WebServer, a_web_server

SETTINGS = """
[notify]
in_demo = true
seconds = 5
[notify.channels.phone]
[notify.rules.all]
channels = ["phone"]
"""


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


def test_the_watchdog_reports_an_engine_that_hangs_or_died(home: Home, web: WebServer) -> None:
    """SY-02: push included. No engine takes part: one is stopped, the other killed."""
    service = Service(home.settings.parent, silent_seconds=10.0)
    try:
        first = until(service.engine, "the engine is on")
        os.kill(first, signal.SIGSTOP)
        until(lambda: was_told(web, "no heartbeat for"), "a word of the engine that hangs")
        until(service.another_than(first), "another engine")
        second = holder(service.folder)
        assert second is not None
        os.kill(second, signal.SIGKILL)
        until(lambda: was_told(web, "signal SIGKILL"), "a word of the engine that died")
        until(service.another_than(second), "a third engine")
    finally:
        said = service.asked_to_end()[1]

    assert "phone was told" in said
    assert "Keyturn demo: watchdog" in {each["title"] for each in web.heard}
    assert str(web.port) not in said


def test_an_engine_kept_down_by_its_settings_is_reported(home: Home, web: WebServer) -> None:
    """SY-02: by the terms that held before; the file is what keeps the engine down."""
    service = Service(home.settings.parent, silent_seconds=LIMIT)
    try:
        engine = until(lambda: home.watchdog_terms.exists() and service.engine(), "the engine is on")
        with home.settings.open("a") as file:
            file.write("[risk]\ntypo = 1\n")
        os.kill(engine, signal.SIGKILL)
        said = service.process.communicate(timeout=LIMIT)[1]
    finally:
        service.process.kill()

    assert service.process.returncode == 2
    assert was_told(web, "signal SIGKILL")
    assert "risk.typo" in said
    assert list(home.watchdog_owed.iterdir()) == []
