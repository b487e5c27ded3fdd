"""Connection status of requests and of the stream, and the counts of requests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import datetime

from core.brokers.alpaca.answers import NoReply, doubt, is_unauthorised, refusal
from core.brokers.alpaca.keys import keys_on_the_line
from core.io.http_requests import LIMITED, Reply
from core.model.account import Channel, ConnectionState, ConnectionStatus, Mode
from core.model.harmless_text import is_news

TOO_OFTEN = "Alpaca: too many requests; questions wait, orders do not"
SUCCESS = range(200, 300)


class RequestStatus:
    """Thread-safe."""

    def __init__(self, mode: Mode, now: Callable[[], datetime]) -> None:
        self._mode = mode
        self._now = now
        self._lock = threading.Lock()
        self._show: Callable[[ConnectionStatus], None] = lambda lamp: None
        self._lamp = ConnectionStatus(Channel.BROKER, ConnectionState.CONNECTING, now())
        self._blocked = ""
        self._unreadable: dict[str, str] = {}

    def show_on(self, show: Callable[[ConnectionStatus], None]) -> None:
        """Report the current status, and each change from here on."""
        with self._lock:
            self._show = show
            show(self._lamp)

    @property
    def lamp(self) -> ConnectionStatus:
        return self._lamp

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

    def saw(self, reply: Reply | NoReply) -> None:
        """Note an answer, or a missing one."""
        state, words = self._judged(reply)
        with self._lock:
            heard_at = self._lamp.heard_at if isinstance(reply, NoReply) else self._now()
            tries = self._lamp.tries + 1 if state is ConnectionState.DOWN else 0
            self._become(state, words or (self._standing() if state is ConnectionState.UP else ""), tries, heard_at)

    def _standing(self) -> str:
        """Return the problem that exists although answers come."""
        return self._blocked or next(iter(self._unreadable.values()), "")

    def _say_while_up(self) -> None:
        if self._lamp.state is ConnectionState.UP:
            self._become(ConnectionState.UP, self._standing(), 0, self._lamp.heard_at)

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
        before = self._lamp
        since = before.since if state is before.state else self._now()
        self._lamp = ConnectionStatus(Channel.BROKER, state, since, heard_at, tries, words)
        if (state, tries) != (before.state, before.tries) or is_news(words, before.words):
            self._show(self._lamp)


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
        self.tries = 0

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
