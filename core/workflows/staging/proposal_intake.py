"""Proposal intake, and edits of a waiting proposal.

An entry may be edited in both. An exit only gets smaller; its price may change only if a person typed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from core.facts import EditRefused, ProposalEdited, ProposalEnded, ProposalSkipped, ProposalStaged, TicketClosed
from core.messages.commands import EditProposal, ProposeOrder
from core.messages.effects import Effect
from core.model.codes import GuardCode, ProposalEnd
from core.model.order import Effect as OrderEffect
from core.model.order import Leg, LegRole, OrderClass, OrderRequest, OrderType, Side, StopHolder, TimeInForce, traded_in
from core.model.position import Position
from core.model.session import NoSession
from core.model.signal import ExitReason
from core.model.staging import MANUAL, AuthorizationKind, CheckResult, GuardRefusal, NoStop, Proposal
from core.model.values import (
    NO_NUMBER,
    ZERO,
    ClientOrderId,
    Price,
    ProposalId,
    Quantity,
    Symbol,
    TicketId,
    is_number,
    plain,
)
from core.risk.checks.order import PriceRulesCheck, QuantityRulesCheck
from core.risk.gate import Candidate, Gate
from core.staging.resting_entries import target_of, with_legs
from core.staging.time_in_force import marked_for
from core.trading_state.desks import ATTENDANCE
from core.trading_state.state import TradingState
from core.workflows.workflow import answers

NO_FRACTION_OF_A_PAIR = "the broker takes a pair of exits for whole shares only; type whole shares, or one alone"
NO_FRACTION_TRAILS = "the broker trails whole shares only; type whole shares, or a stop at a price"
NO_FRACTION_LASTS = "the broker takes a fraction for the day only; type it for the day, or whole shares"


def left_to_close(
    state: TradingState, symbol: Symbol, strategy: str, side: Side, ticket_id: TicketId | None = None
) -> Quantity:
    """Return the shares that an order on this side would close and that no exit sells or is authorized to sell.

    Never below zero, and zero for a position that has changed its side: there it would add. Its own stops and targets
    do not count: they are cancelled for it (EX-21). Nor does the authorization of `ticket_id` itself.
    """
    position = state.ledger.position(symbol, strategy)
    if position is None or closing_side(position) is not side:
        return Quantity(ZERO)
    out = sum((o.remaining for o in state.ledger.exits.working(symbol, strategy) if not o.stands_by), ZERO)
    for use in state.stage.authorizations(AuthorizationKind.CLOSE):
        signed = state.stage.state.confirmations.get(use.authorization.ticket_id)
        is_of_it = signed is not None and (signed.proposal.symbol, signed.proposal.strategy) == (symbol, strategy)
        if is_of_it and use.is_unused and use.authorization.ticket_id != ticket_id:
            out += use.authorization.quantity
    return Quantity(max(abs(position.quantity) - out, ZERO))


def exit_in_the_way(state: TradingState, position: Position) -> GuardRefusal | None:
    """Return why no other exit of it can be asked for by hand now: one waits, or was confirmed.

    An exit that an agent drafted makes way for the operator's own.
    """
    waiting = _waiting_exits(state, position)
    if any(not p.waits_for_its_price and state.drafts.of_proposal(p.id) is None for p in waiting):
        return GuardRefusal.EXIT_WAITS
    return GuardRefusal.EXIT_CONFIRMED if any(state.stage.is_confirming(p.id) for p in waiting) else None


def _waiting_exits(state: TradingState, position: Position) -> list[Proposal]:
    mine = (position.symbol, position.strategy)
    return [p for p in state.stage.state.proposals.values() if p.is_exit and (p.symbol, p.strategy) == mine]


def terms_of(request: OrderRequest) -> ProposeOrder:
    """Return a signed exit as a new command with the same terms."""
    stop = request.leg(LegRole.STOP)
    return ProposeOrder(
        request.symbol,
        request.effect,
        request.quantity,
        request.type,
        request.limit_price,
        request.stop_price if stop is None else stop.stop_price,
        StopHolder.BROKER,
        time_in_force=request.time_in_force,
        trail_price=request.trail_price,
        trail_fraction=request.trail_fraction,
    )


def in_terms_of(command: ProposeOrder, order: OrderRequest) -> OrderRequest:
    """Apply typed terms to an exit: a limit with a stop beside it is an OCO pair (EX-12)."""
    order = replace(
        order,
        type=command.type,
        time_in_force=command.time_in_force,
        limit_price=command.limit_price,
        stop_price=command.stop_price if command.type.has_stop else None,
        trail_price=command.trail_price,
        trail_fraction=command.trail_fraction,
    )
    if not command.type.rests or command.stop_price is None:
        return order
    return replace(order, order_class=OrderClass.OCO, legs=(Leg(LegRole.STOP, stop_price=command.stop_price),))


def refusal_of_fraction(order: OrderRequest) -> str | None:
    """Return why the broker never accepts a fraction in these terms; its stop is not cancelled then (EX-11)."""
    if order.quantity % 1 == 0:
        return None
    if order.legs:
        return NO_FRACTION_OF_A_PAIR
    if order.type.trails:
        return NO_FRACTION_TRAILS
    return None if order.time_in_force is TimeInForce.DAY else NO_FRACTION_LASTS


def closing_side(position: Position) -> Side:
    return Side.SELL if position.quantity > 0 else Side.BUY


def effect_of_exit(side: Side, quantity: Decimal, held: Decimal) -> OrderEffect:
    """Return the effect of an exit of this many of the held shares."""
    if side is Side.BUY:
        return OrderEffect.COVER
    return OrderEffect.CLOSE if quantity == held else OrderEffect.REDUCE


NOBODY_ATTENDS = "no desk is attached: it is only followed, as a shadow trade"


class ProposalStaging:
    """Stages the proposals of strategies, the operator and the desk."""

    def __init__(self, state: TradingState, gate: Gate) -> None:
        self.state = state
        self.gate = gate

    def stage(self, proposal: Proposal) -> None:
        if self.state.ledger.has(proposal.order.client_order_id):
            self.skip(proposal.strategy, proposal.symbol, ("this signal had its order already",), proposal.signal_time)
            return
        review = self.gate.review(candidate_of(proposal), self.state.figures_for(self.state.at, proposal.symbol, None))
        if review.refusals:
            reasons = tuple(f"{v.check}: {v.reason}" for v in review.refusals)
            followed = None if proposal.strategy == MANUAL or proposal.only_reduces else proposal
            checks = tuple(v.check for v in review.refusals)
            self.skip(proposal.strategy, proposal.symbol, reasons, proposal.signal_time, followed, checks)
            return
        # Whether it is a strategy's entry while no desk is attached, which only becomes a shadow trade (RK-27).
        is_entry = proposal.strategy != MANUAL and not proposal.only_reduces
        if is_entry and self.state.attendance.absence is not None:
            self.skip(
                proposal.strategy, proposal.symbol, (NOBODY_ATTENDS,), proposal.signal_time, proposal, (ATTENDANCE,)
            )
            return
        self.state.record(ProposalStaged(proposal, review, *self.state.touch(proposal.symbol)))

    def skip(
        self,
        strategy: str,
        symbol: Symbol,
        reasons: tuple[str, ...],
        signal_time: datetime | None = None,
        proposal: Proposal | None = None,
        checks: tuple[str, ...] = (),
    ) -> None:
        self.state.record(ProposalSkipped(strategy, symbol, signal_time or self.state.at, reasons, proposal, checks))

    def stage_close(
        self,
        position: Position,
        quantity: Quantity,
        *,
        order_id: ClientOrderId,
        signal_time: datetime,
        exit_reason: ExitReason,
        intended: Price | None,
        reference: Price | None,
        reason: str,
        terms: ProposeOrder | None = None,
        why: GuardCode | None = None,
    ) -> None:
        """Stage an exit, limited to the position less working exits; its own stops are cancelled for it."""
        held = abs(position.quantity)
        side = closing_side(position)
        clamped = self.closable(position, quantity)
        if clamped <= 0:
            self.skip(position.strategy, position.symbol, (self._why_nothing_is_left(position),))
            return
        if clamped < quantity:
            reason = f"{reason}; {plain(quantity)} was asked for, {plain(clamped)} is left to close"
        effect = effect_of_exit(side, clamped, held)
        order = OrderRequest(order_id, position.symbol, side, effect, clamped, OrderType.MARKET)
        order = traded_in(position.instrument, order)
        if terms is not None:
            order = self.marked(in_terms_of(terms, order))
        if refusal := refusal_of_fraction(order):
            self.skip(position.strategy, position.symbol, (refusal,))
            return
        self.stage(
            Proposal(
                id=ProposalId(order_id),
                strategy=position.strategy,
                order=order,
                stop=NoStop("it closes"),
                signal_time=signal_time,
                staged_at=self.state.at,
                expires_at=None,
                reason=reason,
                intended_price=intended,
                reference=reference,
                exit_reason=exit_reason,
                guard=why,
            )
        )

    def make_room(self, position: Position) -> str | None:
        """Why no exit of it can be asked for by hand now; what only waits to be signed for its price goes."""
        if exit_in_the_way(self.state, position) is not None:
            return "an exit of this position waits already; open it in Proposals"
        for proposal in _waiting_exits(self.state, position):
            self.state.record(ProposalEnded(proposal.id, ProposalEnd.WITHDRAWN, "changed again"))
        return None

    def closable(self, position: Position, quantity: Quantity) -> Quantity:
        """Return the part of these shares that is left to close now."""
        side = closing_side(position)
        clamped = Quantity(min(quantity, left_to_close(self.state, position.symbol, position.strategy, side)))
        reported = self.state.closable_read_only(position.symbol, side)
        return min(clamped, reported) if reported else clamped

    def _why_nothing_is_left(self, position: Position) -> str:
        doubted = self.state.ledger.exits.doubted(position.symbol, position.strategy)
        if any(not order.stands_by for order in doubted):
            return "an exit of it is in doubt: the broker is asked, and nothing is sent twice"
        working = self.state.ledger.exits.working(position.symbol, position.strategy)
        is_closed = isinstance(self.state.calendar.session_at(self.state.at), NoSession)
        if is_closed and any(order.request.type.goes_at_once for order in working):
            return "its market close waits for the open; x in Orders cancels it, then a limit order acts now"
        return "an exit of all of it is working already; Orders shows it"

    def marked(self, order: OrderRequest) -> OrderRequest:
        """Mark an order typed in extended hours for the extended session if it can be (RK-20)."""
        return marked_for(self.state.at, order, self.state.calendar, self.state.control.settings.risk.session)


def candidate_of(proposal: Proposal) -> Candidate:
    return Candidate(
        proposal.order, proposal.stop, proposal.strategy, proposal.signal_time, proposal.strategy == MANUAL
    )


NOT_WAITING = "this proposal is over"
CONFIRMING = "it was confirmed already; wait for the broker's answer"
A_STOP = "a stop is moved from its position, in Positions"
TARGET_IS_WHOLE = "the broker holds a target for whole shares only"
FORM = (QuantityRulesCheck(), PriceRulesCheck())
"""Checks that bind an edited exit too: the gate lets exits pass them with a warning."""


class ProposalEdits:
    def __init__(self, state: TradingState, gate: Gate) -> None:
        self.state = state
        self.gate = gate

    @answers(EditProposal)
    def on_edit(self, command: EditProposal) -> Iterable[Effect]:
        """Edit the proposal: refusals first, then its tickets close and the order changes."""
        stage = self.state.stage
        proposal = stage.state.proposals.get(command.proposal_id)
        refusal = self._refusal(proposal, command)
        if proposal is None or refusal is not None:
            self.state.record(EditRefused(command.proposal_id, (refusal or NOT_WAITING,)))
            return ()
        edited = self._edited(proposal, command)
        review = self.gate.review(candidate_of(edited), self.state.figures_for(self.state.at, edited.symbol, None))
        reasons = (*self._breaks(proposal, edited), *(f"{v.check}: {v.reason}" for v in review.refusals))
        if reasons:
            self.state.record(EditRefused(proposal.id, tuple(dict.fromkeys(reasons))))
            return ()
        self._close_tickets(proposal)
        self.state.record(ProposalEdited(edited, review))
        return ()

    def _close_tickets(self, proposal: Proposal) -> None:
        for ticket in [t for t in self.state.stage.state.tickets.values() if t.proposal_id == proposal.id]:
            self.state.record(TicketClosed(ticket.id, "the proposal was edited"))

    def _refusal(self, proposal: Proposal | None, command: EditProposal) -> str | None:
        if proposal is None:
            return NOT_WAITING
        if self.state.stage.is_confirming(proposal.id):
            return CONFIRMING
        if proposal.is_guard:
            return A_STOP
        if not all(is_number(number) for number in (command.quantity, command.limit_price or ZERO)):
            return NO_NUMBER
        if target_of(proposal.order) is not None and command.quantity % 1:
            return TARGET_IS_WHOLE
        return None

    def _edited(self, proposal: Proposal, command: EditProposal) -> Proposal:
        """Return the edited proposal; an order keeps its limit if none is given."""
        order = proposal.order
        limit = command.limit_price
        if limit is None:
            limit = order.limit_price
        order = replace(order, quantity=command.quantity, limit_price=limit, effect=self._effect(proposal, command))
        if not proposal.only_reduces and order.replaces is None:
            order = with_legs(order, proposal.stop, target_of(order))
        intended = proposal.intended_price if limit == proposal.order.limit_price else limit
        return replace(proposal, order=order, intended_price=intended)

    def _effect(self, proposal: Proposal, command: EditProposal) -> OrderEffect:
        """Return the effect: a close of fewer shares only reduces."""
        order = proposal.order
        is_less = order.effect is OrderEffect.CLOSE and command.quantity < order.quantity
        return OrderEffect.REDUCE if is_less else order.effect

    def _breaks(self, proposal: Proposal, edited: Proposal) -> Iterator[str]:
        """Yield refusals of an edited exit beyond the gate."""
        if not proposal.only_reduces:
            return
        before, after = proposal.order, edited.order
        if after.quantity > before.quantity:
            yield f"an exit only gets smaller: {plain(after.quantity)} is over {plain(before.quantity)}"
        if after.limit_price != before.limit_price and proposal.exit_reason not in (ExitReason.MANUAL, ExitReason.KILL):
            yield "the price of a strategy's exit is not yours to change; close the position yourself"
        yield from self._malformed(edited)

    def _malformed(self, edited: Proposal) -> Iterator[str]:
        context = self.state.figures_for(self.state.at, edited.symbol, None)
        for check in FORM:
            verdict = check.review(candidate_of(edited), context)
            if verdict.standing is CheckResult.REFUSES:
                yield f"{verdict.check}: {verdict.reason}"
