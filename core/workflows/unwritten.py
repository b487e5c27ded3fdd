"""What was permitted and raised before its order was asked for: the permission stands, and is used again (EX-22).

A stop, or the sale of a close, is derived from the books once more at the next look into them, which is asked for at
once. A stop that fails again waits on a ticket, and is owed by that alone. What was to be less of an order that works
is looked at after each act. What a key permitted by itself is told, and an exit of it waits on another ticket. A stop
that was written down waits on a ticket at once, and is owed again where it cannot wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from core.desk import Desk
from core.effects import Effect
from core.execution.order import Order
from core.facts import MandateEnded, PermissionReturned, StopAskedFor, StopCut, SubmissionBlocked
from core.model.order import OrderRequest
from core.model.staging import Approval, MandateKind
from core.model.values import ZERO, ClientOrderId, Quantity
from core.staging.stage import STOPS
from core.workflows.apart import apart
from core.workflows.submitting import Intent, Submitting

FAILED = "the desk failed before sending it"
NOT_SENT = "the desk failed before sending it, and it never left; m in Positions gives a stop, else stage it"


class Unwritten:
    def __init__(self, desk: Desk, submitting: Submitting) -> None:
        self.desk = desk
        self.submitting = submitting
        self.ask_for_books: Callable[[], Iterable[Effect]] = lambda: ()
        self.ask_for: Callable[[OrderRequest, str, str], bool] = lambda order, strategy, why: False
        """Have such a stop wait on a ticket; whether one does now."""
        self.ask_again: Callable[[Order, str], None] = lambda order, why: None
        self._failed: set[str] = set()
        """Mandates, and stops that were made less, of which an order was not written down."""

    def follow(self) -> Iterator[Effect]:
        """At the end of each act, after what was written down and never left has ended, and was asked for."""
        for approval, intent in self.submitting.take_failed():
            yield from apart(self.desk, partial(self._take_up, approval, intent))

    def _take_up(self, approval: Approval, intent: Intent) -> Iterator[Effect]:
        if self.desk.ledger.has(intent.order.client_order_id):
            if not self._is_asked_for(intent):
                self._give_back(approval, intent)
            return
        stands_by = approval.mandate_id or approval.less_of
        if stands_by is None:
            self._tell(intent)
        elif stands_by in self._failed:
            self._ask(approval, intent)
        else:
            self._failed.add(stands_by)
            yield from self.ask_for_books()

    def _tell(self, intent: Intent) -> None:
        """Its key was turned for this one order: it is told, and an exit waits for another key."""
        self.desk.record(SubmissionBlocked(intent.order.client_order_id, NOT_SENT))
        if intent.order.effect.only_reduces:
            self.ask_again(_as_order(intent, self.desk), FAILED)

    def _ask(self, approval: Approval, intent: Intent) -> None:
        order = intent.order
        if order.replaces is not None or not self._is_stop(approval):
            return
        if not self.ask_for(order, intent.strategy, FAILED):
            return
        if approval.less_of is not None:
            self._is_owed_less(approval.less_of, order.quantity)
        else:
            self._is_permitted_less(str(approval.mandate_id), order.quantity)

    def _is_stop(self, approval: Approval) -> bool:
        """A sale has its time, and what it was to leave has its stop when that is over."""
        if approval.less_of is not None:
            cut = self.desk.ledger.order(approval.less_of)
            return cut is not None and cut.is_protective
        use = self.desk.stage.state.mandates.get(approval.mandate_id or "")
        return use is not None and use.mandate.kind in STOPS

    def _is_owed_less(self, less_of: ClientOrderId, asked: Quantity) -> None:
        cut = self.desk.ledger.order(less_of)
        if cut is not None:
            self.desk.record(StopCut(cut.id, Quantity(max((cut.owed or ZERO) - asked, ZERO))))

    def _is_asked_for(self, intent: Intent) -> bool:
        stops = (p for p in self.desk.stage.proposals() if p.only_reduces and p.order.type.is_stop)
        return any((p.symbol, p.strategy) == (intent.order.symbol, intent.strategy) for p in stops)

    def _give_back(self, approval: Approval, intent: Intent) -> None:
        """It was written down and has ended unsent, and no ticket could wait for its shares: it is owed again."""
        order = intent.order
        if order.replaces is not None or not self._is_stop(approval):
            return
        if approval.mandate_id is not None:
            self.desk.record(PermissionReturned(order.client_order_id, approval.mandate_id, order.quantity))
        elif approval.less_of is not None and (cut := self.desk.ledger.order(approval.less_of)) is not None:
            self.desk.record(StopCut(cut.id, Quantity((cut.owed or ZERO) + order.quantity)))

    def _is_permitted_less(self, mandate_id: str, asked: Quantity) -> None:
        mandate = self.desk.stage.state.mandates[mandate_id].mandate
        self.desk.record(StopAskedFor(mandate.parent, mandate_id, asked))
        if mandate.kind is MandateKind.RESTORE_STOP:
            self.desk.record(MandateEnded(mandate_id, "the stop waits for its key"))


def _as_order(intent: Intent, desk: Desk) -> Order:
    return Order(
        request=intent.order,
        proposal_id=intent.proposal_id,
        strategy=intent.strategy,
        signal_time=intent.signal_time,
        created_at=desk.at,
        stop=intent.stop,
        parent=intent.parent,
        exit_reason=intent.exit_reason,
        intended_price=intent.intended_price,
        reference=intent.reference,
        expires_at=intent.expires_at,
        role=intent.role,
    )
