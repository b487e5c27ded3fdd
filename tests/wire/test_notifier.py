"""Messages to real receivers on the loopback: delivered, failed and why; no secret leaves.

What the notifier's process does for one message is done in this process; the process itself is tested in tests/real.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from datetime import timedelta
from pathlib import Path

import apprise
import pytest
import requests
from pydantic import SecretStr
from syrupy.assertion import SnapshotAssertion

from core.model import delivery
from core.model.delivery import Delivery, DeliveryCode
from core.model.report_sheet import CUT, ReportSheet, html_of, lines_of, section_of
from core.ports import OperatorError
from core.runtime.notifier import child, process
from core.runtime.notifier.message import Message, Request
from core.runtime.notifier.process import Notifier
from core.settings.service import NotifySettings
from state.credentials import find_address
from tests.kit.timeline import Timeline
from tests.wire.receivers import WebServer, a_mail_server, a_web_server, closed_port

SHEET = ReportSheet(
    "Thursday 19 November 2026",
    "equity +1.00 USD",
    (section_of("result", (("fees", "-0.10 USD"), ("open result", "+2.00 USD"))),),
    "claude",
    ("calm & quiet",),
)
REPORT = Message(SHEET.title, "\n".join((SHEET.head, *lines_of(SHEET))), html=html_of(SHEET, [SHEET.head]))
FILL = Message("Keyturn paper demo: fill SPY", "10:00 New York fill: bought 10 SPY at 590.12")


class Worker:
    """Does what the notifier's process does for each message, in the thread that asks."""

    has_ended, has_answered = False, True

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ

    def ask(self, request: Request) -> Future[Delivery]:
        answer: Future[Delivery] = Future()
        met = child._met_sockets()
        delivery = child._delivered(request)
        answer.set_result(child._harmless(child._judged(delivery, bool(met)), request.address))
        return answer

    def shut(self) -> None:
        """It is no process."""


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch, timeline: Timeline) -> None:
    """What a try changes in its own process is put back."""
    monkeypatch.setattr(process, "Worker", Worker)
    for place in (requests.adapters, requests.sessions):
        monkeypatch.setattr(place, "HTTPAdapter", requests.adapters.HTTPAdapter)
    monkeypatch.setattr(socket.socket, "connect", socket.socket.connect)
    monkeypatch.setattr(logging.getLogger("apprise"), "handlers", [])
    monkeypatch.setenv("NO_PROXY", "")


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


def test_a_message_reaches_every_channel(web: WebServer, notifiers, tmp_path: Path):
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


def test_a_message_has_no_link_and_no_action(web: WebServer, notifiers):
    """SY-03: no link, no picture, no action, whatever the library would add by itself."""
    with a_mail_server() as mail:
        notifier = a_notifier(notifiers, {"phone": web.ntfy, "hook": web.url("hook"), "mail": mail.url})
        for name in ("phone", "hook", "mail"):
            notifier.deliver(name, FILL)
        told = repr(web.heard) + mail.mails[0].as_string()

    assert not [
        word for word in ("http", "href", "actions", "click", "icon", 'attach":', "github") if word in told.lower()
    ]


def test_a_report_is_a_page_in_a_mail_and_text_elsewhere(web: WebServer, notifiers):
    """SY-03: the mail has a plain part beside it; no link and no picture is in any"""
    with a_mail_server() as mail:
        addresses = {"phone": web.ntfy, "hook": web.url("hook"), "mail": mail.url, "text": f"{mail.url}&format=text"}
        notifier = a_notifier(notifiers, addresses)
        for name in addresses:
            assert notifier.deliver(name, REPORT).code is DeliveryCode.DELIVERED
        letter, as_text = mail.mails

    assert [heard["message"] for heard in web.heard] == [REPORT.text] * 2
    plain, page = letter.get_payload()
    assert (plain.get_content_type(), page.get_content_type()) == ("text/plain", "text/html")
    assert page.get_payload(decode=True).decode() == REPORT.html
    said = plain.get_payload(decode=True).decode()
    assert "fees: -0.10 USD" in said
    assert "› calm & quiet" in said
    assert "<" not in said
    assert as_text.get_content_type() == "text/plain"
    assert as_text.get_payload(decode=True).decode().splitlines() == REPORT.text.split("\n")
    assert not [word for word in ("http", "href", "src=") if word in letter.as_string().lower()]


def test_a_short_service_gets_whole_lines(web: WebServer, notifiers, monkeypatch: pytest.MonkeyPatch):
    """SY-03: Pushover takes 1,024 characters, and a text that is cut says so"""
    monkeypatch.setattr(type(apprise.Apprise.instantiate(web.url())), "body_maxlen", 80)
    notifier = a_notifier(notifiers, {"hook": web.url("hook")})

    assert notifier.deliver("hook", REPORT).code is DeliveryCode.DELIVERED

    *kept, last = web.heard[0]["message"].split("\n")
    assert kept == REPORT.text.split("\n")[: len(kept)]
    assert (kept[0], last) == (SHEET.head, CUT)


def test_answers_of_500_and_of_200_twice(web: WebServer, notifiers):
    """SY-03"""
    notifier = a_notifier(notifiers, {"bad": web.url("500"), "twice": web.url("twice")})

    bad, twice = notifier.deliver("bad", FILL), notifier.deliver("twice", FILL)

    assert (bad.code, bad.status) == (DeliveryCode.REFUSED, 500)
    assert twice.code is DeliveryCode.DELIVERED
    assert len(web.heard) == 2


def test_a_refusal_for_good_says_what_the_answer_names(web: WebServer, notifiers):
    """SY-03: a Telegram group that became a supergroup has another id; an address that is gone has none"""
    notifier = a_notifier(notifiers, {"moved": web.url("moved"), "gone": web.url("404")})

    moved, gone = notifier.deliver("moved", FILL), notifier.deliver("gone", FILL)

    assert (moved.code, moved.status) == (DeliveryCode.REFUSED_FOR_GOOD, 400)
    assert "-1001234567890" in moved.said
    assert (gone.code, gone.status) == (DeliveryCode.REFUSED_FOR_GOOD, 404)
    assert "another id" not in gone.said


def test_how_a_program_can_fail(notifiers, tmp_path: Path):
    """OP-06, SY-03: being written, it is busy and tried again; what is missing or no program is for a person to fix."""
    program, plain, fails = tmp_path / "push", tmp_path / "plain", tmp_path / "fails"
    for path in (program, plain):
        path.write_text("#!/bin/sh\ncat > /dev/null\n")
    fails.write_text("#!/bin/sh\nexit 7\n")
    for path in (program, fails):
        path.chmod(0o700)

    def end(path: Path) -> tuple[DeliveryCode, int | None]:
        delivery = a_notifier(notifiers, {}, command=(str(path),)).deliver("command", FILL)
        return delivery.code, delivery.status

    with program.open("a"):
        assert end(program) == (DeliveryCode.NOT_SENT, None)
    assert end(program) == (DeliveryCode.DELIVERED, None)
    assert end(fails) == (DeliveryCode.REFUSED, 7)
    for path in (tmp_path / "missing", plain, tmp_path):
        assert end(path) == (DeliveryCode.BAD_ADDRESS, None), path


def test_a_watchdog_retries_a_locked_keyring(web: WebServer, monkeypatch, snapshot: SnapshotAssertion):
    """SY-02, SY-03"""
    from state.watchdog import alerts

    monkeypatch.setattr(delivery, "FIRST_WAIT", timedelta(seconds=0.1))
    finds = [None, SecretStr(web.url("hook"))]
    rules = {"channels": {"hook": {}}, "rules": {"all": {"channels": ["hook"]}}}
    terms = alerts.PushTerms(NotifySettings.model_validate(rules), lambda _: finds.pop(0), os.environ)
    pusher = alerts.Push(lambda: terms)

    pusher.send("the engine hangs", "paper")
    pusher.finish(60)

    assert pusher.told() == snapshot
    assert len(web.heard) == 1


def test_a_closed_port_means_not_sent(notifiers):
    """SY-03: only what surely never left may be sent once more where it is not urgent."""
    with closed_port() as port:
        gone = a_notifier(notifiers, {"gone": f"json://127.0.0.1:{port}/x"}).deliver("gone", FILL)
    assert gone.code is DeliveryCode.NOT_SENT


def test_nothing_crosses_a_network_in_the_clear(notifiers):
    """SY-06: refused before anybody is asked."""
    for address in (
        "json://example.com/hook",
        "ntfy://my-topic",
        "jsons://example.com/hook?verify=no",
        "mailto://me:word@example.com",  # pragma: allowlist secret
        "mailtos://me:word@example.com?mode=insecure",  # pragma: allowlist secret
        "rsyslog://example.com",
    ):
        end = a_notifier(notifiers, {"x": address}).deliver("x", FILL)
        assert end.code is DeliveryCode.NOT_ENCRYPTED, address


def test_a_redirect_is_not_followed(web: WebServer, notifiers):
    """SY-06: a redirect is no delivery, and is not followed."""
    end = a_notifier(notifiers, {"x": web.url("307")}).deliver("x", FILL)
    assert end.code is not DeliveryCode.DELIVERED
    assert len(web.heard) == 1


def test_an_address_is_not_in_the_words_of_a_failure(web: WebServer, notifiers):
    """SY-03, SY-06"""
    secret = "tk-SECRET-0123456789"  # pragma: allowlist secret
    end = a_notifier(notifiers, {"x": f"json://me:{secret}@127.0.0.1:{web.port}/500/{secret}"}).deliver("x", FILL)

    assert end.status == 500
    assert secret not in repr(end)


@pytest.mark.parametrize("code", [DeliveryCode.REFUSED, DeliveryCode.REFUSED_FOR_GOOD, DeliveryCode.UNCLEAR])
def test_a_receivers_words_name_no_part_of_the_address(code: DeliveryCode) -> None:
    """SY-06: a library names the group, a program its whole line"""
    told = Delivery(code, 404, "no tk-SECRET-0123456789\x1b[2J")  # pragma: allowlist secret
    said = child._harmless(told, "tgram://1:tk-SECRET-0123456789/-4012345678").said  # pragma: allowlist secret

    assert "SECRET" not in said
    assert said.isprintable()


# ── addresses ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_address_comes_from_the_environment(notifiers):
    """SY-03: without a keyring there is none in it."""
    assert find_address({"KEYTURN_CHANNEL_PHONE": "ntfys://x/y"}, "phone") == SecretStr("ntfys://x/y")
    settings = NotifySettings.model_validate({"channels": {"phone": {}}})
    notifier = Notifier(settings, lambda _: None, os.environ)
    notifiers.append(notifier)

    assert notifier.deliver("phone", FILL).code is DeliveryCode.NO_ADDRESS
    assert notifier.deliver("other", FILL).code is DeliveryCode.NO_CHANNEL


def test_a_locked_keyring_is_reported(notifiers):
    """SY-03"""

    def locked(_: str) -> SecretStr:
        raise OperatorError("locked")

    notifier = Notifier(NotifySettings.model_validate({"channels": {"phone": {}}}), locked, os.environ)
    notifiers.append(notifier)
    end = notifier.deliver("phone", FILL)
    assert (end.code, end.said) == (DeliveryCode.NO_ADDRESS, "locked")


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


def test_a_channel_is_found_by_its_entry_point(notifiers, tmp_path: Path, monkeypatch, snapshot: SnapshotAssertion):
    """SY-03: installed as any package is, and named by `by`."""
    (tmp_path / "my_pager.py").write_text(PAGER)
    installed = tmp_path / "my_pager-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: my-pager\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[keyturn.channels]\npager = my_pager:send\n")
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "pager.txt"
    notifier = a_notifier(notifiers, {"pager": str(file)}, by="pager")

    assert notifier.deliver("pager", FILL).code is DeliveryCode.DELIVERED
    full = notifier.deliver("pager", Message("kill", "now", is_urgent=True))

    assert file.read_text() == f"{FILL.title}: {FILL.text}\n"
    assert (full.code, full.status) == (DeliveryCode.REFUSED, 42)
    assert full.said == snapshot
    absent = a_notifier(notifiers, {"x": "y"}, by="semaphore").deliver("x", FILL)
    assert absent.code is DeliveryCode.NO_SUCH_KIND
    assert absent.said == snapshot
