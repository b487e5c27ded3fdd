"""What `keyturn agents add` and `keyturn mcp --http` print for the settings of a client."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from console.commands.assembly import mcp_http
from state.files import Home
from tests.scenarios.backtests import Answer, Keyturn, keyturn_at


def settings_in(text: str) -> Any:
    """The JSON after the line of words."""
    return json.loads(text[text.index("\n{") :])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def keyturn(home: Path) -> Keyturn:
    return keyturn_at(home)


def test_an_added_agent_prints_the_settings_of_its_client(keyturn: Keyturn, home: Path) -> None:
    """SY-11: the program by its absolute path, and the home that is not the usual one"""
    server = settings_in(keyturn("agents", "add", "claude", "--symbols", "SPY").out)["mcpServers"]["keyturn"]

    assert os.access(server["command"], os.X_OK)
    assert Path(server["command"]).is_absolute()
    assert server["args"][-3:] == ["mcp", "--agent", "claude"]
    assert server["env"] == {"KEYTURN_HOME": str(home)}


def test_the_usual_home_needs_no_variable(keyturn: Keyturn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """SY-11: a relative one is made absolute, and the exchange of the demo is named"""
    from console.commands.agents import started_by_a_client
    from console.commands.assembly.host import Host

    monkeypatch.chdir(tmp_path)
    usual: Any = started_by_a_client(Host.of({}), "claude")
    moved: Any = started_by_a_client(Host.of({"XDG_STATE_HOME": "here"}).simulated(), "claude")

    assert "env" not in usual["mcpServers"]["keyturn"]
    assert moved["mcpServers"]["keyturn"]["env"] == {"XDG_STATE_HOME": str(tmp_path / "here")}
    assert moved["mcpServers"]["keyturn"]["args"][-4:] == ["--simulated", "mcp", "--agent", "claude"]


@pytest.fixture
def started(keyturn: Keyturn, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    """The ports and tokens of the servers that were begun; none of them runs."""
    found: list[tuple[int, str]] = []
    monkeypatch.setattr(mcp_http, "serve_http", lambda _server, port, token: found.append((port, token)))
    monkeypatch.delenv("KEYTURN_MCP_TOKEN", raising=False)
    keyturn("agents", "add", "claude")
    return found


def serve(keyturn: Keyturn, *words: str) -> Answer:
    answer = keyturn("mcp", "--agent", "claude", "--http", "8931", *words)
    assert answer.code == 0, answer.err
    return answer


def header_in(answer: Answer) -> str:
    server = settings_in(answer.err)["mcpServers"]["keyturn"]
    assert server["url"] == "http://127.0.0.1:8931/mcp"
    return str(server["headers"]["Authorization"])


def test_a_token_is_printed_when_it_is_made(keyturn: Keyturn, home: Path, started: list[tuple[int, str]]) -> None:
    """SY-11: kept, and not printed again unless asked"""
    first, second = serve(keyturn), serve(keyturn)
    shown = serve(keyturn, "--show-token")
    (_, token), *others = started

    assert [each for _, each in others] == [token] * 2
    assert header_in(first) == header_in(shown) == f"Bearer {token}"
    assert header_in(second) == "Bearer TOKEN"
    assert token not in second.out + second.err
    assert str(Home.of({"KEYTURN_HOME": str(home)}).mcp_token("claude")) in second.err


def test_a_given_token_is_not_printed(
    keyturn: Keyturn, home: Path, started: list[tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SY-11: and not kept"""
    monkeypatch.setenv("KEYTURN_MCP_TOKEN", "a-given-one")
    given = serve(keyturn)

    assert started == [(8931, "a-given-one")]
    assert "a-given-one" not in given.out + given.err
    assert "KEYTURN_MCP_TOKEN" in given.err
    assert not Home.of({"KEYTURN_HOME": str(home)}).mcp_token("claude").exists()
