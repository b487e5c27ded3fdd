"""Messages that could not be read: counted, named with their place, the raw text of the last ones kept."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

KEPT = 20
LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Unread:
    """One of them; `raw` is its beginning."""

    reason: str
    raw: str


class UnreadMessages:
    """Noted in any thread; `hide` takes out what nobody may see."""

    def __init__(self, hide: Callable[[str], str] = str) -> None:
        self._hide = hide
        self._lock = threading.Lock()
        self._last: deque[Unread] = deque(maxlen=KEPT)
        self._count = 0

    def note(self, reason: str, raw: object) -> None:
        text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
        unread = Unread(self._hide(reason), self._hide(text)[:LONGEST])
        with self._lock:
            self._count += 1
            self._last.append(unread)

    @property
    def count(self) -> int:
        return self._count

    @property
    def last(self) -> tuple[Unread, ...]:
        """The newest at the end."""
        with self._lock:
            return tuple(self._last)
