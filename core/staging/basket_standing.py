"""Status of a basket and of each of its orders, by the books and by its turns."""

from __future__ import annotations

from core.execution.ledger import Ledger
from core.model.basket import BasketOrderState, SignedOrder
from core.model.order import OrderStatus
from core.model.values import ClientOrderId
from core.staging.basket_run import BasketRun
from core.staging.stage import Stage


class BasketStanding:
    """Reads the ledger and the stage, and changes neither."""

    def __init__(self, stage: Stage, ledger: Ledger) -> None:
        self.stage = stage
        self.ledger = ledger

    def of(self, run: BasketRun, signed: SignedOrder) -> BasketOrderState:
        """Return an order's status by the books if it is in them; else by its turn."""
        order = self.ledger.order(signed.order_id)
        ticket_id = run.tickets.get(signed.proposal.id)
        if order is not None and ticket_id is not None:
            if order.status is OrderStatus.FILLED:
                return BasketOrderState.FILLED
            if order.status.is_terminal:
                never_left = signed.proposal.id in run.refusals and not order.filled_quantity
                return BasketOrderState.REFUSED if never_left else BasketOrderState.ENDED
            if self.ledger.chains.is_in_doubt(order):
                return BasketOrderState.IN_DOUBT
            return BasketOrderState.SENT if order.status is OrderStatus.PENDING else BasketOrderState.WORKING
        if signed.proposal.id in run.refusals:
            return BasketOrderState.REFUSED
        if ticket_id is None:
            return BasketOrderState.WAITING
        confirmation = self.stage.state.confirmations.get(ticket_id)
        if confirmation is None or confirmation.is_void:
            return BasketOrderState.REFUSED
        return BasketOrderState.CLEARING if confirmation.is_decided else BasketOrderState.CHECKING

    def of_entry(self, order_id: ClientOrderId) -> BasketOrderState:
        """Return the status of a cancelled entry: gone, being cancelled, or filled before the cancel reached the
        broker.
        """
        order = self.ledger.order(order_id)
        if order is None or order.status.is_terminal:
            is_filled = order is not None and order.status is OrderStatus.FILLED
            return BasketOrderState.FILLED if is_filled else BasketOrderState.TAKEN_BACK
        if self.ledger.chains.is_in_doubt(order):
            return BasketOrderState.IN_DOUBT
        return BasketOrderState.TAKING_BACK if order.is_cancelling else BasketOrderState.WORKING

    def entries_left(self, run: BasketRun) -> list[ClientOrderId]:
        """Return the entries whose cancellation is not complete."""
        return [order_id for order_id in run.taken_back if not self.of_entry(order_id).is_over]

    def _entries_in_sum(self, run: BasketRun) -> list[str]:
        if not run.taken_back:
            return []
        standings = [self.of_entry(order_id) for order_id in run.taken_back]
        gone, filled = standings.count(BasketOrderState.TAKEN_BACK), standings.count(BasketOrderState.FILLED)
        parts = [f"{gone} of {len(standings)} entries taken back"]
        parts += [f"{filled} of them FILLED before that"] if filled else []
        left = len(standings) - gone - filled
        return [*parts, f"{left} of them still at the broker"] if left else parts

    def in_sum(self, run: BasketRun) -> str:
        """As in `9 of 14 filled, 1 still working, 4 not sent`, by the current status; with the reason of a stop."""
        standings = [self.of(run, order) for order in run.orders]
        filled = standings.count(BasketOrderState.FILLED)
        working = sum(not s.is_over and s is not BasketOrderState.WAITING for s in standings)
        refused = standings.count(BasketOrderState.REFUSED) + standings.count(BasketOrderState.WAITING)
        ended = standings.count(BasketOrderState.ENDED)
        parts = self._entries_in_sum(run)
        parts += [f"{filled} of {len(standings)} filled"] if standings or not parts else []
        parts += [f"{working} still working"] if working else []
        parts += [f"{ended} ended unfilled"] if ended else []
        parts += [f"{refused} not sent"] if refused else []
        why = f"; {run.phase_reason}" if run.stop is not None else ""
        return ", ".join(parts) + why
