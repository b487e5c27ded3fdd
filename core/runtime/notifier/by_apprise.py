"""The channel for Apprise, which selects the service by URL. Imported only in the notifier's process.

Network traffic is encrypted and certificates are verified, except on this machine alone (SY-06). Messages are plain
where the library leaves a choice: no image, no link, no redirect, no attachment.
"""

from __future__ import annotations

import logging
import os
import re
from typing import Any
from urllib.parse import urlsplit

import apprise
import requests
from apprise import AppriseAsset, NotifyFormat, NotifyType
from requests.adapters import HTTPAdapter

from core.io.proxies import by_proxy
from core.model.delivery import DELIVERED, Delivery, DeliveryCode
from core.model.report_sheet import fitted
from core.runtime.notifier.message import Message

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1", "[::1]"})
OF_THIS_MACHINE = frozenset({"blink1", "dbus", "qt", "glib", "kde", "gnome", "macosx", "syslog", "windows"})
"""Services whose messages never leave this machine."""
FOR_GOOD = frozenset({400, 401, 403, 404, 410})
"""Answers that the next message of this address gets too."""
MOVED = re.compile(rb'"migrate_to_chat_id"\s*:\s*(-?\d{1,20})')
"""In Telegram's answer for a group that became a supergroup."""
OF_MAIL = (NotifyFormat.HTML, NotifyFormat.TEXT)
"""The forms of services of mail that take two, the usual one first."""
_STATUS = re.compile(r"\berror[=: ]+(\d{3})\b", re.ASCII)


def prepare() -> None:
    """Load every module that an attempt needs, so that each attempt is only a fork."""
    apprise.Apprise.instantiate("json://127.0.0.1", asset=_asset())


def send(address: str, message: Message) -> Delivery:
    """Try once. Called in a process that is killed at its time-out."""
    heard = _Heard()
    logging.getLogger("apprise").addHandler(heard)
    logging.getLogger("apprise").setLevel(logging.WARNING)
    service = apprise.Apprise.instantiate(address, asset=_asset())
    if service is None:
        return Delivery(DeliveryCode.BAD_ADDRESS, said="the address is none that Apprise reads; see its documentation")
    if (why := _in_the_clear(service)) is not None:
        return Delivery(DeliveryCode.NOT_ENCRYPTED, said=why)
    if service.host in LOOPBACK:
        os.environ["NO_PROXY"] = "*"  # only in this process, which ends with its attempt
    _GuardedAdapter.moved_to = ""
    requests.adapters.HTTPAdapter = _GuardedAdapter  # type: ignore[misc]
    requests.sessions.HTTPAdapter = _GuardedAdapter  # type: ignore[attr-defined]
    desk = apprise.Apprise(asset=_asset())
    desk.add(service)
    notify_type = NotifyType.WARNING if message.is_urgent else NotifyType.INFO
    body, form = fitted(message.text, _room(service, message.title)), NotifyFormat.TEXT
    if message.html and _is_mail(service):
        body, form = message.html, NotifyFormat.HTML
    if desk.notify(body=body, title=message.title, notify_type=notify_type, body_format=form):
        return DELIVERED
    said, status = heard.last, _status(heard.last)
    if _GuardedAdapter.moved_to:
        said = f"the group has another id now, {_GuardedAdapter.moved_to}: write it in the channel's address; {said}"
    if status is None:
        said += by_proxy(f"https://{service.host}")
    return Delivery(_code(status), status, said)


def _is_mail(service: Any) -> bool:
    """Whether the service takes pages and is asked for no other form. Telegram takes few tags, and no list."""
    forms = service.notify_format
    is_of_pages = forms == NotifyFormat.HTML or tuple(forms) == OF_MAIL
    return is_of_pages and service.resolve_format(NotifyFormat.HTML) == NotifyFormat.HTML


def _room(service: Any, title: str) -> int:
    """Return the bytes that the service takes of a text: some put the title into it, and most count characters."""
    return max(int(service.body_maxlen) - (0 if service.title_maxlen > 0 else len(title.encode()) + 2), 1)


def _code(status: int | None) -> DeliveryCode:
    if status is None:
        return DeliveryCode.UNCLEAR
    return DeliveryCode.REFUSED_FOR_GOOD if status in FOR_GOOD else DeliveryCode.REFUSED


def _asset() -> AppriseAsset:
    return AppriseAsset(
        app_id="Keyturn",
        app_desc="Keyturn",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        image_path_mask=False,
        http_redirects=False,
        interpret_escapes=False,
        interpret_emojis=False,
        allow_templates=False,
        async_mode=False,
        storage_mode="memory",
        secure_logging=True,
        service_timeout=0,  # the process has its own time-out
    )


def _in_the_clear(service: Any) -> str | None:
    """Return why messages could be read or redirected on their way; None if they cannot."""
    host = str(service.host or "")
    if host in LOOPBACK or service.schema in OF_THIS_MACHINE:
        return None
    if not service.verify_certificate:
        return "verify=no: the certificate of the receiver must be looked at; take it out of the address"
    plain = service.protocol
    plain = set(plain) if isinstance(plain, tuple | list) else {plain}
    is_mail = hasattr(service, "secure_mode")
    if (str(service.secure_mode) == "insecure") if is_mail else (service.schema in plain and not service.secure):
        return f"{service.schema}:// sends in the clear; write {service.schema}s:// where the receiver has TLS"
    return None


class _GuardedAdapter(HTTPAdapter):
    """Refuse unencrypted requests and unverified certificates from any service, except to this machine.

    Its process sends one message: `moved_to` is the id that the answer names in place of the address's.
    """

    moved_to = ""

    def send(self, request: Any, *args: Any, **named: Any) -> Any:
        parts = urlsplit(request.url)
        if parts.hostname not in LOOPBACK and (parts.scheme != "https" or named.get("verify") is False):
            raise requests.exceptions.InvalidURL("it would go in the clear")
        answer = super().send(request, *args, **named)
        if answer.status_code in FOR_GOOD and (found := MOVED.search(answer.content)) is not None:
            _GuardedAdapter.moved_to = found[1].decode()
        return answer


class _Heard(logging.Handler):
    """Keep the library's last log message on a failure."""

    last = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage()


def _status(said: str) -> int | None:
    found = _STATUS.search(said)
    return None if found is None else int(found[1])
