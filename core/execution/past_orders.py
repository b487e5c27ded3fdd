"""Orders that have left memory: they decide nothing any more, and are found by id.

The ledger hands them over one by one, numbered. The chain of their sums is part of its state, so an index is trusted
only if it holds exactly this journal's orders.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from hashlib import sha256

from pydantic import TypeAdapter

from core.execution.order import Order
from core.model.past_order import PastOrder
from core.model.values import ClientOrderId, ExecutionId

FIELDS = tuple(field.name for field in fields(Order))


class PastInMemory:
    """An index in memory, gone with its journal; implements `core.ports.PastIndex`."""

    def __init__(self) -> None:
        self._rows: dict[int, tuple[ClientOrderId, bytes, str]] = {}
        self._numbers: dict[ClientOrderId, list[int]] = {}

    def keep(self, number: int, order_id: ClientOrderId, content: bytes, total: str) -> None:
        before = self._rows.get(number)
        if before is not None and before[0] != order_id:
            self._numbers[before[0]].remove(number)
        self._rows[number] = order_id, content, total
        numbers = self._numbers.setdefault(order_id, [])
        if number not in numbers:
            numbers.append(number)

    def find(self, order_id: ClientOrderId, until: int) -> bytes | None:
        number = max((number for number in self._numbers.get(order_id, ()) if number <= until), default=None)
        return None if number is None else self._rows[number][1]

    def covers(self, number: int, total: str) -> bool:
        return not number or (number in self._rows and self._rows[number][2] == total)

    def save(self) -> None:
        """Do nothing: no part of it is on a disk."""

    def rows(self) -> Iterator[tuple[int, ClientOrderId, bytes, str]]:
        """Return all rows, by number."""
        return ((number, *self._rows[number]) for number in sorted(self._rows))


_ADAPTER: TypeAdapter[PastOrder] = TypeAdapter(PastOrder)


def past_of(order: Order, executions: Iterable[ExecutionId], kin: Iterable[ClientOrderId]) -> PastOrder:
    return PastOrder(**{name: getattr(order, name) for name in FIELDS}, executions=tuple(executions), kin=tuple(kin))


def order_of(past: PastOrder) -> Order:
    """Return a new order each time, as it was: the ledger mutates its own."""
    return Order(**{name: getattr(past, name) for name in FIELDS})


def written(past: PastOrder) -> bytes:
    return _ADAPTER.dump_json(past)


def read(content: bytes) -> PastOrder:
    return _ADAPTER.validate_json(content)


def sum_after(total: str, content: bytes) -> str:
    """Return the chained sum with one more order: 32 hex digits."""
    return sha256(total.encode() + content).hexdigest()[:32]
