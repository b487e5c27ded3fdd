"""Start and stop the engine, and compare its clock with the broker's (EX-09).

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
| a close without its sale | continues, or restores the stop at its time-out |

Compare the broker's clock with the desk's; if they differ or ours jumped, entries wait (EX-23).
So does everything that time alone would trigger. The operator's actions and stops do not depend on the clock. The
broker's clock is read each minute, and every few seconds while ours is in doubt: only agreement with it ends the doubt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from core.facts import ClockDiffered, ClockJumped, ClockSettled, EngineStarted, EngineStopped, SubmissionBlocked
from core.messages.effects import Effect, FetchClock
from core.messages.inputs import CallsCounted, ClockFetched, ClockRead, ConnectionChanged, Start, Stop
from core.model.account import Channel, ConnectionState
from core.model.broker import NoAnswer
from core.model.values import ZERO
from core.trading_state.state import TradingState
from core.workflows.orders.order_recovery import OrderRecovery
from core.workflows.reconciliation.reconciliation import Reconciliation
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
        self.state.record(EngineStarted())
        for order_id in unwritten:
            self.state.record(SubmissionBlocked(order_id, NOT_WRITTEN))
        yield from apart(self.state, self.reconciliation.ask)

    @answers(Stop)
    def on_stop(self, command: Stop) -> Iterable[Effect]:
        self.state.record(EngineStopped(command.reason))
        return ()

    @answers(ConnectionChanged)
    def on_lamp(self, message: ConnectionChanged) -> Iterable[Effect]:
        """Request the broker's books when the order stream is back: it does not replay a gap.

        Look-ups of orders in doubt restart at once, without the pauses that grew while the connection was down.
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
        """Keep the call counts, the most frequent first."""
        self.state.sightings.calls = tuple(sorted(message.calls, key=lambda call: (-call[1], call[0])))
        return ()


EACH = timedelta(minutes=1)
IN_DOUBT = timedelta(seconds=5)


class ClockWatch:
    """`_asked_at` is the time of the last request; since `_agreed_at` both clocks agree in this doubt."""

    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._asked_at: datetime | None = None
        self._agreed_at: datetime | None = None
        self._is_told = False
        self._step = ZERO

    @answers(Start)
    def on_start(self, _command: Start) -> Iterable[Effect]:
        return self._ask() if self._pause is not None else ()

    @answers(ClockRead)
    def on_read(self, message: ClockRead) -> Iterable[Effect]:
        if message.jumped or not self.state.control.is_clock_in_doubt:
            self.state.record(ClockJumped(message.jumped, message.behind))
            self._is_told = False
        self._agreed_at = None
        return self._ask()

    @answers(ClockFetched)
    def on_clock(self, reply: ClockFetched) -> Iterable[Effect]:
        if isinstance(reply.answer, NoAnswer):
            return ()
        self._step += reply.step
        if reply.is_near:
            self._agreed_at = self._agreed_at or self.state.at
            self._settle()
            return ()
        self._agreed_at = None
        if not self._is_told or not self.state.control.is_clock_in_doubt:
            self._is_told = True
            self.state.record(ClockDiffered(reply.ahead))
        return ()

    def next_due(self) -> Iterator[datetime]:
        if (pause := self._pause) is not None:
            yield self.state.at if self._asked_at is None else self._asked_at + pause
        if (settles_at := self._settles_at()) is not None:
            yield settles_at

    def due(self) -> Iterable[Effect]:
        self._settle()
        pause = self._pause
        is_due = pause is not None and (self._asked_at is None or self.state.at >= self._asked_at + pause)
        return self._ask() if is_due else ()

    @property
    def _pause(self) -> timedelta | None:
        """Return the time between two requests; None if the desk uses the broker's clock."""
        if self.state.control.is_clock_in_doubt:
            return IN_DOUBT
        return EACH if self.state.sightings.has_own_clock else None

    def _ask(self) -> Iterable[Effect]:
        self._asked_at = self.state.at
        return (FetchClock(),)

    def _settles_at(self) -> datetime | None:
        """Return when the doubt ends: both clocks agree, and ours has been steady since."""
        jumped_at = self.state.control.state.clock_jumped_at
        if jumped_at is None or self._agreed_at is None:
            return None
        steady = timedelta(seconds=float(self.state.control.settings.risk.clock_steady_seconds))
        return max(self._agreed_at, jumped_at + steady)

    def _settle(self) -> None:
        settles_at = self._settles_at()
        if settles_at is not None and self.state.at >= settles_at:
            self.state.record(ClockSettled(self._step))
            self._step, self._is_told = ZERO, False
