"""alpaca-py's client with one HTTP request per call, connection status, and the counts of requests (EX-17).

The client provides addresses, keys and headers. Its weaknesses are handled in the one method through which every
request goes: it has no time-out, repeats a POST after 429 and 504 by itself, and parses numbers as floats. Its retries
are switched off as well, in case that method is bypassed.

Queries have parsed answers: repeated if that is safe, with errors in one line.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple, TypeVar, cast

import requests

from core.brokers.alpaca.fields import UnparsedMessages, UnreadableFieldError
from core.brokers.alpaca.keys import check_the_keys, checked_address, keys_on_the_line
from core.brokers.alpaca.refusal_codes import OK, NotJsonError, Stated, decoded, doubt, is_unauthorised, refusal
from core.brokers.alpaca.retries import BUDGET, NoReply, Timeouts, is_passing, is_passing_within_the_limit
from core.io.alpaca_py import TradingClient
from core.io.http_requests import (
    LARGEST_BODY,
    LIMITED,
    OWN_LASTS,
    UNNAMED,
    Reply,
    TooMuchError,
    http_session,
    is_over,
    is_unnamed,
    left,
    reply_to,
    within,
)
from core.io.proxies import ProxyRefusedError, by_proxy, proxy_of
from core.model.account import Channel, ConnectionState, ConnectionStatus, Mode
from core.model.api_contract import AccountRefusedError, Keys
from core.model.broker import NoAnswer
from core.model.text_sanitizer import is_news
from core.settings.orders import AlpacaSettings

# ── connection status ────────────────────────────────────────────────────────────────────────────────────────────────
# Connection status of requests and of the stream, and the counts of requests.

TOO_OFTEN = "Alpaca: too many requests; questions wait, orders do not"
SUCCESS = range(200, 300)


class RequestStatus:
    """Thread-safe. It also shows what was left out of the answers, and how often (EX-26)."""

    def __init__(self, mode: Mode, now: Callable[[], datetime], unread: UnparsedMessages) -> None:
        self._mode = mode
        self._now = now
        self._unread = unread
        self._lock = threading.Lock()
        self._show: Callable[[ConnectionStatus], None] = lambda connection: None
        self._connection = ConnectionStatus(Channel.BROKER, ConnectionState.CONNECTING, now())
        self._blocked = ""
        self._unreadable: dict[str, str] = {}

    def show_on(self, show: Callable[[ConnectionStatus], None]) -> None:
        """Report the current status, and each change from here on."""
        with self._lock:
            self._show = show
            show(self._connection)

    @property
    def connection(self) -> ConnectionStatus:
        return self._connection

    def say_blocked(self, words: str) -> None:
        """Set the account's own block reason; empty if it accepts orders."""
        with self._lock:
            self._blocked = words
            self._say_while_up()

    def say_unreadable(self, question: str, words: str) -> None:
        """Report an unreadable answer until the same query has a readable one (MD-07)."""
        with self._lock:
            self._unreadable[question] = words
            self._say_while_up()

    def say_readable(self, question: str) -> None:
        with self._lock:
            if self._unreadable.pop(question, None) is not None:
                self._say_while_up()

    def say_odd(self) -> None:
        """Report what is left out of the answers at once; the counts go with every other report."""
        with self._lock:
            self._connection = replace(self._connection, odd=self._unread.odd)
            self._show(self._connection)

    def saw(self, reply: Reply | NoReply) -> None:
        """Note an answer, or a missing one."""
        state, words = self._judged(reply)
        with self._lock:
            heard_at = self._connection.heard_at if isinstance(reply, NoReply) else self._now()
            tries = self._connection.tries + 1 if state is ConnectionState.DOWN else 0
            self._become(state, words or (self._standing() if state is ConnectionState.UP else ""), tries, heard_at)

    def _standing(self) -> str:
        """Return the problem that exists although answers come."""
        return self._blocked or next(iter(self._unreadable.values()), "")

    def _say_while_up(self) -> None:
        if self._connection.state is ConnectionState.UP:
            self._become(ConnectionState.UP, self._standing(), 0, self._connection.heard_at)

    def _judged(self, reply: Reply | NoReply) -> tuple[ConnectionState, str]:
        if is_unauthorised(reply):
            return ConnectionState.REFUSED, f"Alpaca does not take the keys: {keys_on_the_line(self._mode)}"
        if isinstance(reply, Reply):
            if reply.status == LIMITED:
                return ConnectionState.UP, TOO_OFTEN
            if reply.status in SUCCESS or refusal(reply) is not None:
                return ConnectionState.UP, ""
        return ConnectionState.DOWN, doubt(reply).reason

    def _become(self, state: ConnectionState, words: str, tries: int, heard_at: datetime | None) -> None:
        before = self._connection
        since = before.since if state is before.state else self._now()
        self._connection = ConnectionStatus(Channel.BROKER, state, since, heard_at, tries, words, odd=self._unread.odd)
        if (state, tries) != (before.state, before.tries) or is_news(words, before.words):
            self._show(self._connection)


IS_STABLE = 10.0
"""Seconds after which a connection counts as stable."""
OFTEN_ENOUGH = 1.0
"""Seconds between reports with only a newer message time."""


class StreamStatus:
    """Used inside the stream's own loop. `tries` counts the attempts since the last stable connection."""

    def __init__(self, show: Callable[[ConnectionStatus], None], now: Callable[[], datetime]) -> None:
        self._show = show
        self._now = now
        self._heard_at: datetime | None = None
        self._told_at = self._up_at = self._word_at = float("-inf")
        self._since = now()
        self._state: ConnectionState | None = None
        self._is_up = False
        self._own_until = now() + OWN_LASTS
        self.tries = 0

    def may_be_taken_by_ours(self) -> bool:
        """Whether the broker may still count a connection of ours: one that broke, or one of before a start."""
        return self._now() < self._own_until

    def connecting(self) -> None:
        self._tell(ConnectionState.CONNECTING, "")

    def up(self) -> None:
        self._heard_at = self._now()
        self._up_at = self._word_at = asyncio.get_running_loop().time()
        self._is_up = True
        self._tell(ConnectionState.UP, "")

    def heard(self) -> None:
        """Note a message or a pong; one that comes after the end of its connection is ignored."""
        if not self._is_up:
            return
        self._heard_at, self._word_at = self._now(), asyncio.get_running_loop().time()
        if self._word_at - self._told_at >= OFTEN_ENOUGH:
            self._tell(ConnectionState.UP, "")

    def quiet_for(self) -> float:
        """Return the seconds without a message and without a pong."""
        return asyncio.get_running_loop().time() - self._word_at

    def lost(self, state: ConnectionState, words: str) -> None:
        """Note a lost connection. An unstable one keeps the count, so that the server is not retried without pause."""
        if self._is_up:
            self._own_until = self._now() + OWN_LASTS
        if self._is_up and asyncio.get_running_loop().time() - self._up_at >= IS_STABLE:
            self.tries = 0
        self._is_up = False
        self.tries += 1
        self._tell(state, words)

    def refused(self, words: str) -> None:
        self._is_up = False
        self.tries += 1
        self._tell(ConnectionState.REFUSED, words)

    def _tell(self, state: ConnectionState, words: str) -> None:
        if state is not self._state:
            self._state, self._since = state, self._now()
        self._told_at = asyncio.get_running_loop().time()
        tries = 0 if state is ConnectionState.UP else self.tries
        self._show(ConnectionStatus(Channel.TRADES, state, self._since, self._heard_at, tries, words))


# ── the client ───────────────────────────────────────────────────────────────────────────────────────────────────────


class CallCounter:
    """Counts requests by endpoint, such as `GET /orders/{id}`, retries included. Any thread.

    Attributes
    ----------
    beyond
        Requests beyond a task's expected number (`core/execution/gateway.py`): retries, further pages, second
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
NOBODY_THERE = ("Failed to establish",)
"""The library's message when no connection was made."""


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
            proxy_of(url)
            waits = Waits(min(self._connect_seconds, left()), min(self._read_seconds, left()), left())
            return reply_to(self._session, method, url, waits[:2], opts)
        except Exception as error:  # any error on the way to Alpaca; its text may contain a key
            return NoReply(_words(error, waits, url))


class Waits(NamedTuple):
    """Time-outs in seconds: for a connection, between two parts of an answer, and for all of it."""

    connect: float
    read: float
    whole: float


def _words(error: Exception, waits: Waits, url: str) -> str:
    connect, read, whole = (f"{wait:.3g}" for wait in waits)
    if isinstance(error, requests.ConnectTimeout):
        return f"Alpaca: no connection within {connect} s{by_proxy(url)}"
    if isinstance(error, requests.Timeout) or type(error).__name__ == "ReadTimeoutError":
        words = f"no whole answer within {whole} s" if is_over() else f"no answer within {read} s"
        return f"Alpaca: {words}{by_proxy(url)}"
    if isinstance(error, requests.exceptions.SSLError):
        return "Alpaca: the server's certificate cannot be verified; check the clock and the network"
    if isinstance(error, ProxyRefusedError):
        return f"Alpaca: {error}"
    if isinstance(error, requests.exceptions.ProxyError):
        return f"Alpaca: no connection{by_proxy(url)}, which does not let us through; check it"
    if is_unnamed(error):
        return f"Alpaca: no connection: {UNNAMED}"
    if isinstance(error, requests.ConnectionError) and any(sign in str(error) for sign in NOBODY_THERE):
        return f"Alpaca: no connection{by_proxy(url)}; check the network"
    if isinstance(error, TooMuchError):
        return f"Alpaca: an answer of more than {LARGEST_BODY // 2**20} MiB"
    return f"Alpaca: the connection broke ({type(error).__name__}){by_proxy(url)}"


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
        self, wire: Wire, timeout: Timeouts, line: RequestStatus, unread: UnparsedMessages, mode: Mode
    ) -> None:
        self.wire = wire
        self.timeout = timeout
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
        *,
        is_once: bool = False,
    ) -> Reply | NoReply:
        """Send a query or a cancel, repeated if no answer came and it is not to be sent only once.

        A cancel is not repeated here after a 429.
        """
        times = 0

        def once(within: float) -> Reply | NoReply:
            nonlocal times
            times += 1
            if times > 1:
                self.count_beyond()
            reply = self.wire.ask(method, path, endpoint, query, within)
            self.line.saw(reply)
            return reply

        is_repeated = is_passing if method == "GET" else is_passing_within_the_limit
        return once(BUDGET) if is_once else self.timeout.ask(once, ends, is_repeated)

    def set_aside(self, reason: str, raw: object) -> None:
        """Count what cannot be read while the rest of its answer is used; a new reason is shown at once (EX-26)."""
        if self.unread.note(reason, raw):
            self.line.say_odd()

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
        *,
        is_once: bool = False,
    ) -> Answer:
        """Send a query and return its parsed answer.

        Raises
        ------
        StatedRefusalError, NoAnswerError, AccountRefusedError
        """
        asked = "" if "{id}" in endpoint else path  # the caller reports queries for one order
        return self.read(self.ask("GET", path, endpoint, query, ends, is_once=is_once), read, endpoint, asked)

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
            self.set_aside(f"{place}: no JSON", reply.body)
            raise NoAnswerError(doubt(reply)) from None
        except UnreadableFieldError as error:
            self.set_aside(f"{place}: {error}", reply.body)
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
