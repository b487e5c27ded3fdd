"""Taking up the journal; it trades only once the books were compared (`reconciliation.py`, EX-09). Also a clean stop.

What a start does with each half-done step:

| left behind | what the start does |
| --- | --- |
| a bar without its signals, a signal without its proposal | not heard; what still holds is said of the next bar |
| an open ticket, a turned key without its order | void; the operator opens it again |
| a turned key that was approved, without its order | never sent, and told: stage it again |
| a permission used, without its order | it stands: the stop, less of one, or the sale of a close goes out |
| an order in PENDING | in doubt: looked up by its own id, never sent again |
| one that is known never to have left the desk | sent where its permission holds, else on a ticket (EX-22) |
| an order that is being replaced | as it was, until the broker's word on both says more |
| a cancel without its end | asked for again, unless the close that it was to make way for was given up |
| a fill without its stop | the stop goes out under the ticket's mandate; where that has ended, it waits on a ticket |
| a stop that was cut, without the rest of it | its pair goes; the rest follows once the books are known |
| a stop whose day is over, without its ticket | it is asked for |
| an entry whose legs are not named yet | the broker's books name them, or its look-up |
| a closing without its sale | goes on, or puts the stop back when its time is over |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.facts import EngineStarted, EngineStopped, SubmissionBlocked
from core.messages.effects import Effect
from core.messages.inputs import CallsCounted, ConnectionChanged, Start, Stop
from core.model.connection import Channel, ConnectionState
from core.model.values import ClientOrderId
from core.trading_state.state import TradingState
from core.workflows.base.declarations import answers
from core.workflows.base.isolation import apart
from core.workflows.orders.order_recovery import OrderRecovery
from core.workflows.reconciliation.reconciliation import Reconciliation

NOT_WRITTEN = "the desk ended before it was written down: it was not sent; stage it again if you still want it"


class EngineStart:
    """The beginning, the end, and what is seen of connections between them."""

    def __init__(self, state: TradingState, reconciliation: Reconciliation, order_recovery: OrderRecovery) -> None:
        self.state = state
        self.reconciliation = reconciliation
        self.order_recovery = order_recovery

    @answers(Start)
    def on_start(self, _command: Start) -> Iterator[Effect]:
        unwritten = self._confirmed_and_not_written()
        self.state.record(EngineStarted())
        for order_id in unwritten:
            self.state.record(SubmissionBlocked(order_id, NOT_WRITTEN))
        yield from apart(self.state, self.reconciliation.ask)

    def _confirmed_and_not_written(self) -> list[ClientOrderId]:
        """Orders whose key was turned just before the engine died: not written down, so never sent (OP-02, EX-20)."""
        stage, ledger = self.state.stage.state, self.state.ledger
        return [
            turned.ticket.order.client_order_id
            for turned in stage.confirmations.values()
            if turned.is_decided and not turned.is_void and not turned.is_told
            if not ledger.has(turned.ticket.order.client_order_id)
            if not turned.ticket.cancels or turned.approval.id not in stage.used
        ]

    @answers(Stop)
    def on_stop(self, command: Stop) -> Iterable[Effect]:
        self.state.record(EngineStopped(command.reason))
        return ()

    @answers(ConnectionChanged)
    def on_lamp(self, message: ConnectionChanged) -> Iterable[Effect]:
        """Nothing is replayed after a gap of the order stream: where it is back, the broker's books are asked for.

        What is in doubt does not wait out a pause that grew while nobody could answer.
        """
        lamp = message.lamp
        before = self.state.sightings.lamps.get(lamp.line)
        self.state.sightings.lamps[lamp.line] = lamp
        is_back = before is not None and lamp.state is ConnectionState.UP and before.state is not ConnectionState.UP
        if is_back and lamp.line is not Channel.DATA:
            self.order_recovery.begin_anew()
        self.state.sightings.books_are_wanted |= is_back and lamp.line is Channel.TRADES
        return ()

    @answers(CallsCounted)
    def on_calls(self, message: CallsCounted) -> Iterable[Effect]:
        """The most frequent first."""
        self.state.sightings.calls = tuple(sorted(message.calls, key=lambda call: (-call[1], call[0])))
        return ()
