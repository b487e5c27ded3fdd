"""`keyturn notify`: a test of each channel says what came of it; the watchdog reaches a person without an engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core.model.notice import NoticeKind
from state.folders import Home
from state.heartbeat import read
from state.lock import holder
from tests.kit.waiting import PATIENCE
from tests.scenarios.backtests import Keyturn
from tests.scenarios.test_the_watchdog_over_an_engine import OVER_THE_DEMO
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
def test_a_test_of_a_kind_goes_to_its_channels_and_says_which_took_it(keyturn: Keyturn, web: WebServer):
    """SY-03: also in quiet hours."""
    found = keyturn("notify", "test", "exit-waiting")

    assert (found.code, found.out) == (0, "phone: delivered\n")
    (told,) = web.heard
    assert told["title"] == "Keyturn TEST: exit waiting"
    assert "a test of this channel; nothing happened at the desk" in told["message"]


@pytest.mark.usefixtures("home")
def test_a_test_of_a_kind_says_which_channel_failed_and_why(keyturn: Keyturn):
    """SY-03"""
    found = keyturn("notify", "test", "breaker")

    assert found.code == 1
    assert "phone: delivered" in found.out
    assert "hook: NOT delivered, the receiver said no (500)" in found.out
    assert "nowhere: NOT delivered, the channel has no address" in found.out
    as_json = keyturn("notify", "test", "breaker", "--json", "--channel", "hook").out
    assert '"status": 500' in as_json


@pytest.mark.usefixtures("home")
def test_every_kind_can_be_tried(keyturn: Keyturn, web: WebServer):
    """SY-03"""
    for kind in NoticeKind:
        assert keyturn("notify", "test", kind.value, "--channel", "phone").code == 0
    assert len(web.heard) == len(NoticeKind)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("fills",), "fills: is no kind of notice; there are: fill, stop, exit_waiting"),
        (("fill", "--channel", "fax"), "--channel fax: is no channel; there are: phone, hook, nowhere"),
        (("fill", "--severity", "loud"), "--severity loud: must be info, warning, urgent"),
    ],
)
def test_what_is_typed_wrongly_is_refused_in_one_line(keyturn: Keyturn, words: tuple[str, ...], why: str):
    """SY-03"""
    found = keyturn("notify", "test", *words)
    assert found.code == 2
    assert why in found.err
    assert found.err.count("\n") == 1


def test_a_kind_that_no_rule_takes_is_said(keyturn: Keyturn, home: Home):
    """SY-03"""
    home.settings.write_text("[notify.channels.phone]\n")
    assert "no rule tells anybody of fill" in keyturn("notify", "test", "fill").err


def test_the_list_says_where_addresses_are_and_none_of_them(keyturn: Keyturn, home: Home, web: WebServer):
    """SY-03, SY-06"""
    home.settings.write_text(
        SETTINGS.replace("[notify]\n", '[notify]\ncommand = ["/bin/false", "--token", "hush"]\n', 1)
    )
    found = keyturn("notify", "list")
    asked = (("notify", "list", "--json"), ("notify", "test", "kill", "--channel", "command"), ("status", "--json"))

    assert "channel command: address /bin/false, in the settings" in found.out
    for words in asked:
        answer = keyturn(*words)
        assert "hush" not in answer.out + answer.err
    assert "channel phone: address in KEYTURN_CHANNEL_PHONE" in found.out
    assert "channel nowhere: address MISSING: set KEYTURN_CHANNEL_NOWHERE" in found.out
    assert "rule bad: breaker from info on; to hook, nowhere" in found.out
    assert str(web.port) not in found.out + keyturn("notify", "list", "--json").out


def a_watchdog(home: Home, silent_seconds: float) -> subprocess.Popen[str]:
    environ = {**os.environ, "KEYTURN_HOME": str(home.settings.parent)}
    return subprocess.Popen(
        [sys.executable, "-c", OVER_THE_DEMO, str(silent_seconds)], env=environ, stderr=subprocess.PIPE, text=True
    )


def until(holds: object, watchdog: subprocess.Popen[str]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not come"
        assert watchdog.poll() is None
        time.sleep(0.02)


def test_a_rule_about_an_account_that_nobody_knows_is_said_at_the_start(home: Home):
    """SY-03: once, with the accounts that there are."""
    home.account("PA7").path.mkdir(parents=True)
    rule = '[notify.rules.first]\nchannels = ["phone"]\naccounts = ["PA7", "PA8"]\n'
    home.settings.write_text(SETTINGS + rule + rule.replace("first", "other").replace("PA8", "demo"))

    with ExitStack() as stack:
        host = Host.of({**os.environ, "KEYTURN_HOME": str(home.settings.parent)})
        runtime = demo_runtime(host, DemoOptions(), stack)
        said = [note for note in runtime.engine.notes if "notify" in note]

    assert said == ["notify.rules.first.accounts: PA8: no account of this home; there are: PA7, demo"]


def test_the_watchdog_tells_a_person_by_itself_that_the_engine_hangs_or_died(
    tmp_path: Path, home: Home, web: WebServer
):
    """SY-02: push included. No engine takes part: one is stopped, the other killed."""
    home = Home.of({"KEYTURN_HOME": str(tmp_path / "home")})
    watchdog = a_watchdog(home, silent_seconds=2.0)
    try:
        folder = home.account("demo")

        def is_on() -> bool:
            beaten = read(folder)
            return beaten is not None and beaten[0].pid == holder(folder) and beaten[0].state == "on"

        until(is_on, watchdog)
        first = holder(folder)
        assert first is not None
        os.kill(first, signal.SIGSTOP)
        until(lambda: any("no heartbeat for" in each["message"] for each in web.heard), watchdog)
        until(lambda: holder(folder) != first and is_on(), watchdog)
        second = holder(folder)
        assert second is not None
        os.kill(second, signal.SIGKILL)
        until(lambda: any("signal SIGKILL" in each["message"] for each in web.heard[1:]), watchdog)
        until(is_on, watchdog)
    finally:
        watchdog.terminate()
        said = watchdog.communicate(timeout=PATIENCE)[1]

    assert "phone was told" in said
    assert all(each["title"] == "Keyturn demo: watchdog" for each in web.heard)
    assert str(web.port) not in said


def test_an_engine_that_stays_down_over_a_wrong_settings_file_is_told_of(tmp_path: Path, home: Home, web: WebServer):
    """SY-02: by the terms that held before; the file is what keeps the engine down."""
    home = Home.of({"KEYTURN_HOME": str(tmp_path / "home")})
    watchdog = a_watchdog(home, silent_seconds=PATIENCE)
    try:
        folder = home.account("demo")

        def is_on() -> bool:
            beaten = read(folder)
            return beaten is not None and beaten[0].pid == holder(folder) and beaten[0].state == "on"

        until(lambda: is_on() and home.watchdog_terms.exists(), watchdog)
        with home.settings.open("a") as file:
            file.write("[risk]\ntypo = 1\n")
        engine = holder(folder)
        assert engine is not None
        os.kill(engine, signal.SIGKILL)
        said = watchdog.communicate(timeout=PATIENCE)[1]
    finally:
        watchdog.kill()

    assert watchdog.returncode == 2
    told = [each["message"] for each in web.heard]
    assert any("signal SIGKILL" in each for each in told)
    assert any("a restart would end so again" in each for each in told)
    assert "risk.typo" in said
    assert "alerts go by the [notify] that this watchdog read soundly last" in said
    assert list(home.watchdog_owed.iterdir()) == []
