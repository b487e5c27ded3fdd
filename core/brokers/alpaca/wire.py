"""alpaca-py's client with one HTTP request per call, and the counts of requests and rate-limit answers (EX-17).

The client provides addresses, keys and headers. Its weaknesses are handled in the one method through which every
request goes: it has no time-out, repeats a POST after 429 and 504 by itself, and parses numbers as floats. Its retries
are switched off as well, in case that method is bypassed.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import requests
from alpaca.trading.client import TradingClient

from core.brokers.alpaca.keys import checked_address
from core.io.http_requests import http_session, is_over, left, within
from core.model.account import Mode
from core.model.api_contract import Keys
from core.settings.brokers import AlpacaSettings


@dataclass(frozen=True, slots=True)
class EndpointCalls:
    """A snapshot of the counts, requests by endpoint such as `GET /orders/{id}`.

    Attributes
    ----------
    sent
        Sent requests, retries included.
    limited
        Those answered with 429.
    unanswered
        Those without an answer.
    beyond
        Requests beyond a task's expected number (`core/execution/lanes.py`): retries, further pages, second
        look-ups, and requests without a task (RK-24).
    """

    sent: Mapping[str, int]
    limited: Mapping[str, int]
    unanswered: Mapping[str, int]
    beyond: int = 0

    @property
    def total(self) -> int:
        return sum(self.sent.values())


class CallCounter:
    """Counts requests in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent: Counter[str] = Counter()
        self._limited: Counter[str] = Counter()
        self._unanswered: Counter[str] = Counter()
        self._beyond = 0

    def count_beyond(self, requests: int = 1) -> None:
        """Count requests sent now that are beyond their task's expected number."""
        with self._lock:
            self._beyond += requests

    def count_sent(self, endpoint: str) -> None:
        with self._lock:
            self._sent[endpoint] += 1

    def count_limited(self, endpoint: str) -> None:
        with self._lock:
            self._limited[endpoint] += 1

    def count_unanswered(self, endpoint: str) -> None:
        with self._lock:
            self._unanswered[endpoint] += 1

    def picture(self) -> EndpointCalls:
        with self._lock:
            sent, limited, unanswered = (
                MappingProxyType(dict(c)) for c in (self._sent, self._limited, self._unanswered)
            )
            return EndpointCalls(sent, limited, unanswered, self._beyond)


CONNECTIONS = 16
"""Kept open: as many as there are requesting threads."""
LARGEST_BODY = 32 * 2**20
"""Bytes; five hundred orders are half of one MiB."""
PIECE = 2**16
LIMITED = 429
NOBODY_THERE = ("Failed to establish", "Failed to resolve")
"""The library's messages when no connection was made, or the name has no address."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply, from Alpaca or a server in between."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class NoReply:
    """No reply, or an incomplete one."""

    reason: str


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
        self.counter.count_sent(endpoint)
        with within(self.longest if seconds is None else min(self.longest, seconds)):
            reply: Reply | NoReply = self._request(method, path, None if data is None else dict(data))  # type: ignore[assignment]
        if isinstance(reply, NoReply):
            self.counter.count_unanswered(endpoint)
        elif reply.status == LIMITED:
            self.counter.count_limited(endpoint)
        return reply

    def hang_up(self) -> None:
        """Close the idle connections."""
        self._session.close()

    def _one_request(self, method: str, url: str, opts: dict[str, Any], *_repeats: int) -> Reply | NoReply:  # type: ignore[override]
        waits = Waits(self._connect_seconds, self._read_seconds, self.longest)
        try:
            waits = Waits(min(self._connect_seconds, left()), min(self._read_seconds, left()), left())
            with self._session.request(method, url, timeout=waits[:2], verify=True, stream=True, **opts) as response:
                return Reply(response.status_code, response.headers, _body(response))
        except Exception as error:  # any error on the way to Alpaca; its text may contain a key
            return NoReply(_words(error, waits))


class Waits(NamedTuple):
    """Time-outs in seconds: for a connection, between two parts of an answer, and for all of it."""

    connect: float
    read: float
    whole: float


class _TooMuchError(Exception):
    """The body is too large."""


def _body(response: requests.Response) -> bytes:
    """Read the whole body, up to the limit."""
    body = bytearray()
    while piece := response.raw.read1(PIECE, decode_content=True):
        body += piece
        if len(body) > LARGEST_BODY:
            raise _TooMuchError
    return bytes(body)


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
    if isinstance(error, _TooMuchError):
        return f"Alpaca: an answer of more than {LARGEST_BODY // 2**20} MiB"
    return f"Alpaca: the connection broke ({type(error).__name__})"
