"""A fill is protected at once: the stop of the confirmed ticket, for what was filled, with no second key (OP-06)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from core.desk import Desk
from core.effects import Effect
from core.execution.order import Order
from core.facts import SubmissionBlocked
from core.model.order import Effect as OrderEffect
from core.model.order import OrderRequest, OrderType, Side, order_id_of
from core.model.position import Position
from core.model.signal import ExitReason
from core.model.staging import MANUAL, MandateKind
from core.model.values import ClientOrderId, Quantity, Symbol
from core.staging.stage import MandateUse
from core.workflows.cancelling import Cancelling
from core.workflows.proposing import TIMEFRAME, Proposing, closing_side
from core.workflows.submitting import Intent, Submitting

CLOSED = "the position is closed"


class Protecting:
    def __init__(self, desk: Desk, submitting: Submitting, cancelling: Cancelling, proposing: Proposing) -> None:
        self.desk = desk
        self.submitting = submitting
        self.cancelling = cancelling
        self.proposing = proposing

    def after_fill(self, order: Order) -> Iterator[Effect]:
        position = self.desk.ledger.position(order.request.symbol, order.strategy)
        if position is None:
            yield from self._clear_up_after(order)
            return
        yield from self.cover(order.id)

    def resume(self) -> Iterator[Effect]:
        """After a restart: fills whose stop had not been written down yet get it now."""
        for use in self.desk.stage.mandates(MandateKind.PROTECTIVE_STOP):
            yield from self.cover(use.mandate.parent)

    def cover(self, entry_id: ClientOrderId) -> Iterator[Effect]:
        entry = self.desk.ledger.order(entry_id)
        for use in self.desk.stage.mandates(MandateKind.PROTECTIVE_STOP, entry_id):
            if entry is None:
                continue
            owed = entry.filled_quantity - use.released
            quantity = min(owed, self.uncovered(entry.request.symbol, entry.strategy, use.mandate.side))
            if quantity > 0:
                yield from self.release_stop(use, entry, Quantity(quantity))

    def release_stop(self, use: MandateUse, parent: Order, quantity: Quantity) -> Iterator[Effect]:
        """Send a stop within its mandate. A stop goes out killed or not."""
        mandate = use.mandate
        order = OrderRequest(
            client_order_id=child_order_id(parent, self.desk.ledger.children(parent.id) + 1, mandate.side),
            symbol=mandate.symbol,
            side=mandate.side,
            effect=OrderEffect.CLOSE if mandate.side is Side.SELL else OrderEffect.COVER,
            quantity=quantity,
            type=OrderType.STOP,
            stop_price=mandate.stop_price,
        )
        approval = self.desk.stage.permit(use, order, self.desk.account_name, self.desk.at)
        if isinstance(approval, str):
            self.desk.record(SubmissionBlocked(order.client_order_id, approval))
            return
        yield from self.submitting.release(
            approval,
            Intent(
                order=order,
                proposal_id=parent.proposal_id,
                strategy=parent.strategy,
                signal_time=parent.signal_time,
                stop=None,
                parent=parent.id,
                exit_reason=ExitReason.STOP_LOSS,
                intended_price=mandate.stop_price,
                reference=parent.reference,
                expires_at=None,
            ),
        )

    def uncovered(self, symbol: str, strategy: str, side: Side) -> Decimal:
        """Shares held that an order on this side would close and no working exit does: none of a flipped position."""
        position = self._position(symbol, strategy)
        if position is None or closing_side(position) is not side:
            return Decimal(0)
        return abs(position.quantity) - self.desk.ledger.covered(position.symbol, strategy)

    def _position(self, symbol: str, strategy: str) -> Position | None:
        return next(
            (p for p in self.desk.ledger.positions() if p.symbol == symbol and p.strategy == strategy),
            None,
        )

    def after_correction(self, symbol: Symbol) -> Iterator[Effect]:
        """The broker's books show less than ours did: an exit with nothing left to close would open the other side."""
        for order in self.desk.ledger.working():
            if order.request.symbol == symbol and self.is_loose(order) and not order.is_cancelling:
                yield from self.cancelling.cancel(order, CLOSED)

    def is_loose(self, order: Order) -> bool:
        """An exit that has nothing to close."""
        position = self._position(order.request.symbol, order.strategy)
        has_its_side = position is not None and closing_side(position) is order.request.side
        return order.only_reduces and not has_its_side

    def _clear_up_after(self, order: Order) -> Iterator[Effect]:
        """Flat: waiting exits are withdrawn, and stops that guard nothing any more are taken back."""
        symbol, strategy = order.request.symbol, order.strategy
        self.proposing.withdraw_exits_of(symbol, strategy)
        for left_over in self.desk.ledger.working_exits(symbol, strategy):
            is_gone = left_over.id == order.id or left_over.replaced_by is not None
            if not is_gone and not left_over.is_cancelling:
                yield from self.cancelling.cancel(left_over, CLOSED)


def child_order_id(parent: Order, index: int, side: Side) -> ClientOrderId:
    """The signal's own name with a child index (EX-04); what a person typed or changed hashes its order id instead."""
    is_by_hand = parent.strategy == MANUAL or parent.exit_reason in (ExitReason.MANUAL, ExitReason.KILL)
    if is_by_hand or parent.request.replaces is not None:
        return order_id_of(parent.id, side.value, str(index))
    start = f"{parent.signal_time:%Y-%m-%dT%H:%M:%SZ}"
    return order_id_of(parent.strategy, parent.request.symbol, TIMEFRAME, start, side.value, str(index))
