"""Messages that could not be read: counted, named with their place, the raw text of the last ones kept."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

KEPT = 20
LONGEST = 2000


@dataclass(frozen=True, slots=True)
class UnparsedMessage:
    """One of them; `raw` is its beginning."""

    reason: str
    raw: str


class UnparsedMessages:
    """Noted in any thread; `hide` takes out what nobody may see."""

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
    def last(self) -> tuple[UnparsedMessage, ...]:
        """The newest at the end."""
        with self._lock:
            return tuple(self._last)
