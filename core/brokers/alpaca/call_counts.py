"""Count requests per endpoint, and Alpaca's rate-limit answers (EX-17)."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


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
        Requests beyond a task's expected number (`core/execution/request_costs.py`): retries, further pages, second
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
