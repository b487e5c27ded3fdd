"""Share one reading of the broker's clock and account among several tickets; quotes and assets are per symbol (OP-03).

A ticket opened for reading may show a reading requested at most five seconds ago: it decides nothing, orders in flight
stay reserved by the time of the account's own figures, and its confirmation fetches again. A decision (a confirmation,
a basket's turn, an exit without a key) takes a reading that left no earlier than its own request: an entry its own, an
exit also one of the same instant. A failed reading serves no later request.

If the minute has no room for it, an exit's ticket and its confirmation fetch only the quote, and clock and account are
missing as after a time-out: an exit gets a warning (RK-24).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from core.execution.request_costs import FIGURES
from core.messages.effects import Effect, FetchFigures
from core.messages.inputs import FiguresFetched
from core.model.account import Account, NoAccount
from core.model.broker import FreshFigures, NoAnswer
from core.model.staging import Proposal
from core.model.values import ProposalId, Symbol, TicketId
from core.trading_state.state import TradingState
from core.workflows.base.declarations import answers
from core.workflows.orders.request_room import A_CANCEL, AN_ORDER, RequestRoom

KEEPS = timedelta(seconds=5)
"""Age that clock and account may have on a ticket that is only read, from their request."""
NO_ROOM = "the broker's limit of requests leaves no room for it"
LOST = "no answer to the reading that it shares"

Asker = tuple[ProposalId, TicketId | None]


@dataclass(slots=True)
class Reading:
    """One request of clock and account. `waiting` holds earlier answers of tickets that share it."""

    asked_at: datetime
    answered_at: datetime | None = None
    broker_time: datetime | NoAnswer = field(default_factory=lambda: NoAnswer(LOST))
    account: Account | NoAccount = field(default_factory=lambda: NoAccount(LOST))
    waiting: list[tuple[FiguresFetched, FreshFigures]] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        return isinstance(self.broker_time, datetime) and isinstance(self.account, Account)

    def beside(self, figures: FreshFigures, at: datetime) -> FreshFigures:
        """Add the reading to the figures; its clock is advanced by the time passed."""
        told = self.broker_time
        if isinstance(told, datetime) and self.answered_at is not None:
            told += at - self.answered_at
        return replace(figures, broker_time=told, account=self.account)


class SharedReadings:
    """`complete` holds the figures completed by this answer, each with its reply."""

    def __init__(self, state: TradingState, room: RequestRoom) -> None:
        self.state = state
        self.room = room
        self.complete: list[tuple[FiguresFetched, FreshFigures | None]] = []
        self._last: Reading | None = None
        self._carried: dict[Asker, Reading] = {}
        self._shared: dict[Asker, Reading] = {}

    # ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────

    def to_read(self, proposal: Proposal) -> Effect:
        """Request figures for a ticket that a person opens."""
        if proposal.only_reduces and not self.room.has(FIGURES):
            return FetchFigures(proposal.id, None, proposal.symbol, is_quote_alone=True)
        return self._ask(proposal.id, None, proposal.symbol, self.state.at - KEEPS)

    def to_decide(self, proposal: Proposal, ticket_id: TicketId | None = None, *, cancels: int = 0) -> Effect:
        """Request figures for a decision; `cancels` is the number of orders to cancel for it."""
        requests = FIGURES + A_CANCEL * cancels + AN_ORDER
        if ticket_id is not None and proposal.only_reduces and not self.room.has(requests):
            return FetchFigures(proposal.id, ticket_id, proposal.symbol, is_quote_alone=True)
        since = self.state.at if proposal.only_reduces else None
        return self._ask(proposal.id, ticket_id, proposal.symbol, since)

    def _ask(
        self, proposal_id: ProposalId, ticket_id: TicketId | None, symbol: Symbol, since: datetime | None
    ) -> Effect:
        asker, last = (proposal_id, ticket_id), self._last
        if last is not None and since is not None and last.asked_at >= since and self._may_serve(last):
            self._shared[asker] = last
            return FetchFigures(proposal_id, ticket_id, symbol, is_quote_alone=True)
        self._shared.pop(asker, None)
        self._last = self._carried[asker] = Reading(self.state.at)
        return FetchFigures(proposal_id, ticket_id, symbol)

    def _may_serve(self, reading: Reading) -> bool:
        """Whether the reading is sound, or pending within its time-out."""
        if reading.answered_at is not None:
            return reading.is_sound
        patience = timedelta(seconds=float(self.state.control.settings.staging.review_seconds))
        return self.state.at - reading.asked_at < patience

    # ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────

    @answers(FiguresFetched)
    def on_figures(self, reply: FiguresFetched) -> Iterable[Effect]:
        self.complete = list(self._completed(reply))
        return ()

    def _completed(self, reply: FiguresFetched) -> Iterator[tuple[FiguresFetched, FreshFigures | None]]:
        asker = reply.proposal_id, reply.ticket_id
        figures = reply.answer if isinstance(reply.answer, FreshFigures) else None
        if reply.is_quote_alone:
            reading = self._shared.pop(asker, None)
            if figures is None:
                yield reply, None
            elif reading is None:
                yield reply, replace(figures, broker_time=NoAnswer(NO_ROOM), account=NoAccount(NO_ROOM))
            elif reading.answered_at is None:
                reading.waiting.append((reply, figures))
            else:
                yield reply, reading.beside(figures, self.state.at)
            return
        yield reply, figures
        reading = self._carried.pop(asker, None)
        if reading is None:
            return
        reading.answered_at = self.state.at
        if figures is not None:
            reading.broker_time, reading.account = figures.broker_time, figures.account
        for waiting, quoted in reading.waiting:
            yield waiting, reading.beside(quoted, self.state.at)
        reading.waiting.clear()
