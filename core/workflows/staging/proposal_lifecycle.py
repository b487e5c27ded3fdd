"""Stage signals as proposals, expire them, and withdraw those without a reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from core.execution.order import Order
from core.facts import AuthorizationEnded, ClockJumped, ProposalEnded, SessionsAnnounced, TicketClosed
from core.messages.commands import Decline, LeaveTicket
from core.messages.effects import Effect
from core.model.bar import BY_MINUTE, BY_SESSION, ONE_MINUTE
from core.model.codes import AuthorizationCode, GuardCode, ProposalEnd
from core.model.order import Effect as OrderEffect
from core.model.order import OrderRequest, OrderType, Side, order_id_of, traded_in
from core.model.order_terms import order_in_words
from core.model.position import Position
from core.model.signal import EntrySignal, ExitReason, ExitSignal
from core.model.staging import MANUAL, AuthorizationKind, Proposal, StopPlan
from core.model.text_sanitizer import foreign
from core.model.values import ClientOrderId, Price, ProposalId, Quantity, Symbol, priced
from core.staging.resting_entries import with_legs
from core.trading_state.state import TradingState
from core.workflows.orders.request_reserve import held_exit_of
from core.workflows.staging.proposal_intake import ProposalStaging, closing_side, terms_of
from core.workflows.workflow import answers, follows

FORGOTTEN = "what this bar ordered was forgotten by a reset or a restore; the next bar counts"
TOO_LATE = "its bar came later than its signal lives; the bars from now on propose"
DECLINED = "an exit of it was declined: each one needs your key again"
OTHER_SESSIONS = "the broker announced other sessions: open it again"
SLEPT = "this machine slept, or its clock jumped: open it again"
OVERTAKEN = "a more pressing exit of the same position takes its place"
PRESSING = frozenset({ExitReason.STOP_LOSS, ExitReason.FORCE_FLAT})
"""Reasons for which an exit replaces one waiting for another reason: the record then has the true one."""


class Proposals:
    """The entries and exits of strategies, and the life of proposals."""

    ACTS_BY_TIME = True
    DUE_BY_FACTS = True

    def __init__(self, state: TradingState, staging: ProposalStaging) -> None:
        self.state = state
        self.staging = staging

    # ── strategies ───────────────────────────────────────────────────────────────────────────────────────────────

    def stage_entry(self, signal: EntrySignal, lives_until: datetime | None = None, timeframe: str = BY_MINUTE) -> None:
        """Stage an entry.

        It lives for the configured seconds after its minute, unless its bar was a whole day (ST-03).
        """
        if self.state.control.is_forgotten(signal.bar_start + ONE_MINUTE):
            self.staging.skip(signal.strategy, signal.symbol, (FORGOTTEN,), signal.bar_start)
            return
        life = timedelta(seconds=float(self.state.control.settings.staging.signal_seconds))
        expires_at = lives_until or signal.bar_start + ONE_MINUTE + life
        if expires_at <= self.state.at:
            self.staging.skip(signal.strategy, signal.symbol, (TOO_LATE,), signal.bar_start)
            return
        held = self.state.ledger.position(signal.symbol, signal.strategy)
        order = OrderRequest(
            client_order_id=signal_order_id(signal.strategy, signal.symbol, signal.bar_start, Side.BUY, timeframe),
            symbol=signal.symbol,
            side=Side.BUY,
            effect=OrderEffect.ADD if held else OrderEffect.OPEN,
            quantity=signal.quantity,
            type=OrderType.LIMIT,
            limit_price=signal.limit_price,
        )
        order = traded_in(self.state.traded(signal.symbol), order)
        stop = StopPlan(signal.stop_price, signal.stop_holder)
        self.staging.stage(
            Proposal(
                id=ProposalId(order.client_order_id),
                strategy=signal.strategy,
                order=with_legs(order, stop, signal.target_price),
                stop=stop,
                signal_time=signal.bar_start,
                staged_at=self.state.at,
                expires_at=expires_at,
                reason=signal.reason,
                intended_price=signal.limit_price,
                reference=signal.reference,
                exit_reason=None,
                target_price=signal.target_price,
            )
        )

    def stage_exit(self, signal: ExitSignal, timeframe: str = BY_MINUTE) -> None:
        """Stage one exit per position; while one waits or works, a further signal is ignored.

        Exceptions: it is for more shares, or for a stop or the close of the day while the waiting one has another
        reason (EX-18).
        """
        position = self.state.ledger.position(signal.symbol, signal.strategy)
        if position is None:
            return
        waiting = self.state.stage.exit_waiting(signal.symbol, signal.strategy)
        if waiting is not None and self._overtakes(signal, waiting, position):
            self.state.record(ProposalEnded(waiting.id, ProposalEnd.WITHDRAWN, OVERTAKEN))
        if self.is_leaving(position):
            return
        side = closing_side(position)
        self.staging.stage_close(
            position,
            signal.quantity,
            order_id=signal_order_id(signal.strategy, signal.symbol, signal.bar_start, side, timeframe),
            signal_time=signal.bar_start,
            exit_reason=signal.exit_reason,
            intended=signal.intended_price,
            reference=signal.reference,
            reason=signal.reason,
        )

    def _overtakes(self, signal: ExitSignal, waiting: Proposal, position: Position) -> bool:
        """Whether the signal replaces the waiting exit; never while its ticket is open."""
        is_open = any(t.proposal_id == waiting.id for t in self.state.stage.state.tickets.values())
        if is_open or self.state.stage.is_confirming(waiting.id):
            return False
        wanted = self.staging.closable(position, signal.quantity)
        is_other = signal.exit_reason in PRESSING and signal.exit_reason is not waiting.exit_reason
        return wanted > waiting.order.quantity or (is_other and wanted == waiting.order.quantity)

    def stage_flat(self, position: Position, reason: str) -> None:
        """Stage the exit of a whole position by the clock, without a bar (ST-02)."""
        mark = self.state.orchestrator.state.marks.get(position.symbol, position.average_price)
        self.stage_exit(
            ExitSignal(
                strategy=position.strategy,
                symbol=position.symbol,
                bar_start=self.state.at.replace(second=0, microsecond=0),
                quantity=Quantity(abs(position.quantity)),
                exit_reason=ExitReason.FORCE_FLAT,
                intended_price=mark,
                reference=mark,
                reason=reason,
            )
        )

    def stage_stopped(self, position: Position, quantity: Quantity, stop: Price) -> None:
        """Stage the exit of shares whose stop the market passed before the broker had it (EX-22)."""
        mark = self.state.orchestrator.state.marks.get(position.symbol) or stop
        self.stage_exit(
            ExitSignal(
                strategy=position.strategy,
                symbol=position.symbol,
                bar_start=self.state.at.replace(second=0, microsecond=0),
                quantity=quantity,
                exit_reason=ExitReason.STOP_LOSS,
                intended_price=stop,
                reference=mark,
                reason=f"the market passed its stop {priced(stop)} before the broker had it",
            )
        )

    def is_leaving(self, position: Position) -> bool:
        """Whether an exit of this position is staged or working, besides its stops and targets."""
        exits = self.state.ledger.exits.working(position.symbol, position.strategy)
        return (
            any(not order.stands_by or order.is_cancelling for order in exits)
            or held_exit_of(self.state, position) is not None
            or self.state.stage.exit_waiting(position.symbol, position.strategy) is not None
        )

    def stage_again(self, order: Order, reason: str, why: GuardCode | None = None) -> None:
        """Stage a confirmed exit again that never left or sold less, for the rest, on a ticket.

        Another working exit reduces it only by its shares.
        """
        request = order.request
        position = self.state.ledger.position(request.symbol, order.strategy)
        if position is None or closing_side(position) is not request.side:
            return
        if self.state.stage.exit_waiting(position.symbol, position.strategy) is not None:
            waits = f"{order_in_words(request)}: {reason}; another exit of it waits: open that one, then close the rest"
            self.staging.skip(order.strategy, position.symbol, (waits,))
            return
        self.staging.stage_close(
            position,
            order.remaining,
            order_id=order_id_of("again", order.id),
            signal_time=self.state.at if order.strategy == MANUAL else order.signal_time,
            exit_reason=order.exit_reason or ExitReason.MANUAL,
            intended=request.limit_price or self.state.orchestrator.state.marks.get(request.symbol),
            reference=order.reference,
            reason=reason,
            terms=terms_of(request),
            why=why,
        )

    # ── ends of proposals ────────────────────────────────────────────────────────────────────────────────────────────

    @answers(Decline)
    def on_decline(self, command: Decline) -> Iterable[Effect]:
        proposal = self.state.stage.state.proposals.get(command.proposal_id)
        if proposal is None or self.state.stage.is_confirming(proposal.id):
            return ()
        self.state.record(ProposalEnded(proposal.id, ProposalEnd.DECLINED, foreign(command.reason) or "declined"))
        position = self.state.ledger.position(proposal.symbol, proposal.strategy)
        if proposal.is_exit and position is not None:
            for use in self.state.stage.authorizations(AuthorizationKind.EXITS, position.entry_order):
                self.state.record(AuthorizationEnded(use.authorization.id, DECLINED, AuthorizationCode.DECLINED))
        return ()

    @answers(LeaveTicket)
    def on_leave_ticket(self, command: LeaveTicket) -> Iterable[Effect]:
        if command.ticket_id in self.state.stage.state.tickets:
            self.state.record(TicketClosed(command.ticket_id, "closed"))
        return ()

    @follows(ClockJumped)
    def after_jump(self, fact: ClockJumped) -> None:
        """Close every ticket, of exits too: who opened it saw the market before the machine slept (EX-23)."""
        for ticket in list(self.state.stage.state.tickets.values()) if fact.seconds else ():
            self.state.record(TicketClosed(ticket.id, SLEPT))

    @follows(SessionsAnnounced)
    def after_announcement(self, _fact: SessionsAnnounced) -> None:
        """Close every ticket: the ends that it states may be other ones now (OP-02, MD-10)."""
        for ticket in list(self.state.stage.state.tickets.values()):
            self.state.record(TicketClosed(ticket.id, OTHER_SESSIONS))

    def block_entries(self, reason: str) -> None:
        """Block the waiting entries; exits stay."""
        for proposal in list(self.state.stage.state.proposals.values()):
            if not proposal.only_reduces:
                self.state.record(ProposalEnded(proposal.id, ProposalEnd.BLOCKED, reason))

    def decline_entries_in(self, symbol: Symbol, reason: str) -> None:
        for proposal in list(self.state.stage.state.proposals.values()):
            if not proposal.only_reduces and proposal.symbol == symbol:
                self.state.record(ProposalEnded(proposal.id, ProposalEnd.DECLINED, reason))

    def withdraw_loose_exits(self, symbol: Symbol) -> None:
        """Withdraw exits whose position is closed or reversed."""
        for proposal in list(self.state.stage.state.proposals.values()):
            if proposal.only_reduces and proposal.symbol == symbol:
                position = self.state.ledger.position(symbol, proposal.strategy)
                if position is None or closing_side(position) is not proposal.order.side:
                    self.state.record(ProposalEnded(proposal.id, ProposalEnd.WITHDRAWN, "the position is closed"))

    def next_due(self) -> Iterator[datetime]:
        for proposal in self.state.stage.state.proposals.values():
            if proposal.expires_at is not None and not self.state.stage.is_confirming(proposal.id):
                yield proposal.expires_at
        for ticket in self.state.stage.state.tickets.values():
            yield ticket.ends_at

    def due(self) -> None:
        at = self.state.at
        for ticket in [t for t in self.state.stage.state.tickets.values() if at >= t.ends_at]:
            self.state.record(TicketClosed(ticket.id, "expired"))
        for proposal in list(self.state.stage.state.proposals.values()):
            is_over = proposal.expires_at is not None and at >= proposal.expires_at
            if is_over and not self.state.stage.is_confirming(proposal.id):
                self.state.record(ProposalEnded(proposal.id, ProposalEnd.EXPIRED, "expired"))


def signal_order_id(
    strategy: str, symbol: Symbol, bar_start: datetime, side: Side, timeframe: str = BY_MINUTE
) -> ClientOrderId:
    """Return the hash of `vwap:SPY:1min:2013-10-08T14:50:00Z:buy` (EX-04)."""
    return order_id_of(strategy, symbol, timeframe, f"{bar_start:%Y-%m-%dT%H:%M:%SZ}", side.value)


def timeframe_of(order: Order) -> str:
    """Return the timeframe of the order's bar, derived from its id."""
    request = order.request
    by_session = signal_order_id(order.strategy, request.symbol, order.signal_time, request.side, BY_SESSION)
    return BY_SESSION if order.id == by_session else BY_MINUTE
