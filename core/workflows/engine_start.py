"""Begin a run: end what the run before left half done (EX-09).

How a start treats each half-done step:

| left behind | action of the start |
| --- | --- |
| a bar without its signals, a signal without its proposal | ignored; a lasting condition signals at the next bar |
| an open ticket, a confirmation without its order | void; the operator opens it again |
| an approved confirmation without its order | never sent, and reported: stage it again |
| a used authorization without its order | valid: the stop (reduced if need be) or the sale of a close goes out |
| an order in PENDING | in doubt: looked up by its client order id, never sent again |
| an order known never to have left the desk | sent if its authorization is valid, else on a ticket (EX-22) |
| an order that is being replaced | unchanged until the broker reports on both |
| a cancel without its end | requested again, unless the close that it was for was given up |
| a fill without its stop | the stop goes out under the ticket's authorization; if that has ended, on a ticket |
| a stop that was reduced, without the rest of it | its pair is cancelled; the rest follows after the comparison |
| a stop whose day has ended, without its ticket | its ticket is requested |
| an entry whose legs are not named yet | the broker's books or a look-up name them |
| a close elsewhere without its fill | ended; the comparison records it again |
| a close without its sale | continues, or restores the stop at its time-out |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.facts import EngineStarted, EngineStopped, SubmissionBlocked
from core.messages.effects import Effect
from core.messages.inputs import (
    CallsCounted,
    ConnectionChanged,
    Start,
    Stop,
)
from core.model.account import Channel, ConnectionState
from core.trading_state.state import TradingState
from core.workflows.orders.order_recovery import OrderRecovery
from core.workflows.reconciliation import Reconciliation
from core.workflows.workflow import answers, apart

NOT_WRITTEN = "the desk ended before it was written down: it was not sent; stage it again if you still want it"


class EngineStart:
    """Engine start and stop, and the connection changes between them."""

    def __init__(self, state: TradingState, reconciliation: Reconciliation, order_recovery: OrderRecovery) -> None:
        self.state = state
        self.reconciliation = reconciliation
        self.order_recovery = order_recovery

    @answers(Start)
    def on_start(self, _command: Start) -> Iterator[Effect]:
        # Orders confirmed just before a crash: they were not recorded, so never sent (OP-02, EX-20).
        stage, ledger = self.state.stage.state, self.state.ledger
        unwritten = [
            turned.ticket.order.client_order_id
            for turned in stage.confirmations.values()
            if turned.is_decided and not turned.is_void and not turned.is_told
            if not ledger.has(turned.ticket.order.client_order_id)
            if not turned.ticket.cancels or turned.approval.id not in stage.used
        ]
        for order_id in unwritten:  # before the start voids them: a crash in between loses none
            self.state.record(SubmissionBlocked(order_id, NOT_WRITTEN))
        self.reconciliation.closes_elsewhere.end_interrupted()  # before one claims shares of a stop
        self.state.record(EngineStarted(self.state.control.state.agreed_until or self.state.journal.last_at))
        yield from apart(self.state, self.reconciliation.ask)

    @answers(Stop)
    def on_stop(self, command: Stop) -> Iterable[Effect]:
        self.state.record(EngineStopped(command.reason))
        return ()

    @answers(ConnectionChanged)
    def on_connection(self, message: ConnectionChanged) -> Iterable[Effect]:
        """Request the broker's books when the order stream is back: it does not replay a gap.

        Look-ups of orders in doubt restart at once, without the pauses that grew while the connection was down.
        """
        connection = message.connection
        before = self.state.sightings.connections.get(connection.line)
        self.state.sightings.connections[connection.line] = connection
        is_back = (
            before is not None and connection.state is ConnectionState.UP and before.state is not ConnectionState.UP
        )
        if is_back and connection.line is not Channel.DATA:
            self.order_recovery.begin_anew()
        self.state.sightings.books_are_wanted |= is_back and connection.line is Channel.TRADES
        return ()

    @answers(CallsCounted)
    def on_calls(self, message: CallsCounted) -> Iterable[Effect]:
        """Keep the call counts, the most frequent first."""
        self.state.sightings.calls = tuple(sorted(message.calls, key=lambda call: (-call[1], call[0])))
        return ()
