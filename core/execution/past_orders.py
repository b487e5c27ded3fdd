"""Remove old orders from memory at the start of a day, find them by id afterwards, and recall them.

Nothing is forgotten that anything may depend on, and no id is used again. The ledger hands them over one by one,
numbered. The chain of their sums is part of its state, so an index is trusted only if it holds exactly this journal's
orders.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Set
from dataclasses import fields
from datetime import date, datetime, timedelta
from hashlib import sha256

from pydantic import TypeAdapter

from core.execution.ledger_state import UNKNOWN_OWNER, LedgerIndex, Legs
from core.execution.order import Order
from core.execution.order_status import DuplicateOrderError
from core.facts import OrdersRecalled
from core.model.order import is_payout
from core.model.position import PastOrder
from core.model.session import Calendar
from core.model.values import ClientOrderId, ExecutionId, Symbol
from core.ports import PastIndex, PastUnreadableError

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


KEPT = timedelta(days=7)
GIVEN_UP_KEPT = timedelta(days=30)
"""An order that never arrived may have arrived unnoticed later, and the broker's list may end before it."""


class OrderRetention:
    """Decides which orders stay in memory, and holds the index of the others.

    Parameters
    ----------
    past
        The index.
    is_still_told
        Whether a report may still mention an order.
    named
        Return orders that a signed or waiting item may still name.
    """

    def __init__(
        self,
        index: LedgerIndex,
        legs: Legs,
        calendar: Calendar,
        past: PastIndex,
        is_still_told: Callable[[ClientOrderId], bool],
        named: Callable[[datetime], Collection[ClientOrderId]],
    ) -> None:
        self.index, self.legs, self.calendar, self.past = index, legs, calendar, past
        self.is_still_told, self.named = is_still_told, named
        self._trouble: PastUnreadableError | None = None

    def has(self, order_id: ClientOrderId) -> bool:
        """Whether this id was ever used, in memory or in the index."""
        return order_id in self.index.orders or self._found(order_id) is not None

    def forgotten(self, order_id: ClientOrderId) -> PastOrder | None:
        """Return an order that has left memory, as it was then."""
        content = None if order_id in self.index.orders else self._found(order_id)
        return None if content is None else read(content)

    def family(self, order_id: ClientOrderId) -> tuple[PastOrder, ...]:
        """Return a forgotten order with its related forgotten orders."""
        found: dict[ClientOrderId, PastOrder] = {}
        names = [order_id]
        while names:
            name = names.pop()
            if name not in found and (past := self.forgotten(name)) is not None:
                found[name] = past
                names += past.kin
        return tuple(sorted(found.values(), key=lambda past: (past.created_at, past.role is not None)))

    def _found(self, order_id: ClientOrderId) -> bytes | None:
        """Return the stored order. An unreadable index counts as empty: exits pass, and entries are halted (EX-22)."""
        try:
            return self.past.find(order_id, self.index.state.forgotten) if self.index.state.forgotten else None
        except PastUnreadableError as error:
            self._trouble = error
            return None

    @property
    def is_in_trouble(self) -> bool:
        """Whether the index could not be read since the last `take_trouble`."""
        return self._trouble is not None

    def take_trouble(self) -> PastUnreadableError | None:
        """Return and clear why the index could not be read."""
        trouble, self._trouble = self._trouble, None
        return trouble

    def require_new(self, order_id: ClientOrderId) -> None:
        """Raise DuplicateOrderError if this id was ever used (EX-04)."""
        if self.has(order_id):
            raise DuplicateOrderError(f"order {order_id} exists already; the broker is not called")

    def forget(self, at: datetime) -> None:
        """Forget orders of earlier days that nothing depends on; a reconciliation compares a week."""
        day = self.calendar.trading_day(at)
        old = {o.id for o in self.index.orders.values() if _is_old(o, at)} | self._at_rest(at, day)
        gone = [o for o in self.index.orders.values() if o.id in old and not self.is_still_told(o.id)]
        if not gone:
            return
        counted: dict[ClientOrderId, list[ExecutionId]] = {order.id: [] for order in gone}
        for execution, order_id in self.index.state.executions.items():
            if order_id in counted:
                counted[order_id].append(execution)
        kin = self._kin()
        for order in gone:
            self._hand_over(past_of(order, counted[order.id], kin.get(order.id, ())))
        for order in gone:
            self.index.leave(order)
        self.index.state.executions = {e: o for e, o in self.index.state.executions.items() if o not in counted}

    def _hand_over(self, past: PastOrder) -> None:
        content = written(past)
        self.index.state.forgotten += 1
        self.index.state.forgotten_sum = sum_after(self.index.state.forgotten_sum, content)
        self.past.keep(self.index.state.forgotten, past.id, content, self.index.state.forgotten_sum)

    def _at_rest(self, at: datetime, day: date) -> set[ClientOrderId]:
        """Return orders that ended before today, without a position, a working order or a signed item that names them.

        Nor of shares that were paid out: they may come back. Related orders leave together.
        """
        named = {*self.named(at), *(o.id for o in self.index.orders.values() if self.is_still_told(o.id))}
        busy = {(p.symbol, p.strategy) for p in self.index.state.positions.values()}
        busy |= {(o.request.symbol, o.strategy) for o in self.index.working.values()}
        busy |= {(o.request.symbol, o.strategy) for o in self.index.orders.values() if is_payout(o.id)}
        rests = {o.id for o in self.index.orders.values() if self._is_over(o, day, busy) and o.id not in named}
        kin = self._kin()
        stay = [o.id for o in self.index.orders.values() if o.id not in rests and not o.is_given_up]
        while stay:
            kept = [name for name in kin.get(stay.pop(), ()) if name in rests]
            rests.difference_update(kept)
            stay += kept
        return rests

    def _is_over(self, order: Order, day: date, busy: Set[tuple[Symbol, str]]) -> bool:
        if order.ended_at is None or self.calendar.trading_day(order.ended_at) >= day or order.is_given_up:
            return False
        symbol = order.request.symbol
        return busy.isdisjoint({(symbol, order.strategy), (symbol, UNKNOWN_OWNER)}) and not self.legs.are_expected(
            order
        )

    def _kin(self) -> dict[ClientOrderId, list[ClientOrderId]]:
        """Map each order to its related orders."""
        found: dict[ClientOrderId, list[ClientOrderId]] = {}
        for order in self.index.orders.values():
            for other in (order.parent, order.request.replaces, order.replacement, order.replaced_by, order.again_of):
                if other is not None:
                    found.setdefault(order.id, []).append(other)
                    found.setdefault(other, []).append(order.id)
        return {name: list(dict.fromkeys(others)) for name, others in found.items()}

    def recall(self, _at: datetime, fact: OrdersRecalled) -> None:
        """Recall orders as they were: the broker's reports on them count as they would have then."""
        for past in fact.orders:
            order = order_of(past)
            self.index.orders[order.id] = order
            self.index.state.executions.update(dict.fromkeys(past.executions, order.id))
            self.index.enter(order)


def _is_old(order: Order, at: datetime) -> bool:
    kept = GIVEN_UP_KEPT if order.is_given_up else KEPT
    return order.ended_at is not None and at - order.ended_at > kept
