"""Proposal intake: run the gate's checks, stage the proposal or skip it with every reason. Nothing is sent."""

from __future__ import annotations

from datetime import datetime

from core.facts import ProposalEnded, ProposalSkipped, ProposalStaged
from core.messages.commands import ProposeOrder
from core.model.codes import GuardCode, ProposalEnd
from core.model.order import OrderRequest, OrderType, traded_in
from core.model.position import Position
from core.model.signal import ExitReason
from core.model.staging import MANUAL, NoStop, Proposal
from core.model.values import ClientOrderId, Price, ProposalId, Quantity, Symbol, plain
from core.risk.gate import Candidate, Gate
from core.staging.extended_hours import marked_for
from core.trading_state.attendance import ATTENDANCE
from core.trading_state.state import TradingState
from core.workflows.staging.closing_terms import (
    closing_side,
    effect_of_exit,
    in_terms_of,
    left_to_close,
    refusal_of_fraction,
)

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
        if self._is_only_followed(proposal):
            self.skip(
                proposal.strategy, proposal.symbol, (NOBODY_ATTENDS,), proposal.signal_time, proposal, (ATTENDANCE,)
            )
            return
        self.state.record(ProposalStaged(proposal, review, *self.state.touch(proposal.symbol)))

    def _is_only_followed(self, proposal: Proposal) -> bool:
        """Whether it is a strategy's entry while no desk is attached, which only becomes a shadow trade (RK-27)."""
        is_entry = proposal.strategy != MANUAL and not proposal.only_reduces
        return is_entry and self.state.attendance.absence is not None

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
        waiting = [
            p
            for p in self.state.stage.state.proposals.values()
            if p.is_exit and p.symbol == position.symbol and p.strategy == position.strategy
        ]
        if any(not p.waits_for_its_price or self.state.stage.is_confirming(p.id) for p in waiting):
            return "an exit of this position waits already; open it in Proposals"
        for proposal in waiting:
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
        return "an exit of all of it is working already; Orders shows it"

    def marked(self, order: OrderRequest) -> OrderRequest:
        """Mark an order typed in extended hours for the extended session if it can be (RK-20)."""
        return marked_for(self.state.at, order, self.state.calendar, self.state.control.settings.risk.session)


def candidate_of(proposal: Proposal) -> Candidate:
    return Candidate(
        proposal.order, proposal.stop, proposal.strategy, proposal.signal_time, proposal.strategy == MANUAL
    )
