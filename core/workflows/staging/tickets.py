"""Open a proposal as a ticket: request fresh figures, then show the order to sign. Nothing is signed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from core.facts import ProposalEnded, TicketClosed, TicketOpened
from core.messages.commands import LookAt, OpenTicket
from core.messages.effects import Effect, FetchFigures
from core.messages.inputs import FiguresFetched
from core.model.broker import FreshFigures
from core.model.codes import ProposalEnd
from core.model.instrument import BrokerInstrument, NoInstrument
from core.model.order import OrderRequest
from core.model.quote import Quote
from core.model.staging import Proposal, Ticket, digest_of_ticket
from core.model.values import ZERO, ClientOrderId, ProposalId, Quantity, Symbol, TicketId, rounded_down
from core.risk.gate import Gate
from core.trading_state.state import TradingState
from core.trading_state.traded_symbols import is_a_share
from core.workflows.base.declarations import answers
from core.workflows.base.follow_up import follow_up
from core.workflows.base.isolation import apart
from core.workflows.staging.closing_terms import effect_of_exit, left_to_close
from core.workflows.staging.confirmation_checks import touch_of
from core.workflows.staging.exit_preview import watched_exits
from core.workflows.staging.proposal_staging import candidate_of
from core.workflows.staging.shared_readings import SharedReadings
from core.workflows.staging.ticket_figures import figures_of, in_the_way

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
        if isinstance(fresh.quote, Quote):
            self.state.sightings.quotes[fresh.quote.symbol] = fresh.quote
        self._note_listing(fresh.instrument)

    def _note_listing(self, instrument: BrokerInstrument | NoInstrument) -> None:
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
