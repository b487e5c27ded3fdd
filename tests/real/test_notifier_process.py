"""The notifier's own process: one that hangs is ended with all that it began, one that is killed is started again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.messages.effects import SendNotification
from core.messages.inputs import NotificationAnswered
from core.model.delivery import DeliveryCode
from core.runtime.notifier.message import Message
from core.runtime.notifier.process import Notifier
from core.settings.service import NotifySettings
from tests.kit.proxy import a_proxy
from tests.real.tools import is_running
from tests.real.waiting import until
from tests.wire.receivers import HANG, WebServer, a_web_server

FILL = Message("Keyturn paper demo: fill SPY", "10:00 New York fill: bought 10 SPY at 590.12")
SECRET = "tk-SECRET-0123456789"  # pragma: allowlist secret


@pytest.fixture
def web() -> Iterator[WebServer]:
    with a_web_server() as server:
        yield server


@pytest.fixture
def notifiers() -> Iterator[list[Notifier]]:
    made: list[Notifier] = []
    yield made
    for each in made:
        each.close()


def a_notifier(
    made: list[Notifier],
    addresses: Mapping[str, str],
    *,
    seconds: int = 100,
    command: tuple[str, ...] = (),
    environ: Mapping[str, str] | None = None,
) -> Notifier:
    channels = {name: {"by": "apprise"} for name in addresses}
    settings = NotifySettings.model_validate({"seconds": seconds, "channels": channels, "command": command})
    find = lambda name: SecretStr(addresses[name])  # noqa: E731 - what a keyring would say
    notifier = Notifier(settings, find, os.environ if environ is None else environ)
    made.append(notifier)
    return notifier


def test_the_time_limit_ends_a_try(web: WebServer, notifiers: list[Notifier]) -> None:
    """SY-03: at a receiver that hangs, whatever the library would wait for."""
    notifier, found = a_notifier(notifiers, {"hang": web.url(HANG)}, seconds=3), list[DeliveryCode]()
    while not web.heard:  # on a slow machine the limit may end a try before it has met anybody
        found.append(notifier.deliver("hang", FILL).code)

    assert set(found) == {DeliveryCode.TIMED_OUT}


def test_a_proxy_that_hangs_is_named(notifiers: list[Notifier]) -> None:
    """EX-26: what `keyturn notify test` prints"""
    with a_proxy() as proxy:
        proxy.hangs, environ = True, {**os.environ, "HTTPS_PROXY": f"http://{proxy.place}", "NO_PROXY": ""}
        notifier = a_notifier(notifiers, {"far": "jsons://receiver.test/x"}, seconds=2, environ=environ)
        found = notifier.deliver("far", FILL)

    assert found.code is DeliveryCode.TIMED_OUT
    assert f"{proxy.place} of HTTPS_PROXY" in found.said


def test_a_program_that_hangs_is_killed_with_its_children(notifiers: list[Notifier], tmp_path: Path) -> None:
    """OP-06"""
    hangs, pids = tmp_path / "hangs", tmp_path / "pids"
    hangs.write_text(f"#!/bin/sh\nsleep 1000 &\necho $! $$ > {pids}.new\nmv {pids}.new {pids}\nsleep 1000\n")
    hangs.chmod(0o700)
    notifier, found = a_notifier(notifiers, {}, seconds=2, command=(str(hangs),)), list[DeliveryCode]()

    while not pids.exists():
        found.append(notifier.deliver("command", FILL).code)

    assert set(found) == {DeliveryCode.TIMED_OUT}
    for pid in map(int, pids.read_text().split()):
        until(lambda pid=pid: not is_running(pid), "its end")


def test_a_receiver_that_hangs_blocks_no_other(web: WebServer, notifiers: list[Notifier]) -> None:
    """SY-03: each try has a process of its own; and a notifier that is killed with them is started again."""
    notifier = a_notifier(notifiers, {"hang": web.url(HANG), "phone": web.ntfy})
    found: list[NotificationAnswered] = []
    notifier.send(SendNotification("hang", True, (1,), 1, FILL.title, FILL.text), found.append)
    until(lambda: web.heard, "the message that hangs")
    assert notifier.deliver("phone", FILL).code is DeliveryCode.DELIVERED
    assert found == []
    assert notifier._worker is not None
    notifier._worker.end()
    until(lambda: found, "its end")

    assert found[0].delivery.code is DeliveryCode.UNCLEAR
    assert notifier.deliver("phone", FILL).code is DeliveryCode.DELIVERED


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_no_secret_is_in_its_arguments_or_environment(web: WebServer, notifiers: list[Notifier]) -> None:
    """SY-03, SY-06"""
    keys = {"KEYTURN_CHANNEL_X": SECRET, "APCA_API_SECRET_KEY": "a-broker-s-key"}  # pragma: allowlist secret
    address = f"json://me:{SECRET}@127.0.0.1:{web.port}/{SECRET}"
    notifier = a_notifier(notifiers, {"x": address}, environ={**os.environ, **keys})

    assert notifier.deliver("x", FILL).code is DeliveryCode.DELIVERED
    assert notifier._worker is not None
    pid = notifier._worker._process.pid
    told = Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()
    assert SECRET.encode() not in told
    assert b"a-broker-s-key" not in told


def test_the_engines_process_does_not_load_apprise() -> None:
    """SY-03: what is heavy is in the notifier's process alone."""
    looks = "import core.runtime.notifier.process, core.runtime.live, sys; sys.exit('apprise' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", looks], check=False).returncode == 0
