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


@runtime_checkable
class CountsCalls(Protocol):
    """An adapter that counts. One that does not is left out."""

    def calls(self) -> CallCounts: ...


def counted(*adapters: object) -> CallsCounted:
    """The sum over all of them."""
    total: Counter[str] = Counter()
    for adapter in adapters:
        if isinstance(adapter, CountsCalls):
            total.update(adapter.calls().sent)
    return CallsCounted(tuple(total.items()))
