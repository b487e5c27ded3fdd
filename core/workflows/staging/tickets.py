"""Open a proposal as a ticket with fresh figures, of which several tickets may share a reading (OP-03).

A ticket opened for reading may show a reading requested at most five seconds ago: it decides nothing, orders in flight
stay reserved by the time of the account's own figures, and its confirmation fetches again. A decision (a confirmation,
a basket's turn, an exit without a key) takes a reading that left no earlier than its own request: an entry its own, an
exit also one of the same instant. A failed reading serves no later request.

If the minute has no room for it, an exit's ticket and its confirmation fetch only the quote, and clock and account are
missing as after a time-out: an exit gets a warning (RK-24).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from core.execution.gateway import FIGURES
from core.facts import ProposalEnded, TicketClosed, TicketOpened
from core.messages.commands import OpenTicket
from core.messages.desk_commands import LookAt
from core.messages.effects import Effect, FetchFigures
from core.messages.inputs import FiguresFetched
from core.model.account import Account, NoAccount
from core.model.bar import Quote
from core.model.broker import FreshFigures, NoAnswer
from core.model.codes import ProposalEnd
from core.model.instrument import BrokerInstrument
from core.model.lazy_dataclass import dataclass
from core.model.order import OrderRequest
from core.model.staging import Proposal, Ticket, digest_of_ticket
from core.model.values import ZERO, ClientOrderId, ProposalId, Quantity, Symbol, TicketId, rounded_down
from core.risk.gate import Gate
from core.trading_state.state import TradingState
from core.trading_state.watched_symbols import is_a_share
from core.workflows.orders.request_reserve import A_CANCEL, AN_ORDER, RequestRoom
from core.workflows.staging.proposal_intake import candidate_of, effect_of_exit, left_to_close
from core.workflows.staging.ticket_checks import figures_of, in_the_way, touch_of, watched_exits
from core.workflows.workflow import answers, apart, follow_up

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
        timeout = timedelta(seconds=float(self.state.control.settings.staging.review_seconds))
        return self.state.at - reading.asked_at < timeout

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


LOOKED_AT = 8
"""Symbols beside the settings' that an operator typed: their figures are computed for every view."""
LOOKS_EVERY = timedelta(seconds=1)
LOOKS_AT_ONCE = 4
"""Symbols that the broker is asked for in that time: a desk types one, and several may watch."""
NOBODY = ProposalId("")
"""Proposal id of figures that no proposal requested."""


class Tickets:
    """Opens proposals as tickets, and closes the older ticket of the same proposal.

    Attributes
    ----------
    opening
        Proposals whose figures are on their way, with the time-out of each.
    opened_on
        The last opened ticket, and its figures.
    """

    def __init__(self, state: TradingState, gate: Gate, readings: SharedReadings) -> None:
        self.state = state
        self.gate = gate
        self.readings = readings
        self.opening: dict[ProposalId, datetime] = {}
        self.opened_on: tuple[TicketId, FreshFigures | None] | None = None
        self._to_sign: set[ProposalId] = set()
        self._of_desks: set[ProposalId] = set()
        self._looked_at: dict[Symbol, datetime] = {}

    @answers(OpenTicket)
    def on_open_ticket(self, command: OpenTicket) -> Iterator[Effect]:
        """Fetch the ticket's figures; it opens when they arrive, or without them after a time-out."""
        proposal = self.state.stage.state.proposals.get(command.proposal_id)
        if proposal is None or self.state.stage.is_confirming(proposal.id):
            return
        self._to_sign.discard(proposal.id)
        if command.unattended:
            self._to_sign.add(proposal.id)
        if command.desk is not None:
            self._of_desks.add(proposal.id)
        if proposal.id not in self.opening:
            yield self._begin(proposal, self.readings.to_read(proposal))

    def open_to_decide(self, proposal: Proposal) -> Iterator[Effect]:
        """Fetch figures to open the ticket of an exit that is sent on these figures."""
        self._to_sign.discard(proposal.id)
        yield self._begin(proposal, self.readings.to_decide(proposal))

    def _begin(self, proposal: Proposal, question: Effect) -> Effect:
        self.opening[proposal.id] = self.state.at + review_time(self.state)
        return question

    def forget_openings_of_desks(self) -> None:
        """Cancel openings that a desk requested and has not seen yet (OP-13)."""
        for proposal_id in self._of_desks & self.opening.keys():
            del self.opening[proposal_id]
        self._to_sign -= self._of_desks
        self._of_desks.clear()

    @answers(LookAt)
    def on_look_at(self, command: LookAt) -> Iterator[Effect]:
        """Fetch a symbol's figures for an order form; no proposal waits for them, and no ticket opens.

        Any share may be typed, and the checks state what is allowed; the last few are remembered (MD-06). For all desks
        together the broker is asked once a second per symbol, and for a few symbols.
        """
        if not is_a_share(self.state, command.symbol) or not self._is_asked_now(command.symbol):
            return
        looked_at = self.state.sightings.looked_at
        looked_at.pop(command.symbol, None)
        looked_at[command.symbol] = None
        for old in [*looked_at][:-LOOKED_AT]:
            del looked_at[old]
        yield FetchFigures(NOBODY, None, command.symbol)

    def _is_asked_now(self, symbol: Symbol) -> bool:
        """Whether the broker may be asked for it now: not just asked, and not for too many others."""
        since = self.state.at - LOOKS_EVERY
        self._looked_at = {symbol: at for symbol, at in self._looked_at.items() if at > since}
        if symbol in self._looked_at or len(self._looked_at) >= LOOKS_AT_ONCE:
            return False
        self._looked_at[symbol] = self.state.at
        return True

    @answers(FiguresFetched)
    def on_figures(self, reply: FiguresFetched) -> Iterator[Effect]:
        found = reply.answer
        if isinstance(found, FreshFigures):
            self._remember(found, is_quote_alone=reply.is_quote_alone)
        for asked, fresh in self.readings.complete:
            if asked.ticket_id is None:
                yield from apart(self.state, partial(self._show, asked.proposal_id, fresh))

    def _remember(self, fresh: FreshFigures, *, is_quote_alone: bool) -> None:
        if not is_quote_alone:
            self.state.sightings.account = fresh.account
            if isinstance(fresh.account, Account):
                day = self.state.calendar.trading_day(self.state.at)
                self.state.highs.take(day, fresh.account.equity, fresh.account.at)
        if isinstance(fresh.quote, Quote):
            self.state.sightings.quotes[fresh.quote.symbol] = fresh.quote
        instrument = fresh.instrument
        unlisted = self.state.sightings.unlisted
        if isinstance(instrument, BrokerInstrument):
            self.state.sightings.instruments[instrument.symbol] = instrument
            unlisted.pop(instrument.symbol, None)
        elif instrument.unlisted is not None:
            unlisted[instrument.unlisted] = instrument
            for old in [*unlisted][:-LOOKED_AT]:
                del unlisted[old]

    def _show(self, proposal_id: ProposalId, fresh: FreshFigures | None) -> Iterable[Effect]:
        proposal = self.state.stage.state.proposals.get(proposal_id)
        self._of_desks.discard(proposal_id)
        if self.opening.pop(proposal_id, None) is None or proposal is None:
            return ()
        for older in [t for t in self.state.stage.state.tickets.values() if t.proposal_id == proposal_id]:
            self.state.record(TicketClosed(older.id, "opened again"))
        shown = replace(proposal, order=self._clamped(proposal))
        if shown.order.quantity <= 0:
            self.state.record(
                ProposalEnded(
                    proposal.id, ProposalEnd.WITHDRAWN, "an exit of all of it is working already; Orders shows it"
                )
            )
            return ()
        ticket = self.ticket(shown, fresh)
        self.opened_on = ticket.id, fresh
        self.state.record(TicketOpened(ticket, *self.state.touch(ticket.order.symbol)))
        return follow_up(self.state)

    def _clamped(self, proposal: Proposal) -> OrderRequest:
        """Return the ticket's order: an exit is limited to the shares left to close."""
        order = proposal.order
        left = left_to_close(self.state, proposal.symbol, proposal.strategy, order.side)
        if not proposal.is_exit or order.quantity <= left:
            return order
        if order.legs:
            left = Quantity(rounded_down(left, Decimal(1)))
        position = self.state.ledger.position(proposal.symbol, proposal.strategy)
        held = abs(position.quantity) if position is not None else ZERO
        return replace(order, quantity=left, effect=effect_of_exit(order.side, left, held))

    def ticket(
        self, proposal: Proposal, fresh: FreshFigures | None, signed: tuple[ClientOrderId, ...] | None = None
    ) -> Ticket:
        """Return the ticket of a proposal; the caller records it.

        `signed` holds the orders to cancel if they were signed before and are unchanged.
        """
        at = self.state.at
        context = self.state.figures_for(at, proposal.symbol, fresh)
        cancels = in_the_way(self.state, proposal, context.quote_of_now) if signed is None else signed
        life = timedelta(seconds=float(self.state.control.settings.staging.ticket_seconds))
        ends_at = at + life if proposal.expires_at is None else min(at + life, proposal.expires_at)
        candidate = candidate_of(proposal)
        price = candidate.price(context.quote)
        unattended = watched_exits(self.state, proposal) if proposal.id in self._to_sign else ()
        return Ticket(
            id=self.state.stage.next_ticket_id(),
            proposal_id=proposal.id,
            account=self.state.account_name,
            order=proposal.order,
            stop=proposal.stop,
            cancels=cancels,
            digest=digest_of_ticket(self.state.account_name, proposal.order, proposal.stop, cancels, unattended),
            opened_at=at,
            ends_at=ends_at,
            figures=figures_of(proposal, price, context),
            review=self.gate.review(candidate, context),
            price_at_opening=touch_of(proposal.order.side, context),
            unattended=unattended,
        )

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterable[datetime]:
        return self.opening.values()

    def due(self) -> Iterator[Effect]:
        """Open tickets without figures after the time-out."""
        for proposal_id in [p for p, until in self.opening.items() if self.state.at >= until]:
            yield from apart(self.state, partial(self._show, proposal_id, None))


def review_time(state: TradingState) -> timedelta:
    """Return the time-out of figures."""
    return timedelta(seconds=float(state.control.settings.staging.review_seconds))
