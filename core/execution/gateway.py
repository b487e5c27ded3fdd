"""The last look before the wire: an order leaves only with an approval for exactly it, unused, in time, unlatched.

The gateway knows nothing of why an order is wanted. It compares, and lets pass or names what is wrong (OP-02, OP-08).
It keeps its own used set, apart from the staging's, so that one mistake alone sends nothing twice. An order that waits
in our own queue can be taken back here: what was taken back never leaves, and what was let out is never taken back.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from core.execution.expiring_names import ExpiringNames
from core.messages.effects import ReplaceOrder, SubmitOrder
from core.model.authority import only_for_people
from core.model.broker import Refused
from core.model.codes import BlockCode, RefusalKind
from core.model.order import refused_for_its_legs
from core.model.staging import Approval
from core.model.values import ClientOrderId
from core.model.venue import Venue
from core.model.venues import HOME


@dataclass(frozen=True, slots=True)
class Withheld:
    """Why an order must not leave."""

    words: str
    code: BlockCode = BlockCode.OTHER


TAKEN_BACK = Withheld("taken back before it was sent", BlockCode.TAKEN_BACK)


class Latch(Protocol):
    """The kill latch as it stands this instant; read just before each request."""

    def shut(self) -> str | None:
        """Why nothing that opens or adds may leave now, or None."""
        ...


@dataclass(slots=True)
class Gateway:
    """Asked from several lanes at once. What the books say of an order that waits is told here as it becomes another:
    no lane reads them.
    """

    account: str
    latch: Latch
    venue: Venue = HOME
    """By whose clock it tells a time."""
    used: ExpiringNames = field(default_factory=ExpiringNames)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _let_out: ExpiringNames = field(default_factory=ExpiringNames)
    _taken_back: ExpiringNames = field(default_factory=ExpiringNames)
    _queued: dict[ClientOrderId, str | None] = field(default_factory=dict)

    def queue(self, order_id: ClientOrderId, why_not: str | None) -> None:
        """It goes into its lane; `why_not` is why it is not to be sent any more although it was written, or None."""
        with self._lock:
            self._queued[order_id] = why_not

    def tell(self, order_id: ClientOrderId, why_not: str | None) -> None:
        """What the books say now of an order that may wait in its lane: it ended meanwhile, or is to be sent again."""
        with self._lock:
            if order_id in self._queued:
                self._queued[order_id] = why_not

    def refusal(
        self, effect: SubmitOrder | ReplaceOrder, now: datetime, queued_at: datetime | None = None
    ) -> Withheld | None:
        """Why this order must not leave, or None; where None, its approval is used up by the asking.

        The permission of what only reduces is measured at `queued_at`: it does not lapse in our own queue (EX-22).

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
        """The approval by which this very order may leave once more: it only reduces, and the broker itself said that
        it takes no requests for now, so that it has not got this one (EX-22). None of every other answer.
        """
        is_limited = isinstance(answer, Refused) and answer.kind is RefusalKind.RATE_LIMITED
        if not is_limited or not effect.order.effect.only_reduces:
            return None
        with self._lock:
            self.used.discard(effect.approval.id)
            self._let_out.discard(effect.order.client_order_id)
        return effect.approval

    def let_again(self, effect: SubmitOrder) -> None:
        """An order that only reduces, and that the broker is proven not to have, may leave once more by its approval.

        It has its own name still: where it is there after all, the broker itself refuses the second one (EX-06, EX-22).
        """
        if effect.is_absent and effect.order.effect.only_reduces:
            with self._lock:
                self.used.discard(effect.approval.id)
                self._let_out.discard(effect.order.client_order_id)

    def take_back(self, order_id: ClientOrderId) -> bool:
        """Keep an order here that may wait in our queue: whether it will never leave; False where it has."""
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
