"""Count requests by endpoint, for brokers and market data sources (EX-17)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from core.messages.inputs import CallsCounted


class CallCounts(Protocol):
    """The counts so far."""

    @property
    def sent(self) -> Mapping[str, int]: ...

    @property
    def beyond(self) -> int:
        """Requests beyond the usual number of their tasks (RK-24)."""
        ...


@runtime_checkable
class CountsCalls(Protocol):
    """An adapter that counts its requests. Adapters without counts are left out."""

    def calls(self) -> CallCounts: ...


def counted(*adapters: object) -> CallsCounted:
    """Return the sum over all adapters that count."""
    total: Counter[str] = Counter()
    beyond = 0
    for adapter in adapters:
        if isinstance(adapter, CountsCalls):
            calls = adapter.calls()
            total.update(calls.sent)
            beyond += calls.beyond
    return CallsCounted(tuple(total.items()), beyond)
