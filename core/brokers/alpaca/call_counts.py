"""How often each endpoint was called, and how often Alpaca said that it was too often (EX-17)."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class EndpointCalls:
    """A picture of the counts, requests by endpoint as `GET /orders/{id}`.

    Attributes
    ----------
    sent
        Requests on the wire, each repetition counted.
    limited
        Those that Alpaca answered with 429.
    unanswered
        Those to which nothing came back.
    beyond
        Those beyond what a task takes (`core/execution/request_costs.py`): repeats, further pages, second looks, and
        what no task asked for (RK-24).
    """

    sent: Mapping[str, int]
    limited: Mapping[str, int]
    unanswered: Mapping[str, int]
    beyond: int = 0

    @property
    def total(self) -> int:
        return sum(self.sent.values())


class CallCounter:
    """Counted in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent: Counter[str] = Counter()
        self._limited: Counter[str] = Counter()
        self._unanswered: Counter[str] = Counter()
        self._beyond = 0

    def count_beyond(self, requests: int = 1) -> None:
        """So many of those that are sent now are beyond what their task takes."""
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
