"""The notifier as the engine or the watchdog sees it: messages go into a pipe, from separate threads.

The process starts with the first message, and again after it has ended. Those threads look up addresses when needed,
and pass them through the pipe only.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from pathlib import Path

import orjson
from pydantic import SecretStr

from core.messages.effects import MakeReport, SendNotification
from core.messages.inputs import NotificationAnswered, ReportAnswered
from core.model.delivery import Delivery, DeliveryCode
from core.model.lazy_dataclass import dataclass
from core.ports import OperatorError
from core.runtime.inbox import NoThreadError, Threads
from core.runtime.notifier.channels import COMMAND
from core.runtime.notifier.message import Message, Request, answer_in
from core.settings.service import NotifySettings

BEGIN = Path(__file__).with_name("begin.py")
HANDED_ON = (
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "LC_ALL",
    "TZ",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "https_proxy",
    "http_proxy",
    "no_proxy",
    "ALL_PROXY",
    "all_proxy",
)
"""Variables that a channel or command may need; no others are passed on, and none with a broker's key."""
GRACE = 5.0
"""Seconds beyond an attempt's own time-out for the process to answer; after that the next attempt gets a new process.
"""
BEGINNING = 20.0
"""Extra seconds for the first answer: importing Apprise takes a while on a busy machine."""

Reports = Callable[[MakeReport], ReportAnswered]
"""Makes a report in the calling thread. It never raises."""
Find = Callable[[str], SecretStr | None]
"""Returns the address of a channel by its name, or None. Raises `OperatorError`."""


@dataclass(frozen=True, slots=True)
class Channel:
    """The kind of a channel, and its address if the settings have it (only for the command)."""

    by: str
    address: SecretStr | None = None


def channels_in(settings: NotifySettings) -> dict[str, Channel]:
    found = {name: Channel(terms.by) for name, terms in settings.channels.items()}
    if settings.command:
        found[COMMAND] = Channel(COMMAND, SecretStr(orjson.dumps(settings.command).decode()))
    return found


class Notifier:
    """Send messages and report their delivery. Any thread.

    Parameters
    ----------
    find
        Looks up an address.
    environ
        The environment from which the process gets the variables it may need.
    reports
        Makes reports; only an engine's has it.
    """

    def __init__(
        self, settings: NotifySettings, find: Find, environ: Mapping[str, str], reports: Reports | None = None
    ) -> None:
        self._seconds = float(settings.seconds)
        self._channels = channels_in(settings)
        self._find = find
        self._reports = reports
        self._environ = {name: environ[name] for name in HANDED_ON if name in environ}
        self._threads = Threads("notify")
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._worker: Worker | None = None
        self._is_closed = False

    def begin(self) -> None:
        """Start the process now, so that no order has to wait for it later."""
        with suppress(OSError), self._lock:
            self._worker = self._worker or Worker(self._environ)

    def send(self, effect: SendNotification, put: Callable[[NotificationAnswered], None]) -> None:
        """Send without waiting; never raises. `put` is called once, in another thread if one is available."""
        message = Message(effect.title, effect.text, effect.is_urgent, effect.html)

        def act() -> None:
            put(answer_to(effect, self.deliver(effect.channel, message)))

        try:
            self._threads.do(act)
        except NoThreadError:
            put(answer_to(effect, Delivery(DeliveryCode.NOT_SENT)))

    def report(self, effect: MakeReport, put: Callable[[ReportAnswered], None]) -> None:
        """Make a report without waiting; never raises. `put` is called once, in another thread if one is available."""
        reports = self._reports
        if reports is None:
            put(ReportAnswered(effect.day, (), "this notifier makes none"))
            return
        try:
            self._threads.do(lambda: put(reports(effect)))
        except NoThreadError as error:
            put(ReportAnswered(effect.day, (), str(error)))

    def deliver(self, channel: str, message: Message) -> Delivery:
        """Try once in this thread, and wait for the result. Never raises."""
        terms = self._channels.get(channel)
        if terms is None:
            return Delivery(DeliveryCode.NO_CHANNEL, said=f"the settings have no channel {channel!r}")
        try:
            address = terms.address or self._find(channel)
        except OperatorError as error:
            return Delivery(DeliveryCode.NO_ADDRESS, said=str(error))
        if address is None:
            return Delivery(DeliveryCode.NO_ADDRESS, said="neither the environment nor the keyring has its address")
        request = Request(next(self._numbers), terms.by, address.get_secret_value(), message, self._seconds)
        try:
            return self._asked(request)
        except OSError as error:
            return Delivery(DeliveryCode.NOT_SENT, said=f"its process cannot be started: {error.strerror or error}")

    def _asked(self, request: Request) -> Delivery:
        with self._lock:
            if self._is_closed:
                return Delivery(DeliveryCode.NOT_SENT)
            if self._worker is None or self._worker.has_ended:
                self._worker = Worker(self._environ)
            worker = self._worker
            answer = worker.ask(request)
        try:
            return answer.result(self._seconds + GRACE + (0.0 if worker.has_answered else BEGINNING))
        except FutureTimeoutError:
            worker.end()
            return Delivery(DeliveryCode.TIMED_OUT)

    def close(self) -> None:
        """Stop sending. Attempts in progress may finish; their results are not reported."""
        with self._lock:
            self._is_closed = True
            if self._worker is not None:
                self._worker.shut()
        self._threads.close()


def answer_to(effect: SendNotification, delivery: Delivery) -> NotificationAnswered:
    """Return the answer without the receiver's text, which stays in the notifier."""
    kept = Delivery(delivery.code, delivery.status)
    return NotificationAnswered(effect.channel, effect.is_urgent, effect.numbers, effect.tries, kept)


class Worker:
    """One process and the pending answers. Raises OSError if it cannot be started."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-B", str(BEGIN)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=dict(environ),
            close_fds=True,
            start_new_session=True,
        )
        self._waiting: dict[int, Future[Delivery]] = {}
        self._lock = threading.Lock()
        self.has_ended = self.has_answered = False
        threading.Thread(target=self._hear, name="notifier", daemon=True).start()

    def ask(self, request: Request) -> Future[Delivery]:
        answer: Future[Delivery] = Future()
        with self._lock:
            self._waiting[request.id] = answer
        assert self._process.stdin is not None
        try:
            os.write(self._process.stdin.fileno(), request.line())
        except OSError:
            self._lose()
        return answer

    def shut(self) -> None:
        """Accept no more requests; the process ends after its current attempts."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()

    def end(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()

    def _hear(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with suppress(KeyError, TypeError, ValueError):
                number, delivery = answer_in(line)
                self.has_answered = True
                with self._lock:
                    answer = self._waiting.pop(number)
                answer.set_result(delivery)
        self._process.wait()
        self._lose()

    def _lose(self) -> None:
        """Mark the process as ended; the results of its attempts are unknown."""
        self.has_ended = True
        with self._lock:
            waiting, self._waiting = list(self._waiting.values()), {}
        for answer in waiting:
            answer.set_result(Delivery(DeliveryCode.UNCLEAR, said="the notifier's process ended"))
