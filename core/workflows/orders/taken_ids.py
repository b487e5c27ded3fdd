"""Handle an order of ours whose id the broker gave to another order before: this folder is older than its account.

An id is a hash of the installation's name and a count, so a folder that was put back gives ids again. Nothing shows
that at a start if the later orders have left the broker's list. The first such answer proves it (EX-24). The
installation gets a new name at once, and the desk is read-only until a person accepts. An exit is sent again under a
new id, once, by what was signed for it. An entry ends with that reason.

The order with the old id can never be accepted any more, so the second one is no double. It is sent only if the other
order is certainly not this one: the broker took it long before ours was recorded. It also has to be over and within the
books that were compared, because it may have sold these very shares. Until then ours stays in doubt for a limited time,
and no exit ends before the books were read once more: a stop would go back for shares that are sold.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from core.execution import order_status
from core.execution.order import Order
from core.execution.reconciliation import reported, unknown_order
from core.facts import Source, UnknownOrdersFound, UpdateIgnored
from core.messages.effects import Effect
from core.messages.inputs import LookUpAnswered
from core.model.broker import OrderReport
from core.model.codes import EndCode
from core.model.desk import renamed
from core.model.order import OrderStatus
from core.model.reconciliation import LAGS
from core.model.staging import Approval
from core.model.values import ClientOrderId
from core.trading_state.state import TradingState
from core.workflows.orders.order_recovery import OrderRecovery
from core.workflows.orders.order_updates import is_ours
from core.workflows.orders.submission import Submission
from core.workflows.orders.unsent_orders import UnsentOrders
from core.workflows.workflow import answers, follow_up

LONG_BEFORE = timedelta(days=1)
"""Time by which the broker took the other order earlier: neither a clock nor its time zone makes it this one."""
WAITS = timedelta(minutes=2)
"""Time for which an exit waits for books that show what the other order did."""


class TakenIds:
    def __init__(
        self, state: TradingState, submission: Submission, order_recovery: OrderRecovery, unsent_orders: UnsentOrders
    ) -> None:
        self.state = state
        self.submission = submission
        self.order_recovery = order_recovery
        self.unsent_orders = unsent_orders
        self._waiting_since: dict[ClientOrderId, datetime] = {}

    @answers(LookUpAnswered)
    def on_looked_up(self, reply: LookUpAnswered) -> Iterator[Effect]:
        """Send an exit again under a new id, end it, or wait for the books, if its id belongs to another order."""
        order, other = self.state.ledger.order(reply.client_order_id), reply.answer
        if order is None or not isinstance(other, OrderReport) or order.status is not OrderStatus.PENDING:
            return
        if self.state.sightings.departing.is_here(order) or is_ours(self.state, order, other):
            return
        self._prove_older(order, other)
        approval = self._approval(order, other)
        if order.only_reduces and not self._is_settled(order, other):
            if order.id not in self._waiting_since:
                self._waiting_since[order.id] = self.state.at
                self.state.sightings.books_are_wanted = True
            is_read = approval is None and self._is_read_since(self._waiting_since[order.id])
            if not is_read and self.state.at - self._waiting_since[order.id] < WAITS:
                self.order_recovery.watch(order)
                return
            approval = None
        self._waiting_since.pop(order.id, None)
        # The new order is recorded before the old one ends: after a crash in between the old one is looked up again.
        was_sent = self._was_sent_again(order)
        if not was_sent and approval is not None and self.unsent_orders.too_much(order) is None:
            again = replace(order.request, client_order_id=self.submission.next_id(order, "again"))
            yield from self.submission.release_for(order, again, approval.lapses_at, is_again=True)
            was_sent = True
        reason = f"its id is of another order at the broker: {reported(other)} {other.symbol}"
        code = EndCode.SENT_AGAIN if was_sent else EndCode.ID_TAKEN
        self.state.record(order_status.change(order, OrderStatus.REJECTED, Source.LOOK_UP, None, reason, code))
        yield from follow_up(self.state)

    def _prove_older(self, order: Order, other: OrderReport) -> None:
        """Record the proof once for each id, with a new name of the installation; none if it is known."""
        control = self.state.control.state
        if order.id in {*control.unknown_orders, *control.accepted_orders}:
            return
        found = f"{reported(other)} {other.symbol}"
        self.state.record(UpdateIgnored(order.id, f"the broker's order with this id is another: {found}"))
        name = renamed(control.installation or "", order.id.encode(), self.state.at.isoformat().encode())
        self.state.record(UnknownOrdersFound((order.id,), name, (unknown_order(other),)))

    def _approval(self, order: Order, other: OrderReport) -> Approval | None:
        """Return what permits to send it again; None if it was sent again before, or may be the other order.

        While the other order works, a person decides: it may trade these shares.
        """
        if order.again_of is not None or self.state.control.is_clock_in_doubt:
            return None
        if other.status is None or other.status.is_working:
            return None
        if other.accepted_at is None or other.accepted_at > order.created_at - LONG_BEFORE:
            return None
        return self.order_recovery.permitted_again(order)

    def _was_sent_again(self, order: Order) -> bool:
        """Whether a crash came between the new order's record and the end of this one."""
        return any(one.again_of == order.id for one in self.state.ledger.lines.grown({order.id}))

    def _is_read_since(self, since: datetime) -> bool:
        """Whether the books were read since then: what ends here may put a stop back for shares that are sold."""
        books_at = self.state.sightings.books_at
        return books_at is not None and books_at > since

    def _is_settled(self, order: Order, other: OrderReport) -> bool:
        """Whether compared books that agree on the symbol contain all that the other order did."""
        sightings, symbol = self.state.sightings, order.request.symbol
        books_at = sightings.books_at if self.state.control.state.was_compared else None
        if books_at is None or self.state.may_have_unknown_orders(symbol):
            return False
        if symbol in sightings.differing | sightings.disputed:
            return False
        if any(one.client_order_id == order.id for one in sightings.all_others):
            return False
        fills = (fill.at for report in (other, *other.legs) for fill in report.executions)
        return all(at < books_at - LAGS for at in (other.accepted_at, *fills) if at is not None)
