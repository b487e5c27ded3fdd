"""Follow a replacement: the old order's end is known only from the broker's own report.

A report on the new order proves that it exists; the end of the old one and its fills until then are looked up. A fill
of the old order that the change did not know of cancels an entry's replacement.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.execution.order import Order
from core.facts import OrderFilled, OrderStateChanged, ProposalEnded
from core.messages.effects import Effect
from core.model.codes import CancelCode, ProposalEnd
from core.model.order import OrderStatus
from core.trading_state.state import TradingState
from core.workflows.base.declarations import follows
from core.workflows.orders.cancellation import Cancellation
from core.workflows.orders.order_recovery import OrderRecovery


class Replacement:
    def __init__(self, state: TradingState, order_recovery: OrderRecovery, cancellation: Cancellation) -> None:
        self.state = state
        self.order_recovery = order_recovery
        self.cancellation = cancellation

    @follows(OrderFilled)
    def after_fill(self, fact: OrderFilled) -> Iterator[Effect]:
        order = self.state.ledger.order(fact.fill.client_order_id)
        if order is None:
            return
        self._withdraw(order, "the order filled further; change what is left of it")
        replacement = self.state.ledger.chains.replacement(order)
        if replacement is not None and not replacement.only_reduces and not replacement.is_cancelling:
            why = "the order that it replaces filled further meanwhile"
            yield from self.cancellation.cancel(replacement, why, CancelCode.FILLED_FURTHER)

    @follows(OrderStateChanged)
    def after_change(self, fact: OrderStateChanged) -> Iterable[Effect]:
        """Look up the end of an order once the broker has its replacement."""
        order = self.state.ledger.order(fact.client_order_id)
        if order is None:
            return ()
        if fact.after.is_terminal:
            self._withdraw(order, "the order that it would replace is over")
            return ()
        old = self.state.ledger.chains.replaced(order) if fact.before is OrderStatus.PENDING else None
        return () if old is None else self.order_recovery.ask(old)

    def _withdraw(self, order: Order, reason: str) -> None:
        """Withdraw a change that was staged for an earlier state of the order."""
        waiting = self.state.stage.replacement_of(order.id)
        if waiting is not None:
            self.state.record(ProposalEnded(waiting.id, ProposalEnd.WITHDRAWN, reason))
