"""`keyturn notify`: a test of each channel says what came of it, and the list names every channel and rule."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core.model.notice import NoticeKind
from state.files import Home
from tests.scenarios.backtests import Keyturn
from tests.wire.receivers import WebServer, a_web_server

SETTINGS = """
[notify]
in_demo = true
seconds = 5
[notify.channels.phone]
[notify.channels.hook]
[notify.channels.nowhere]
[notify.rules.all]
channels = ["phone"]
[notify.rules.bad]
channels = ["hook", "nowhere"]
kinds = ["breaker"]
[notify.quiet]
begins = "00:00"
ends = "23:59"
"""


@pytest.fixture
def web() -> Iterator[WebServer]:
    with a_web_server() as server:
        yield server


@pytest.fixture
def home(tmp_path: Path, web: WebServer, monkeypatch: pytest.MonkeyPatch) -> Home:
    """One home, with the settings above and two addresses of three; there is no keyring."""
    monkeypatch.setenv("KEYTURN_CHANNEL_PHONE", web.ntfy)
    monkeypatch.setenv("KEYTURN_CHANNEL_HOOK", web.url("500"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    home = Home.of({"KEYTURN_HOME": str(tmp_path / "home")})
    home.settings.parent.mkdir(parents=True)
    home.settings.write_text(SETTINGS)
    return home


@pytest.mark.usefixtures("home")
def test_a_test_notice_goes_to_the_channels_of_its_kind(keyturn: Keyturn, web: WebServer, snapshot: SnapshotAssertion):
    """SY-03: also in quiet hours."""
    found = keyturn("notify", "test", "exit-waiting")

    assert (found.code, found.out) == (0, "phone: delivered\n")
    (told,) = web.heard
    assert (told["title"], re.sub(r"^[0-9:]{8}", "HH:MM:SS", told["message"])) == snapshot


@pytest.mark.usefixtures("home")
def test_a_failed_channel_is_named_with_its_reason(keyturn: Keyturn, snapshot: SnapshotAssertion):
    """SY-03"""
    found = keyturn("notify", "test", "breaker")

    assert (found.code, found.out) == (1, snapshot)


@pytest.mark.usefixtures("home")
def test_a_report_can_be_tested(keyturn: Keyturn, web: WebServer):
    """SY-03"""
    found = keyturn("notify", "test", NoticeKind.REPORT.value, "--json", "--channel", "hook")

    assert (found.code, '"status": 500' in found.out) == (1, True)
    assert len(web.heard) == 1


@pytest.mark.usefixtures("home")
def test_a_wrong_option_is_refused_in_one_line(keyturn: Keyturn, snapshot: SnapshotAssertion):
    """SY-03"""
    wrong = (("fills",), ("fill", "--channel", "fax"), ("fill", "--severity", "loud"))

    answers = [keyturn("notify", "test", *words) for words in wrong]

    assert [(found.code, found.err.count("\n")) for found in answers] == [(2, 1)] * 3
    assert [found.err for found in answers] == snapshot


def test_a_kind_without_a_rule_is_reported(keyturn: Keyturn, home: Home, snapshot: SnapshotAssertion):
    """SY-03"""
    home.settings.write_text("[notify.channels.phone]\n")
    found = keyturn("notify", "test", "fill")

    assert (found.code, found.err) == snapshot


def test_the_list_shows_no_address(keyturn: Keyturn, home: Home, web: WebServer, snapshot: SnapshotAssertion):
    """SY-03, SY-06"""
    home.settings.write_text(
        SETTINGS.replace("[notify]\n", '[notify]\ncommand = ["/bin/false", "--token", "hush"]\n', 1)
    )
    found = keyturn("notify", "list")
    asked = (("notify", "list", "--json"), ("notify", "test", "kill", "--channel", "command"), ("status", "--json"))

    assert found.out == snapshot
    for words in asked:
        answer = keyturn(*words)
        assert "hush" not in answer.out + answer.err
    assert str(web.port) not in found.out + keyturn("notify", "list", "--json").out


def test_a_rule_for_an_unknown_account_is_reported(home: Home, snapshot: SnapshotAssertion):
    """SY-03: once, with the accounts that there are."""
    home.account("PA7").path.mkdir(parents=True)
    rule = '[notify.rules.first]\nchannels = ["phone"]\naccounts = ["PA7", "PA8"]\n'
    home.settings.write_text(SETTINGS + rule + rule.replace("first", "other").replace("PA8", "demo"))

    with ExitStack() as stack:
        host = Host.of({**os.environ, "KEYTURN_HOME": str(home.settings.parent)})
        runtime = demo_runtime(host, DemoOptions(), stack)
        said = [note for note in runtime.engine.notes if "notify" in note]

    assert said == snapshot
