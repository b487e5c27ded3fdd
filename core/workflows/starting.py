"""Taking up the journal; it trades only once the books were compared (`comparing.py`, EX-09). Also a clean stop.

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
| a cancel without its end | asked for again |
| a fill without its stop | the stop goes out under the ticket's mandate; where that has ended, it waits on a ticket |
| a stop that was cut, without the rest of it | its pair goes; the rest follows once the books are known |
| a stop whose day is over, without its ticket | it is asked for |
| an entry whose legs are not named yet | the broker's books name them, or its look-up |
| a closing without its sale | goes on, or puts the stop back when its time is over |
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date

from core.desk import Desk
from core.effects import Effect
from core.facts import EngineStarted, EngineStopped, SubmissionBlocked
from core.inputs import AccountFetched, CallsCounted, LampChanged, Start, Stop
from core.model.account import Account
from core.model.broker import BrokerPicture
from core.model.connection import Line, LineState
from core.model.session import Session
from core.model.values import ClientOrderId
from core.risk.day import begun, corrected
from core.workflows.apart import apart
from core.workflows.comparing import Comparing
from core.workflows.doubting import Doubting

NOT_WRITTEN = "the desk ended before it was written down: it was not sent; stage it again if you still want it"


class Starting:
    """The beginning, the end, and what is seen of account and connections between them."""

    def __init__(self, desk: Desk, comparing: Comparing, doubting: Doubting) -> None:
        self.desk = desk
        self.comparing = comparing
        self.doubting = doubting
        self.see_loss: Callable[[Account], None] = lambda _account: None
        self.after_correction: Callable[[Account], None] = lambda _account: None
        self.warm_up: Callable[[], Iterable[Effect]] = lambda: ()
        comparing.see = self.see

    def on_start(self, _command: Start) -> Iterator[Effect]:
        unwritten = self._confirmed_and_not_written()
        self.desk.record(EngineStarted())
        for order_id in unwritten:
            self.desk.record(SubmissionBlocked(order_id, NOT_WRITTEN))
        yield from apart(self.desk, self.comparing.ask)
        yield from apart(self.desk, self.warm_up)

    def _confirmed_and_not_written(self) -> list[ClientOrderId]:
        """Orders whose key was turned just before the engine died: not written down, so never sent (OP-02, EX-20)."""
        stage, ledger = self.desk.stage.state, self.desk.ledger
        return [
            turned.ticket.order.client_order_id
            for turned in stage.confirmations.values()
            if turned.is_decided and not turned.is_void and not turned.is_told
            if not ledger.has(turned.ticket.order.client_order_id)
            if not turned.ticket.cancels or turned.approval.id not in stage.used
        ]

    def on_stop(self, command: Stop) -> Iterable[Effect]:
        self.desk.record(EngineStopped(command.reason))
        return ()

    def on_account(self, reply: AccountFetched) -> Iterable[Effect]:
        if isinstance(reply.answer, Account):
            self._see(reply.answer)
        return ()

    def on_lamp(self, message: LampChanged) -> Iterable[Effect]:
        """Nothing is replayed after a gap of the order stream: where it is back, the broker's books are asked for.

        What is in doubt does not wait out a pause that grew while nobody could answer.
        """
        lamp = message.lamp
        before = self.desk.sightings.lamps.get(lamp.line)
        self.desk.sightings.lamps[lamp.line] = lamp
        is_back = before is not None and lamp.state is LineState.UP and before.state is not LineState.UP
        if is_back and lamp.line is not Line.DATA:
            self.doubting.begin_anew()
        return self.comparing.ask_soon() if is_back and lamp.line is Line.TRADES else ()

    def on_calls(self, message: CallsCounted) -> Iterable[Effect]:
        """The most frequent first."""
        self.desk.sightings.calls = tuple(sorted(message.calls, key=lambda call: (-call[1], call[0])))
        return ()

    def see(self, picture: BrokerPicture) -> None:
        """What the broker's books say beside what is compared."""
        self.desk.sightings.instruments.update({i.symbol: i for i in picture.instruments})
        self._see(picture.account)

    def _see(self, account: Account) -> None:
        """Keep the figures; with the first of a session's day it is known what its loss is measured against (RK-03)."""
        before, self.desk.sightings.account = self.desk.sightings.account, account
        day = self.desk.calendar.trading_day(self.desk.at)
        session = self.desk.calendar.session_on(day)
        if isinstance(session, Session):
            is_older = isinstance(before, Account) and account.at < before.at
            if self.desk.opening.opening_equity(day) is None:
                self.desk.record(begun(day, account, self.desk.calendar))
            elif self.desk.at < session.open and not is_older:
                self._correct(day, account)
        self.see_loss(account)

    def _correct(self, day: date, account: Account) -> None:
        """Until the open the broker's later word on the last close counts: it may roll late after midnight (RK-03)."""
        found = corrected(day, account, self.desk.calendar, self.desk.opening.state)
        if found is not None:
            self.desk.record(found)
            self.after_correction(account)
