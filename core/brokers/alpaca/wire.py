"""alpaca-py's client with one HTTP request per call, and the counts of requests (EX-17).

The client provides addresses, keys and headers. Its weaknesses are handled in the one method through which every
request goes: it has no time-out, repeats a POST after 429 and 504 by itself, and parses numbers as floats. Its retries
are switched off as well, in case that method is bypassed.

Queries have parsed answers: repeated if that is safe, with errors in one line.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar, cast

import requests
from alpaca.trading.client import TradingClient

from core.brokers.alpaca.answers import (
    OK,
    NoReply,
    NotJsonError,
    Stated,
    Timeouts,
    decoded,
    doubt,
    is_unauthorised,
    refusal,
)
from core.brokers.alpaca.connection_status import RequestStatus
from core.brokers.alpaca.fields import UnparsedMessages, UnreadableFieldError
from core.brokers.alpaca.keys import check_the_keys, checked_address
from core.io.http_requests import (
    LARGEST_BODY,
    LIMITED,
    Reply,
    TooMuchError,
    http_session,
    is_over,
    left,
    reply_to,
    within,
)
from core.model.account import Mode
from core.model.api_contract import AccountRefusedError, Keys
from core.model.broker import NoAnswer
from core.settings.brokers import AlpacaSettings


class CallCounter:
    """Counts requests by endpoint, such as `GET /orders/{id}`, retries included. Any thread.

    Attributes
    ----------
    beyond
        Requests beyond a task's expected number (`core/execution/lanes.py`): retries, further pages, second
        look-ups, and requests without a task (RK-24).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent: Counter[str] = Counter()
        self.beyond = 0

    @property
    def sent(self) -> Mapping[str, int]:
        with self._lock:
            return dict(self._sent)

    def count(self, endpoint: str) -> None:
        with self._lock:
            self._sent[endpoint] += 1

    def count_beyond(self, requests: int = 1) -> None:
        """Count requests sent now that are beyond their task's expected number."""
        with self._lock:
            self.beyond += requests


CONNECTIONS = 16
"""Kept open: as many as there are requesting threads."""
NOBODY_THERE = ("Failed to establish", "Failed to resolve")
"""The library's messages when no connection was made, or the name has no address."""


class Wire(TradingClient):
    """Called from any thread.

    Parameters
    ----------
    counter
        Counts every sent request.
    """

    def __init__(self, keys: Keys, mode: Mode, settings: AlpacaSettings, counter: CallCounter) -> None:
        super().__init__(
            api_key=keys.key_id.get_secret_value(),
            secret_key=keys.secret.get_secret_value(),
            paper=mode is Mode.PAPER,
            raw_data=True,
            url_override=checked_address(settings.trading_url, mode, "trading_url").rstrip("/") or None,
        )
        self._retry = 0
        self._retry_codes = []
        self._session = http_session(settings.trading_url, CONNECTIONS)
        self._connect_seconds = float(settings.connect_seconds)
        self._read_seconds = float(settings.read_seconds)
        self.counter = counter

    @property
    def longest(self) -> float:
        """Longest duration of one request in seconds."""
        return self._connect_seconds + self._read_seconds

    def ask(
        self,
        method: str,
        path: str,
        endpoint: str,
        data: Mapping[str, object] | None = None,
        seconds: float | None = None,
    ) -> Reply | NoReply:
        """Send one request. `data` is the query of a GET or DELETE, the JSON body of the others."""
        self.counter.count(endpoint)
        with within(self.longest if seconds is None else min(self.longest, seconds)):
            reply: Any = self._request(method, path, None if data is None else dict(data))
        return cast(Reply | NoReply, reply)

    def hang_up(self) -> None:
        """Close the idle connections."""
        self._session.close()

    def _one_request(self, method: str, url: str, opts: dict[str, Any], *_repeats: int) -> Reply | NoReply:  # type: ignore[override]
        waits = Waits(self._connect_seconds, self._read_seconds, self.longest)
        try:
            waits = Waits(min(self._connect_seconds, left()), min(self._read_seconds, left()), left())
            return reply_to(self._session, method, url, waits[:2], opts)
        except Exception as error:  # any error on the way to Alpaca; its text may contain a key
            return NoReply(_words(error, waits))


class Waits(NamedTuple):
    """Time-outs in seconds: for a connection, between two parts of an answer, and for all of it."""

    connect: float
    read: float
    whole: float


def _words(error: Exception, waits: Waits) -> str:
    connect, read, whole = (f"{wait:.3g}" for wait in waits)
    if isinstance(error, requests.ConnectTimeout):
        return f"Alpaca: no connection within {connect} s"
    if isinstance(error, requests.Timeout) or type(error).__name__ == "ReadTimeoutError":
        return f"Alpaca: no whole answer within {whole} s" if is_over() else f"Alpaca: no answer within {read} s"
    if isinstance(error, requests.exceptions.SSLError):
        return "Alpaca: the server's certificate cannot be verified; check the clock and the network"
    if isinstance(error, requests.exceptions.ProxyError):
        return "Alpaca: the proxy does not let us through; check HTTPS_PROXY"
    if isinstance(error, requests.ConnectionError) and any(sign in str(error) for sign in NOBODY_THERE):
        return "Alpaca: no connection; check the network"
    if isinstance(error, TooMuchError):
        return f"Alpaca: an answer of more than {LARGEST_BODY // 2**20} MiB"
    return f"Alpaca: the connection broke ({type(error).__name__})"


# ── queries ──────────────────────────────────────────────────────────────────────────────────────────────────────────

Answer = TypeVar("Answer")


class NoAnswerError(Exception):
    """No usable answer came."""

    def __init__(self, answer: NoAnswer) -> None:
        super().__init__(answer.reason)
        self.answer = answer


class StatedRefusalError(Exception):
    """Alpaca itself refused."""

    def __init__(self, stated: Stated) -> None:
        super().__init__(stated.message)
        self.stated = stated


class Questions:
    """The wire, the time-outs, and the unreadable messages."""

    def __init__(
        self, wire: Wire, patience: Timeouts, line: RequestStatus, unread: UnparsedMessages, mode: Mode
    ) -> None:
        self.wire = wire
        self.patience = patience
        self.line = line
        self.unread = unread
        self.mode = mode

    def send_once(self, method: str, path: str, endpoint: str, body: Mapping[str, object]) -> Reply | NoReply:
        """Send an order request exactly once."""
        reply = self.wire.ask(method, path, endpoint, body)
        self.line.saw(reply)
        return reply

    def ask(
        self,
        method: str,
        path: str,
        endpoint: str,
        query: Mapping[str, object] | None = None,
        ends: float | None = None,
    ) -> Reply | NoReply:
        """Send a query or a cancel, repeated if no answer came."""
        times = 0

        def once(within: float) -> Reply | NoReply:
            nonlocal times
            times += 1
            if times > 1:
                self.count_beyond()
            reply = self.wire.ask(method, path, endpoint, query, within)
            self.line.saw(reply)
            return reply

        return self.patience.ask(once, ends)

    def count_beyond(self, requests: int = 1) -> None:
        """Count requests sent now that are beyond their task's expected number (RK-24)."""
        self.wire.counter.count_beyond(requests)

    def get(
        self,
        path: str,
        endpoint: str,
        read: Callable[[Any], Answer],
        query: Mapping[str, object] | None = None,
        ends: float | None = None,
    ) -> Answer:
        """Send a query and return its parsed answer.

        Raises
        ------
        StatedRefusalError, NoAnswerError, AccountRefusedError
        """
        asked = "" if "{id}" in endpoint else path  # the caller reports queries for one order
        return self.read(self.ask("GET", path, endpoint, query, ends), read, endpoint, asked)

    def read(self, reply: Reply | NoReply, read: Callable[[Any], Answer], place: str, asked: str = "") -> Answer:
        """Parse a received answer, as `get` does. The connection status shows `asked` as unreadable, if it is."""
        if is_unauthorised(reply):
            raise AccountRefusedError(f"Alpaca does not take the keys: {check_the_keys(self.mode)}")
        if isinstance(reply, NoReply):
            raise NoAnswerError(doubt(reply))
        if (stated := refusal(reply)) is not None and reply.status != LIMITED:  # a query may be repeated
            raise StatedRefusalError(stated)
        if reply.status not in OK:
            raise NoAnswerError(doubt(reply))
        try:
            answer = read(decoded(reply.body))
        except NotJsonError:
            self.unread.note(f"{place}: no JSON", reply.body)
            raise NoAnswerError(doubt(reply)) from None
        except UnreadableFieldError as error:
            self.unread.note(f"{place}: {error}", reply.body)
            words = f"Alpaca: an answer that cannot be read, {error}"
            if asked:
                self.line.say_unreadable(asked, words)
            raise NoAnswerError(NoAnswer(words)) from error
        self.line.say_readable(asked)
        return answer


def as_no_answer(error: Exception) -> NoAnswer:
    """Convert any of the three errors to `NoAnswer`, for callers that only need the reason."""
    if isinstance(error, NoAnswerError):
        return error.answer
    if isinstance(error, StatedRefusalError):
        stated = error.stated
        return NoAnswer(f"Alpaca refuses: {stated.message} ({stated.status}, {stated.code})")
    return NoAnswer(str(error))


NOTHING_READ = (NoAnswerError, StatedRefusalError, AccountRefusedError)
"""Errors of `get` and `read`."""
