"""Failed requests: their effect on the next one, the backoff, and the counts (EX-17, MD-03)."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from enum import Enum

from core.io.http_requests import backoff
from core.model.lazy_dataclass import dataclass

LONGEST = timedelta(seconds=30)


def pause(tries: int, chance: float) -> timedelta:
    """Return half to the whole of 1, 2, 4 … seconds, at most `LONGEST`."""
    return timedelta(seconds=backoff(tries, chance, 1.0, LONGEST.total_seconds()))


def asked_for(header: str | None, longest: timedelta = LONGEST) -> timedelta | None:
    """Return the seconds of a `Retry-After`, at most `longest`; None without a number (a date is not parsed)."""
    if header is None or not header.strip().isascii() or not header.strip().isdigit():
        return None
    return timedelta(seconds=min(int(header.strip()[:9]), int(longest.total_seconds())))


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed request.

    Attributes
    ----------
    words
        The problem and the remedy, in one line.
    is_refused
        The other side refused it: the same request will be refused again.
    at_least
        The pause that it asked for.
    may_be_a_symbol
        It was refused for its content: one of its symbols may be the reason.
    """

    words: str
    is_refused: bool = False
    at_least: timedelta = timedelta(0)
    may_be_a_symbol: bool = False


class Seen(Enum):
    """Outcome of a message; the value is its text."""

    BARS = "bars handed on"
    QUOTES = "quotes handed on"
    CONFLATED = "quotes left out for a newer one"
    REPEATED = "bars repeated"
    REVISED = "bars revised after they were handed on"
    LATE = "bars too late"
    OLDER = "quotes older than the last"
    AHEAD = "bars and quotes ahead of this machine's clock"
    BROKEN = "messages that could not be read"
    EMPTY = "null where a list of bars belongs"
    BAD_QUOTES = "quotes crossed or at zero"
    NOT_ASKED_FOR = "messages of other symbols"
    UNKNOWN = "messages of an unknown kind"
    CONNECTIONS = "connections of the stream"
    LOST = "connections lost"
    MUTED = "silences of the stream"
    POLLS = "polls"
    FILLS = "gaps filled"


USUAL = frozenset(
    {Seen.BARS, Seen.QUOTES, Seen.CONFLATED, Seen.CONNECTIONS, Seen.LOST, Seen.MUTED, Seen.POLLS, Seen.FILLS}
)
"""Counts of a usual day, and what the connection's status shows itself."""


class Counts:
    """Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: Counter[Seen] = Counter()
        self._requests: Counter[str] = Counter()

    def see(self, what: Seen, times: int = 1) -> None:
        with self._lock:
            self._seen[what] += times

    def ask(self, endpoint: str) -> None:
        with self._lock:
            self._requests[endpoint] += 1

    def seen(self, what: Seen) -> int:
        with self._lock:
            return self._seen[what]

    def odd(self) -> tuple[tuple[str, int], ...]:
        """Return what was left out, in words, and how often."""
        with self._lock:
            return tuple((what.value, self._seen[what]) for what in Seen if self._seen[what] and what not in USUAL)

    def requests(self) -> dict[str, int]:
        """Return the sent requests, retries included, by endpoint."""
        with self._lock:
            return dict(self._requests)
