"""Requests counted by endpoint, of whatever counts them: a broker, a market (EX-17)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from core.messages.inputs import CallsCounted


class CallCounts(Protocol):
    """What was counted so far."""

    @property
    def sent(self) -> Mapping[str, int]: ...

    @property
    def beyond(self) -> int:
        """Requests beyond what their tasks take (RK-24)."""
        ...


@runtime_checkable
class CountsCalls(Protocol):
    """An adapter that counts. One that does not is left out."""

    def calls(self) -> CallCounts: ...


def counted(*adapters: object) -> CallsCounted:
    """The sum over all of them."""
    total: Counter[str] = Counter()
    beyond = 0
    for adapter in adapters:
        if isinstance(adapter, CountsCalls):
            calls = adapter.calls()
            total.update(calls.sent)
            beyond += calls.beyond
    return CallsCounted(tuple(total.items()), beyond)
