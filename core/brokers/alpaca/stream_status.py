"""Connection status of the order updates, and consecutive failed attempts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from core.model.connection import Channel, ConnectionState, ConnectionStatus

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
