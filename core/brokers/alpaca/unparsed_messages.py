"""Unreadable messages: counted, with their places, and the raw text of the last ones."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

KEPT = 20
LONGEST = 2000


@dataclass(frozen=True, slots=True)
class UnparsedMessage:
    """One message; `raw` is its beginning."""

    reason: str
    raw: str


class UnparsedMessages:
    """Thread-safe; `hide` removes secrets."""

    def __init__(self, hide: Callable[[str], str] = str) -> None:
        self._hide = hide
        self._lock = threading.Lock()
        self._last: deque[UnparsedMessage] = deque(maxlen=KEPT)
        self._count = 0

    def note(self, reason: str, raw: object) -> None:
        text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
        unread = UnparsedMessage(self._hide(reason), self._hide(text)[:LONGEST])
        with self._lock:
            self._count += 1
            self._last.append(unread)

    @property
    def count(self) -> int:
        return self._count

    @property
    def odd(self) -> tuple[tuple[str, int], ...]:
        """Return the count for a connection's status."""
        return (("messages that could not be read", self._count),) if self._count else ()

    @property
    def last(self) -> tuple[UnparsedMessage, ...]:
        """Return the messages, the newest last."""
        with self._lock:
            return tuple(self._last)
