"""The gateway: an order leaves only with an approval for exactly it, and no name is used twice.

The gateway does not know why an order is wanted. It compares, and lets it pass or names the fault (OP-02, OP-08). It
keeps its own set of used approvals, apart from the staging's, so no single mistake sends an order twice. An order in
our own queue can be withdrawn here: a withdrawn order never leaves, and a released one is never withdrawn.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from core.execution.past_orders import KEPT
from core.messages.effects import ReplaceOrder, SubmitOrder
from core.model.broker import Refused
from core.model.codes import BlockCode, RefusalKind
from core.model.order import refused_for_its_legs
from core.model.recommendation import only_for_people
from core.model.session import HOME, Venue
from core.model.staging import Approval
from core.model.values import ClientOrderId

A_DAY = timedelta(days=1)


class ExpiringNames:
    """Each name is kept as long as the ledger keeps an order, and at most a day beyond that."""

    def __init__(self) -> None:
        self._until: dict[str, datetime] = {}
        self._new: set[str] = set()
        self._looked_at: datetime | None = None

    def __contains__(self, name: str) -> bool:
        return name in self._until or name in self._new

    def __len__(self) -> int:
        return len(self._until) + len(self._new)

    def add(self, name: str, until: datetime | None = None) -> None:
        """Add a name; `until`, if given, is the last time at which it could be used."""
        if until is not None:
            self._until[name] = until + KEPT
        else:
            self._new.add(name)

    def discard(self, name: str) -> None:
        """Allow the name again."""
        self._until.pop(name, None)
        self._new.discard(name)

    def forget(self, now: datetime) -> None:
        """Forget old names, at most once a day. A name without a time counts from this call."""
        if self._looked_at is not None and now - self._looked_at < A_DAY:
            return
        self._looked_at = now
        self._until = {name: until for name, until in self._until.items() if now <= until}
        self._until |= dict.fromkeys(self._new, now + KEPT)
        self._new.clear()


@dataclass(frozen=True, slots=True)
class Withheld:
    """The reason why an order must not leave."""

    words: str
    code: BlockCode = BlockCode.OTHER


TAKEN_BACK = Withheld("cancelled before submission", BlockCode.TAKEN_BACK)


class Latch(Protocol):
    """The current state of the kill latch, read just before each request."""

    def shut(self) -> str | None:
        """Return why nothing that opens or adds may leave now, or None."""
        ...


@dataclass(slots=True)
class Gateway:
    """Called from several lanes at once. Changes of a queued order are told to it: no lane reads the ledger."""

    account: str
    latch: Latch
    venue: Venue = HOME
    """The venue whose clock formats a time."""
    used: ExpiringNames = field(default_factory=ExpiringNames)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _let_out: ExpiringNames = field(default_factory=ExpiringNames)
    _taken_back: ExpiringNames = field(default_factory=ExpiringNames)
    _queued: dict[ClientOrderId, str | None] = field(default_factory=dict)

    def queue(self, order_id: ClientOrderId, why_not: str | None) -> None:
        """Enter an order into its lane; `why_not` is why it must not be sent although it was recorded, or None."""
        with self._lock:
            self._queued[order_id] = why_not

    def tell(self, order_id: ClientOrderId, why_not: str | None) -> None:
        """Update a queued order from the ledger: it ended meanwhile, or is to be sent again."""
        with self._lock:
            if order_id in self._queued:
                self._queued[order_id] = why_not

    def refusal(
        self, effect: SubmitOrder | ReplaceOrder, now: datetime, queued_at: datetime | None = None
    ) -> Withheld | None:
        """Return why this order must not leave; None uses up its approval.

        The approval of a reducing order is checked as of `queued_at`: it does not lapse in our own queue (EX-22).

        Raises
        ------
        UnauthorizedAIActionError
            An adviser calls (OP-09).
        """
        only_for_people("send an order")
        order = effect.order
        reason = None if order.effect.only_reduces else self.latch.shut()
        asked_at = queued_at if queued_at is not None and order.effect.only_reduces else now
        with self._lock:
            for noted in (self.used, self._let_out, self._taken_back):
                noted.forget(now)
            why_not = self._queued.pop(order.client_order_id, None)
            if reason is not None:
                return Withheld(f"{reason}: nothing that opens or adds leaves")
            withheld = self._refusal(effect, asked_at, why_not)
            if withheld is None:
                self.used.add(effect.approval.id, max(now, effect.approval.lapses_at))
                self._let_out.add(order.client_order_id)
            return withheld

    def given_back(self, effect: SubmitOrder | ReplaceOrder, answer: object) -> Approval | None:
        """Return the approval by which a rate-limited reducing order may leave again; None after any other answer.

        The broker itself stated that it accepts no requests for now, so it does not have the order (EX-22).
        """
        is_limited = isinstance(answer, Refused) and answer.kind is RefusalKind.RATE_LIMITED
        if not is_limited or not effect.order.effect.only_reduces:
            return None
        with self._lock:
            self.used.discard(effect.approval.id)
            self._let_out.discard(effect.order.client_order_id)
        return effect.approval

    def let_again(self, effect: SubmitOrder) -> None:
        """Let a reducing order that the broker is proven not to have leave once more by its approval.

        It keeps its id: if it exists after all, the broker itself refuses the second one (EX-06, EX-22).
        """
        if effect.is_absent and effect.order.effect.only_reduces:
            with self._lock:
                self.used.discard(effect.approval.id)
                self._let_out.discard(effect.order.client_order_id)

    def take_back(self, order_id: ClientOrderId) -> bool:
        """Withdraw a queued order: True if it will never leave, False if it has left."""
        with self._lock:
            if order_id in self._let_out:
                return False
            self._taken_back.add(order_id)
            self._queued.pop(order_id, None)
            return True

    def _refusal(self, effect: SubmitOrder | ReplaceOrder, asked_at: datetime, why_not: str | None) -> Withheld | None:
        order, approval = effect.order, effect.approval
        if not order.is_of_one_leg:
            return Withheld(refused_for_its_legs(order))
        if order.client_order_id in self._taken_back:
            return TAKEN_BACK
        if approval.id in self.used:
            return Withheld(f"approval {approval.id} was used already; confirm a new ticket")
        if approval.order_digest != order.digest(self.account):
            return Withheld(f"the order is not the one that approval {approval.id} was given for; confirm a new ticket")
        if asked_at > approval.lapses_at:
            again = "confirm a new ticket" if approval.mandate_id is None else "what was signed permits it no more"
            words = f"approval {approval.id} lapsed at {self.venue.clock(approval.lapses_at)}; {again}"
            return Withheld(words, BlockCode.LAPSED)
        return None if why_not is None else Withheld(why_not)
