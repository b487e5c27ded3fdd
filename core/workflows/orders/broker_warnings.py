"""Handle a warning that the broker returns with an accepted order: show it, never accept it automatically (OP-11).

The order is at the broker by then. An entry is cancelled unless the operator confirms the warning in time; its fills
until then stay, with their stop. A reducing order keeps working with its warning unconfirmed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from core.execution.order import Order
from core.facts import BrokerWarned, WarningConfirmed
from core.messages.commands import ConfirmWarning
from core.messages.effects import Effect
from core.messages.inputs import SubmissionAnswered
from core.model.broker import Accepted
from core.model.codes import CancelCode
from core.trading_state.state import TradingState
from core.workflows.base.declarations import answers
from core.workflows.operator.desk_rights import seat_at
from core.workflows.orders.cancellation import Cancellation

NOT_CONFIRMED = "the broker's warning was not confirmed in time"


class BrokerWarnings:
    ACTS_BY_TIME = True

    def __init__(self, state: TradingState, cancellation: Cancellation) -> None:
        self.state = state
        self.cancellation = cancellation

    @answers(SubmissionAnswered)
    def on_answered(self, reply: SubmissionAnswered) -> Iterable[Effect]:
        """Record the warnings of an answer; each answer's warnings need their own confirmation."""
        order = self.state.ledger.order(reply.client_order_id)
        if order is not None and isinstance(reply.answer, Accepted) and reply.answer.warnings:
            self.state.record(BrokerWarned(order.id, reply.answer.warnings))
        return ()

    @answers(ConfirmWarning)
    def on_confirm(self, command: ConfirmWarning) -> Iterable[Effect]:
        """Confirm exactly the warnings that the operator read; warnings that came meanwhile stay unconfirmed."""
        order = self.state.ledger.order(command.client_order_id)
        if order is not None and order.warning_waits and order.warnings == command.warnings:
            self.state.record(WarningConfirmed(order.id, *seat_at(self.state, command)))
        return ()

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        return (at for _, at in self._to_take_back())

    def due(self) -> Iterator[Effect]:
        for order, at in list(self._to_take_back()):
            if self.state.at >= at:
                yield from self.cancellation.cancel(order, NOT_CONFIRMED, CancelCode.WARNING)

    def _to_take_back(self) -> Iterator[tuple[Order, datetime]]:
        patience = timedelta(seconds=float(self.state.control.settings.execution.warning_seconds))
        for order in self.state.ledger.working():
            at = order.taken_back_at(patience)
            if at is not None:
                yield order, at
