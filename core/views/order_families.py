"""Group related orders: an entry with its legs and later stops, a target with its stop.

A person counts a family as one order; its parts are named beside that number.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from core.model.values import ClientOrderId
from core.views.rows import OrderRow, RowMark

O = TypeVar("O")  # noqa: E741


@dataclass(frozen=True, slots=True)
class OrderFamily:
    """`head` is the order that its legs were created with or for; a leg whose entry is not shown is its own head.

    Attributes
    ----------
    waiting
        Legs that wait for the head's fill: they protect nothing yet, and have no other mark.
    at_work
        Legs that work, or are in flight.
    over
        Legs that ended, in order.
    """

    head: OrderRow
    waiting: tuple[OrderRow, ...] = ()
    at_work: tuple[OrderRow, ...] = ()
    over: tuple[OrderRow, ...] = ()

    @property
    def works(self) -> bool:
        return self.head.status.is_working or bool(self.waiting or self.at_work)


def first_of(order: O, parent_of: Callable[[O], ClientOrderId | None], find: Callable[[ClientOrderId], O | None]) -> O:
    """Return the root of an order's parents; the order itself if it has none, or its parent is not here."""
    parent = parent_of(order)
    found = None if parent is None else find(parent)
    return order if found is None else first_of(found, parent_of, find)


def families(rows: Sequence[OrderRow]) -> list[OrderFamily]:
    """Return working families before finished ones, by the newest of each; else in order."""
    by_id = {row.id: row for row in rows}
    kin: dict[ClientOrderId, list[OrderRow]] = {}
    for row in rows:
        head = first_of(row, lambda row: row.parent, by_id.get)
        legs = kin.setdefault(head.id, [])
        if head is not row:
            legs.append(row)
    return sorted((_family(by_id[head], legs) for head, legs in kin.items()), key=lambda family: not family.works)


def _family(head: OrderRow, legs: Sequence[OrderRow]) -> OrderFamily:
    waiting = [leg for leg in legs if leg.status.is_working and leg.marks == (RowMark.HELD,)]
    return OrderFamily(
        head,
        tuple(waiting),
        tuple(leg for leg in legs if leg.status.is_working and leg not in waiting),
        tuple(leg for leg in legs if leg.status.is_terminal),
    )


def working_orders(rows: Sequence[OrderRow]) -> int:
    """Count working orders as a person does: an entry, its stop and its target are one; without orders in doubt."""
    return len({*_heads(rows)} - _doubted(rows))


def doubted_orders(rows: Sequence[OrderRow]) -> int:
    """Count the orders of which it is unknown whether the broker has them, or one of their legs."""
    return len(_doubted(rows))


def _doubted(rows: Sequence[OrderRow]) -> set[ClientOrderId]:
    doubted = {row.id for row in rows if RowMark.IN_DOUBT in row.marks}
    return {*_heads(rows, doubted)}


def _heads(rows: Sequence[OrderRow], of: Container[ClientOrderId] | None = None) -> Iterator[ClientOrderId]:
    """Yield the head of each working order, or of some only; legs of an order no longer shown share a head."""
    by_id = {row.id: row for row in rows}
    for row in rows:
        if row.status.is_working and (of is None or row.id in of):
            head = first_of(row, lambda row: row.parent, by_id.get)
            yield head.parent or head.id
