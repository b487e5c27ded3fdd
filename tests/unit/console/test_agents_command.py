"""`keyturn agents` says when its change of the settings file applies (OP-09)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.commands import agents
from console.commands.agents import APPLIES, NEXT_START, NOT_YET
from console.commands.assembly.host import Host
from console.commands.program import build
from console.commands.status import status_of
from core.settings.changes import digest_of_agents
from state.files import AccountFolder
from state.running_engine import Blocked, EngineLock, Heartbeat, Status
from state.settings_file import load_settings

BEAT = Status("on", os.getpid(), "paper", 0, 0, 0, 0, 0, "demo")
Keyturn = Callable[..., str]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host.of({"KEYTURN_HOME": str(tmp_path)})


@pytest.fixture
def keyturn(host: Host) -> Keyturn:
    def call(*words: str) -> str:
        result = CliRunner().invoke(build(host), list(words))
        assert result.exit_code == 0, result.output
        return result.output

    return call


@pytest.fixture
def folder(host: Host) -> Iterator[AccountFolder]:
    """Of a running engine, which beats."""
    found = host.home.account("demo")
    found.prepare()
    with EngineLock(found):
        Heartbeat(found).beat(BEAT)
        yield found


WORDS = (
    ("add", "claude", "--symbols", "SPY"),
    ("pause", "claude"),
    ("pause", "claude", "--resume"),
    ("remove", "claude"),
)


def test_without_an_engine_it_applies_at_the_next_start(keyturn: Keyturn) -> None:
    """OP-09"""
    for words in WORDS:
        assert NEXT_START in keyturn("agents", *words)


def test_it_applies_now_once_the_engine_says_so(
    host: Host, folder: AccountFolder, keyturn: Keyturn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OP-09: the engine's heartbeat names the tables that it has"""

    def looks(_seconds: float) -> None:
        settings = load_settings(host.home, {})
        Heartbeat(folder).beat(replace(BEAT, agents=digest_of_agents(settings)))

    monkeypatch.setattr(agents.time, "sleep", looks)
    for words in WORDS:
        assert APPLIES in keyturn("agents", *words)


def test_an_engine_that_takes_nothing_over_is_named(
    folder: AccountFolder, keyturn: Keyturn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OP-09: it is never said that a change applies which does not"""
    monkeypatch.setattr(agents, "TAKEN_WITHIN", 0.0)
    assert NOT_YET in keyturn("agents", *WORDS[0])


def test_status_names_what_blocks_entries(host: Host, folder: AccountFolder, keyturn: Keyturn) -> None:
    """SY-02: also while the state is on; and an older engine's heartbeat names nothing"""
    before = keyturn("status")
    Heartbeat(folder).beat(
        replace(BEAT, blocked=(Blocked("settings-file", "it changed"), Blocked("list", "no", "SPY")))
    )
    found = status_of(host, None)

    assert "blocked" not in before
    assert (found["state"], found["entries_enabled"]) == ("on", False)
    assert found["blocked"] == [
        {"by": "settings-file", "why": "it changed", "only": ""}, {"by": "list", "why": "no", "only": "SPY"},
    ]  # fmt: skip
    told = keyturn("status").splitlines()
    assert [line.partition(":")[0] for line in told[1:]] == [
        "ENTRIES blocked by settings-file", "entries of SPY blocked by list",
    ]  # fmt: skip
