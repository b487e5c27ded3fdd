"""Messages to real receivers on the loopback: delivered, failed and why; what hangs is ended, secrets stay secret."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.messages.effects import SendNotification
from core.messages.inputs import NotificationAnswered
from core.model.notice import Delivery, DeliveryCode
from core.ports import OperatorError
from core.runtime.notifier import process
from core.runtime.notifier.message import Message
from core.runtime.notifier.process import Notifier
from core.settings.notify import NotifySettings
from state.channel_addresses import find_address
from tests.wire.receivers import HANGS, WebServer, a_mail_server, a_web_server, free_port

FILL = Message("Keyturn paper demo: fill SPY", "10:00 New York fill: bought 10 SPY at 590.12")
ROOT = Path(__file__).resolve().parents[2]


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
    seconds: int = 30,
    command: tuple[str, ...] = (),
    by: str = "apprise",
    environ: Mapping[str, str] | None = None,
) -> Notifier:
    channels = {name: {"by": by} for name in addresses}
    settings = NotifySettings.model_validate({"seconds": seconds, "channels": channels, "command": command})
    find = lambda name: SecretStr(addresses[name])  # noqa: E731 - what a keyring would say
    notifier = Notifier(settings, find, os.environ if environ is None else environ)
    made.append(notifier)
    return notifier


def test_a_message_reaches_ntfy_a_webhook_a_mailbox_and_a_program(web: WebServer, notifiers, tmp_path: Path):
    """SY-03, OP-06: `notify.command` has it on its standard input."""
    program = tmp_path / "push"
    program.write_text(f"#!/bin/sh\ncat > {tmp_path}/heard\n")
    program.chmod(0o700)
    with a_mail_server() as mail:
        addresses = {"phone": web.ntfy, "hook": web.url("hook"), "mail": mail.url}
        notifier = a_notifier(notifiers, addresses, command=(str(program), "--quiet"))
        ends = [notifier.deliver(name, FILL).code for name in ("phone", "hook", "mail", "command")]

        assert ends == [DeliveryCode.DELIVERED] * 4
        ntfy, hook = web.heard
        (letter,) = mail.mails
    assert (ntfy["topic"], ntfy["title"], ntfy["message"]) == ("my-topic", FILL.title, FILL.text)
    assert (hook["title"], hook["message"]) == (FILL.title, FILL.text)
    assert FILL.title in str(letter["Subject"])
    assert (tmp_path / "heard").read_text() == f"{FILL.title}\n\n{FILL.text}\n"


def test_nothing_in_what_a_receiver_gets_can_be_pressed(web: WebServer, notifiers):
    """SY-03: no link, no picture, no action, whatever the library would add by itself."""
    with a_mail_server() as mail:
        notifier = a_notifier(notifiers, {"phone": web.ntfy, "hook": web.url("hook"), "mail": mail.url})
        for name in ("phone", "hook", "mail"):
            notifier.deliver(name, FILL)
        told = repr(web.heard) + mail.mails[0].as_string()

    assert not [
        word for word in ("http", "href", "actions", "click", "icon", 'attach":', "github") if word in told.lower()
    ]


def test_a_receiver_that_says_500_and_one_that_says_200_twice(web: WebServer, notifiers):
    """SY-03"""
    notifier = a_notifier(notifiers, {"bad": web.url("500"), "twice": web.url("twice")})

    bad, twice = notifier.deliver("bad", FILL), notifier.deliver("twice", FILL)

    assert (bad.code, bad.status) == (DeliveryCode.REFUSED, 500)
    assert twice.code is DeliveryCode.DELIVERED
    assert len(web.heard) == 2


def test_a_receiver_that_hangs_is_left_after_the_time_and_keeps_no_other_waiting(web: WebServer, notifiers):
    """SY-03: the time limit is a limit, and each try has a process of its own."""
    notifier = a_notifier(notifiers, {"hang": web.url("hang"), "phone": web.ntfy}, seconds=3)
    notifier.deliver("phone", FILL)
    found: list[Delivery] = []
    hanging = threading.Thread(target=lambda: found.append(notifier.deliver("hang", FILL)))
    begun = time.monotonic()
    hanging.start()
    while len(web.heard) < 2:
        time.sleep(0.01)

    assert notifier.deliver("phone", FILL).code is DeliveryCode.DELIVERED
    assert hanging.is_alive()
    hanging.join()
    assert found[0].code is DeliveryCode.TIMED_OUT
    assert time.monotonic() - begun < HANGS


def test_a_program_that_hangs_ends_with_all_that_it_began_and_one_that_fails_says_with_what(notifiers, tmp_path: Path):
    """OP-06"""
    hangs, fails = tmp_path / "hangs", tmp_path / "fails"
    hangs.write_text(f"#!/bin/sh\nsh -c 'sleep 2.5; touch {tmp_path}/lived' &\nsleep 20\n")
    fails.write_text("#!/bin/sh\nexit 7\n")
    for program in (hangs, fails):
        program.chmod(0o700)

    slow = a_notifier(notifiers, {}, seconds=1, command=(str(hangs),)).deliver("command", FILL)
    bad = a_notifier(notifiers, {}, command=(str(fails),)).deliver("command", FILL)
    absent = a_notifier(notifiers, {}, command=("/nowhere/push",)).deliver("command", FILL)

    assert slow.code is DeliveryCode.TIMED_OUT
    assert (bad.code, bad.status) == (DeliveryCode.REFUSED, 7)
    assert (absent.code, "No such file" in absent.said) == (DeliveryCode.BAD_ADDRESS, True)
    time.sleep(2.5)
    assert not (tmp_path / "lived").exists()


def test_a_program_that_is_not_there_is_known_from_one_that_cannot_start_just_now(notifiers, tmp_path: Path):
    """SY-03: being written, it is busy and tried again; what is missing or no program is for a person to mend."""
    program, plain = tmp_path / "push", tmp_path / "plain"
    for path in (program, plain):
        path.write_text("#!/bin/sh\ncat > /dev/null\n")
    program.chmod(0o700)

    def end(path: Path) -> DeliveryCode:
        return a_notifier(notifiers, {}, command=(str(path),)).deliver("command", FILL).code

    with program.open("a"):
        assert end(program) is DeliveryCode.NOT_SENT
    assert end(program) is DeliveryCode.DELIVERED
    for path in (tmp_path / "missing", plain, tmp_path):
        assert end(path) is DeliveryCode.BAD_ADDRESS


def test_a_watchdog_whose_keyring_was_locked_once_tries_again(web: WebServer, monkeypatch):
    """SY-02, SY-03"""
    from state.watchdog import push

    monkeypatch.setattr(push, "FIRST_WAIT", timedelta(seconds=0.1))
    finds = [None, SecretStr(web.url("hook"))]
    rules = {"channels": {"hook": {}}, "rules": {"all": {"channels": ["hook"]}}}
    terms = push.PushTerms(NotifySettings.model_validate(rules), lambda _: finds.pop(0), os.environ)
    pusher = push.Push(lambda: terms)

    pusher.send("the engine hangs", "paper")
    pusher.finish(60)

    assert pusher.told() == ["hook was NOT told: no address", "hook was told"]
    assert len(web.heard) == 1


def test_nobody_there_is_known_from_a_message_that_failed_on_its_way(notifiers):
    """SY-03: only what surely never left may be sent once more where it is not urgent."""
    gone = a_notifier(notifiers, {"gone": f"json://127.0.0.1:{free_port()}/x"}).deliver("gone", FILL)
    assert gone.code is DeliveryCode.NOT_SENT


@pytest.mark.parametrize(
    "address",
    [
        "json://example.com/hook",
        "ntfy://my-topic",
        "jsons://example.com/hook?verify=no",
        "mailto://me:word@example.com",  # pragma: allowlist secret
        "mailtos://me:word@example.com?mode=insecure",  # pragma: allowlist secret
        "rsyslog://example.com",
    ],
)
def test_nothing_crosses_a_network_in_the_clear(address: str, notifiers):
    """SY-06: refused before anybody is asked."""
    end = a_notifier(notifiers, {"x": address}, seconds=60).deliver("x", FILL)
    assert end.code is DeliveryCode.NOT_ENCRYPTED


def test_a_receiver_cannot_send_a_message_on_to_another_machine(web: WebServer, notifiers):
    """SY-06: a redirect is no delivery, and is not followed."""
    end = a_notifier(notifiers, {"x": web.url("307")}).deliver("x", FILL)
    assert end.code is not DeliveryCode.DELIVERED
    assert len(web.heard) == 1


def test_an_address_is_in_no_argument_no_variable_and_no_word_of_a_failure(web: WebServer, notifiers):
    """SY-03, SY-06"""
    secret = "tk-SECRET-0123456789"  # pragma: allowlist secret
    keys = {"KEYTURN_CHANNEL_X": secret, "APCA_API_SECRET_KEY": "a-broker-s-key"}  # pragma: allowlist secret
    address = f"json://me:{secret}@127.0.0.1:{web.port}/500/{secret}"
    notifier = a_notifier(notifiers, {"x": address}, environ={**os.environ, **keys})

    end = notifier.deliver("x", FILL)

    assert end.status == 500
    assert secret not in repr(end)
    worker = notifier._worker
    assert worker is not None
    pid = worker._process.pid
    if sys.platform.startswith("linux"):
        assert secret.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
        handed_on = Path(f"/proc/{pid}/environ").read_bytes()
        assert secret.encode() not in handed_on
        assert b"a-broker-s-key" not in handed_on


def test_the_engines_process_never_loads_the_library(web: WebServer, notifiers):
    """SY-03: what is heavy is in the notifier's process alone."""
    assert a_notifier(notifiers, {"x": web.ntfy}).deliver("x", FILL).code is DeliveryCode.DELIVERED
    assert "apprise" not in sys.modules


def test_a_notifier_whose_process_is_killed_begins_another(web: WebServer, notifiers):
    """SY-03"""
    notifier = a_notifier(notifiers, {"hang": web.url("hang"), "phone": web.ntfy}, seconds=20)
    found: list[NotificationAnswered] = []
    notifier.send(SendNotification("hang", True, (1,), 1, FILL.title, FILL.text), found.append)
    until = time.monotonic() + 10
    while not web.heard and time.monotonic() < until:
        time.sleep(0.01)
    assert notifier._worker is not None
    notifier._worker.end()
    while not found and time.monotonic() < until:
        time.sleep(0.01)

    assert found[0].delivery.code is DeliveryCode.UNCLEAR
    assert notifier.deliver("phone", FILL).code is DeliveryCode.DELIVERED


# ── addresses ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_address_is_looked_for_in_the_environment_and_missed_by_name(notifiers):
    """SY-03: without a keyring there is none in it."""
    assert find_address({"KEYTURN_CHANNEL_PHONE": "ntfys://x/y"}, "phone") == SecretStr("ntfys://x/y")
    settings = NotifySettings.model_validate({"channels": {"phone": {}}})
    notifier = Notifier(settings, lambda _: None, os.environ)
    notifiers.append(notifier)

    assert notifier.deliver("phone", FILL).code is DeliveryCode.NO_ADDRESS
    assert notifier.deliver("other", FILL).code is DeliveryCode.NO_CHANNEL


def test_a_keyring_that_does_not_open_is_said(notifiers):
    """SY-03"""

    def locked(_: str) -> SecretStr:
        raise OperatorError("the keyring does not open")

    notifier = Notifier(NotifySettings.model_validate({"channels": {"phone": {}}}), locked, os.environ)
    notifiers.append(notifier)
    end = notifier.deliver("phone", FILL)
    assert (end.code, end.said) == (DeliveryCode.NO_ADDRESS, "the keyring does not open")


# ── a channel of one's own ───────────────────────────────────────────────────────────────────────────────────────────

PAGER = '''
"""Writes each message into a file: a pager of ten lines."""
from core.runtime.notifier.message import Message, RefusedError


def send(address: str, message: Message) -> None:
    if message.is_urgent:
        raise RefusedError(f"the pager at {address} is full", status=42)
    with open(address, "a") as pager:
        pager.write(f"{message.title}: {message.text}\\n")
'''


def test_a_channel_of_ones_own_is_one_small_file_found_by_its_entry_point(notifiers, tmp_path: Path, monkeypatch):
    """SY-03: installed as any package is, and named by `by`."""
    (tmp_path / "my_pager.py").write_text(PAGER)
    installed = tmp_path / "my_pager-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: my-pager\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[keyturn.channels]\npager = my_pager:send\n")
    begin = tmp_path / "begin.py"
    begin.write_text(
        f"import sys\nsys.path[:0] = [{str(ROOT)!r}, {str(tmp_path)!r}]\n"
        "from core.runtime.notifier.child import main\nmain()\n"
    )
    monkeypatch.setattr(process, "BEGIN", begin)
    file = tmp_path / "pager.txt"
    notifier = a_notifier(notifiers, {"pager": str(file)}, by="pager")

    assert notifier.deliver("pager", FILL).code is DeliveryCode.DELIVERED
    full = notifier.deliver("pager", Message("kill", "now", is_urgent=True))

    assert file.read_text() == f"{FILL.title}: {FILL.text}\n"
    assert (full.code, full.status) == (DeliveryCode.REFUSED, 42)
    assert full.said == "the pager at (hidden) is full"
    absent = a_notifier(notifiers, {"x": "y"}, by="semaphore").deliver("x", FILL)
    assert absent.code is DeliveryCode.NO_SUCH_KIND
    assert "there are: apprise, pager" in absent.said
