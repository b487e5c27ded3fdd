"""Which orders belong together: an entry with its legs and the stops that came after it, a target with its stop.

A person counts a family as one order; what it is made of is named beside that number.
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
    """`head` is what its legs were made with or for; of legs whose entry is not shown, each is a head of its own.

    Attributes
    ----------
    waiting
        Legs that wait for the head's fill: they guard nothing yet, and nothing but that is to be said of them.
    at_work
        Legs that work, or are on their way.
    over
        Legs that ended, as they came.
    """

    head: OrderRow
    waiting: tuple[OrderRow, ...] = ()
    at_work: tuple[OrderRow, ...] = ()
    over: tuple[OrderRow, ...] = ()

    @property
    def works(self) -> bool:
        return self.head.status.is_working or bool(self.waiting or self.at_work)


def first_of(order: O, parent_of: Callable[[O], ClientOrderId | None], find: Callable[[ClientOrderId], O | None]) -> O:
    """The order that one was made with or for in the end; itself, where it is the first or its parent is not here."""
    parent = parent_of(order)
    found = None if parent is None else find(parent)
    return order if found is None else first_of(found, parent_of, find)


def families(rows: Sequence[OrderRow]) -> list[OrderFamily]:
    """What works before what is over, by the newest of each; else as they came."""
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
    """As a person counts them: an entry, its stop and its target are one. What is in doubt is none that works."""
    return len({*_heads(rows)} - _doubted(rows))


def doubted_orders(rows: Sequence[OrderRow]) -> int:
    """Those of which nobody knows whether the broker has them, or one of their legs."""
    return len(_doubted(rows))


def _doubted(rows: Sequence[OrderRow]) -> set[ClientOrderId]:
    doubted = {row.id for row in rows if RowMark.IN_DOUBT in row.marks}
    return {*_heads(rows, doubted)}


def _heads(rows: Sequence[OrderRow], of: Container[ClientOrderId] | None = None) -> Iterator[ClientOrderId]:
    """What each working one, of some alone, belongs to; legs of an order that is not shown any more belong together."""
    by_id = {row.id: row for row in rows}
    for row in rows:
        if row.status.is_working and (of is None or row.id in of):
            head = first_of(row, lambda row: row.parent, by_id.get)
            yield head.parent or head.id
