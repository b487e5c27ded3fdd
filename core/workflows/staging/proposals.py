"""Staging: a signal, a typed order, a close becomes a proposal, or is skipped with every reason. Nothing is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from core.execution.order import Order
from core.facts import AuthorizationEnded, ProposalEnded, ProposalSkipped, ProposalStaged, TicketClosed
from core.messages.commands import Decline, LeaveTicket, ProposeClose, ProposeFlattening, ProposeOrder
from core.messages.effects import Effect
from core.model.bar import BY_MINUTE, BY_SESSION, ONE_MINUTE
from core.model.codes import AuthorizationCode, ProposalEnd
from core.model.order import Effect as OrderEffect
from core.model.order import (
    Leg,
    LegRole,
    OrderClass,
    OrderRequest,
    OrderType,
    Side,
    StopHolder,
    TimeInForce,
    order_id_of,
    traded_in,
)
from core.model.position import Position
from core.model.signal import EntrySignal, ExitReason, ExitSignal
from core.model.staging import MANUAL, AuthorizationKind, NoStop, Proposal, StopPlan
from core.model.values import ZERO, ClientOrderId, Price, ProposalId, Quantity, Symbol, TicketId, plain, rounded_down
from core.risk.gate import Candidate, Gate
from core.staging.attached_legs import target_of, with_legs
from core.staging.extended_hours import marked_for
from core.staging.resting_entries import aimed_at, refusal_of, stop_for
from core.trading_state.state import TradingState
from core.views.order_text import order_in_words
from core.workflows.base.declarations import answers

FORGOTTEN = "what this bar ordered was forgotten by a reset or a restore; the next bar counts"
TOO_LATE = "its bar came later than its signal lives; the bars from now on propose"
DECLINED = "an exit of it was declined: each one needs your key again"
OVERTAKEN = "a more pressing exit of the same position takes its place"
PRESSING = frozenset({ExitReason.STOP_LOSS, ExitReason.FORCE_FLAT})
"""Why an exit takes the place of one that waits for another reason: the record says what it went out for."""
NO_TARGET = "the broker holds a target only beside a stop of its own, for whole shares, day or gtc"
NO_FRACTION_OF_A_PAIR = "the broker takes a pair of exits for whole shares only; type whole shares, or one alone"
NO_FRACTION_TRAILS = "the broker trails whole shares only; type whole shares, or a stop at a price"
NO_FRACTION_LASTS = "the broker takes a fraction for the day only; type it for the day, or whole shares"
NO_TARGET_NOW = "in extended hours the broker holds no target with an entry; type it without one"


class Proposals:
    def __init__(self, state: TradingState, gate: Gate) -> None:
        self.state = state
        self.gate = gate

    # ── strategies ───────────────────────────────────────────────────────────────────────────────────────────────

    def stage_entry(self, signal: EntrySignal, lives_until: datetime | None = None, timeframe: str = BY_MINUTE) -> None:
        """It lives for the settings' seconds after its minute, unless its bar was a whole day (ST-03)."""
        if self.state.control.is_forgotten(signal.bar_start + ONE_MINUTE):
            self._skip(signal.strategy, signal.symbol, (FORGOTTEN,), signal.bar_start)
            return
        life = timedelta(seconds=float(self.state.control.settings.staging.signal_seconds))
        expires_at = lives_until or signal.bar_start + ONE_MINUTE + life
        if expires_at <= self.state.at:
            self._skip(signal.strategy, signal.symbol, (TOO_LATE,), signal.bar_start)
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
        self._stage(
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
        """One exit a position: while one waits or is on its way, a further signal changes nothing, unless it is for
        more, or for a stop or the close of the day where the one that waits is for something else (EX-18).
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
        self._stage_close(
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
        """Never under somebody's hand: while a ticket of the one that waits is open, that one stands."""
        is_open = any(t.proposal_id == waiting.id for t in self.state.stage.state.tickets.values())
        if is_open or self.state.stage.is_confirming(waiting.id):
            return False
        wanted = self._closable(position, signal.quantity)
        is_other = signal.exit_reason in PRESSING and signal.exit_reason is not waiting.exit_reason
        return wanted > waiting.order.quantity or (is_other and wanted == waiting.order.quantity)

    def stage_flat(self, position: Position, reason: str) -> None:
        """The exit of a whole position that no bar asked for: the clock did (ST-02)."""
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

    def is_leaving(self, position: Position) -> bool:
        """Whether an exit of this position is staged, or one beside its stops and targets is out."""
        exits = self.state.ledger.working_exits(position.symbol, position.strategy)
        return (
            any(not order.stands_by or order.is_cancelling for order in exits)
            or self.state.stage.exit_waiting(position.symbol, position.strategy) is not None
        )

    # ── the operator ─────────────────────────────────────────────────────────────────────────────────────────────

    @answers(ProposeOrder)
    def on_propose_order(self, command: ProposeOrder) -> Iterable[Effect]:
        """An order typed by hand: the same way, the same checks."""
        life = timedelta(seconds=float(self.state.control.settings.staging.manual_seconds))
        side = side_of(command.effect)
        stop = StopPlan(command.stop_price, command.stop_holder) if command.stop_price else NoStop("none was typed")
        quantity = command.quantity
        if command.effect.only_reduces:
            position = self._position_to_close(command.symbol, side)
            if position is None:
                self._skip(MANUAL, command.symbol, (f"there is no {command.symbol} position that it would reduce",))
                return ()
            self._stage_close(
                position,
                quantity,
                order_id=self._manual_order_id(),
                signal_time=self.state.at,
                exit_reason=ExitReason.MANUAL,
                intended=command.limit_price,
                reference=None,
                reason=self._typed(command),
                terms=command,
            )
            return ()
        order = OrderRequest(
            client_order_id=self._manual_order_id(),
            symbol=command.symbol,
            side=side,
            effect=command.effect,
            quantity=quantity,
            type=command.type,
            time_in_force=command.time_in_force,
            limit_price=command.limit_price,
            stop_price=command.trigger_price,
            trail_price=command.trail_price,
            trail_fraction=command.trail_fraction,
        )
        order = traded_in(self.state.traded(command.symbol), order)
        market = self._market(order)
        followed = refusal_of(order, command.ttl_seconds) or stop_for(order, stop, market)
        if isinstance(followed, str):
            self._skip(MANUAL, command.symbol, (followed,))
            return ()
        stop = followed
        whole = with_legs(self._marked(order), stop, command.target_price)
        if command.target_price is not None and target_of(whole) is None:
            self._skip(MANUAL, command.symbol, (NO_TARGET_NOW if whole.extended_hours else NO_TARGET,))
            return ()
        self._stage(
            Proposal(
                id=ProposalId(order.client_order_id),
                strategy=MANUAL,
                order=whole,
                stop=stop,
                signal_time=self.state.at,
                staged_at=self.state.at,
                expires_at=self.state.at + life,
                reason=self._typed(command),
                intended_price=aimed_at(order, market) if order.type.is_stop else order.limit_price,
                reference=None,
                exit_reason=None,
                target_price=command.target_price,
                ttl_seconds=command.ttl_seconds,
            )
        )
        return ()

    @answers(ProposeClose)
    def on_propose_close(self, command: ProposeClose) -> Iterable[Effect]:
        positions = self.state.ledger.positions_in(command.symbol)
        if command.strategy is not None:
            positions = tuple(p for p in positions if p.strategy == command.strategy)
        if not positions:
            self._skip(command.strategy or MANUAL, command.symbol, (f"there is no position in {command.symbol}",))
        for position in positions:
            self._close_by_hand(position, command.part, ExitReason.MANUAL, command.quantity)
        return ()

    def stage_again(self, order: Order, reason: str) -> None:
        """An exit that was confirmed and never left: the same for what is left of it, on a ticket before all else.

        Another exit that is out takes nothing from it but its shares.
        """
        request = order.request
        position = self.state.ledger.position(request.symbol, order.strategy)
        if position is None or closing_side(position) is not request.side:
            return
        if self.state.stage.exit_waiting(position.symbol, position.strategy) is not None:
            waits = f"{order_in_words(request)}: {reason}; another exit of it waits: open that one, then close the rest"
            self._skip(order.strategy, position.symbol, (waits,))
            return
        stop = request.leg(LegRole.STOP)
        terms = ProposeOrder(
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
        self._stage_close(
            position,
            request.quantity,
            order_id=order_id_of("again", order.id),
            signal_time=self.state.at if order.strategy == MANUAL else order.signal_time,
            exit_reason=order.exit_reason or ExitReason.MANUAL,
            intended=request.limit_price or self.state.orchestrator.state.marks.get(request.symbol),
            reference=order.reference,
            reason=reason,
            terms=terms,
        )

    @answers(ProposeFlattening)
    def on_propose_flattening(self, _command: ProposeFlattening) -> Iterable[Effect]:
        """One close a position; each is confirmed on a ticket of its own (OP-07)."""
        reason = ExitReason.KILL if self.state.control.killed_by else ExitReason.MANUAL
        for position in self.state.ledger.positions():
            self._close_by_hand(position, Decimal(1), reason)
        return ()

    @answers(Decline)
    def on_decline(self, command: Decline) -> Iterable[Effect]:
        proposal = self.state.stage.state.proposals.get(command.proposal_id)
        if proposal is None or self.state.stage.is_confirming(proposal.id):
            return ()
        self.state.record(ProposalEnded(proposal.id, ProposalEnd.DECLINED, command.reason or "declined"))
        position = self.state.ledger.position(proposal.symbol, proposal.strategy)
        if proposal.is_exit and position is not None:
            for use in self.state.stage.mandates(AuthorizationKind.EXITS, position.entry_order):
                self.state.record(AuthorizationEnded(use.mandate.id, DECLINED, AuthorizationCode.DECLINED))
        return ()

    @answers(LeaveTicket)
    def on_leave_ticket(self, command: LeaveTicket) -> Iterable[Effect]:
        if command.ticket_id in self.state.stage.state.tickets:
            self.state.record(TicketClosed(command.ticket_id, "put aside"))
        return ()

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        for proposal in self.state.stage.state.proposals.values():
            if proposal.expires_at is not None and not self.state.stage.is_confirming(proposal.id):
                yield proposal.expires_at
        for ticket in self.state.stage.state.tickets.values():
            yield ticket.ends_at

    def due(self) -> None:
        at = self.state.at
        for ticket in [t for t in self.state.stage.state.tickets.values() if at >= t.ends_at]:
            self.state.record(TicketClosed(ticket.id, "its time is over"))
        for proposal in list(self.state.stage.state.proposals.values()):
            is_over = proposal.expires_at is not None and at >= proposal.expires_at
            if is_over and not self.state.stage.is_confirming(proposal.id):
                self.state.record(ProposalEnded(proposal.id, ProposalEnd.EXPIRED, "its time is over"))

    def block_entries(self, reason: str) -> None:
        """What could open leaves the stage; exits stay."""
        for proposal in list(self.state.stage.state.proposals.values()):
            if not proposal.only_reduces:
                self.state.record(ProposalEnded(proposal.id, ProposalEnd.BLOCKED, reason))

    def decline_entries_in(self, symbol: Symbol, reason: str) -> None:
        for proposal in list(self.state.stage.state.proposals.values()):
            if not proposal.only_reduces and proposal.symbol == symbol:
                self.state.record(ProposalEnded(proposal.id, ProposalEnd.DECLINED, reason))

    def withdraw_loose_exits(self, symbol: Symbol) -> None:
        """A position that is flat, or on the other side by now, has nothing that such an exit would close."""
        for proposal in list(self.state.stage.state.proposals.values()):
            if proposal.only_reduces and proposal.symbol == symbol:
                position = self.state.ledger.position(symbol, proposal.strategy)
                if position is None or closing_side(position) is not proposal.order.side:
                    self.state.record(ProposalEnded(proposal.id, ProposalEnd.WITHDRAWN, "the position is closed"))

    # ── helpers ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _close_by_hand(
        self, position: Position, part: Decimal, exit_reason: ExitReason, shares: Quantity | None = None
    ) -> None:
        """`shares` is a number that was typed and read back: another one is never sold in its place."""
        waiting = [
            p
            for p in self.state.stage.state.proposals.values()
            if p.is_exit and p.symbol == position.symbol and p.strategy == position.strategy
        ]
        if waiting:
            self._skip(
                position.strategy, position.symbol, ("an exit of this position waits already; open it in Proposals",)
            )
            return
        whole = abs(position.quantity)
        if shares is not None and shares > whole:
            told = f"{plain(shares)} were to be closed and {plain(whole)} are held: no more can be; close again"
            self._skip(position.strategy, position.symbol, (told,))
            return
        step = self._step(position.symbol) if position.quantity > 0 or whole % 1 else Decimal(1)
        quantity = shares or (whole if part >= 1 else rounded_down(whole * part, step))
        self._stage_close(
            position,
            Quantity(quantity),
            order_id=self._manual_order_id(),
            signal_time=self.state.at,
            exit_reason=exit_reason,
            intended=self.state.orchestrator.state.marks.get(position.symbol),
            reference=None,
            reason="closed by the operator" if exit_reason is ExitReason.MANUAL else "flattened after the kill",
        )

    def _stage_close(
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
    ) -> None:
        """Stage an exit, clamped to the position less the exits that are out; its own stops make way for it."""
        held = abs(position.quantity)
        side = closing_side(position)
        clamped = self._closable(position, quantity)
        if clamped <= 0:
            self._skip(position.strategy, position.symbol, (self._why_nothing_is_left(position),))
            return
        if clamped < quantity:
            reason = f"{reason}; {plain(quantity)} was asked for, {plain(clamped)} is left to close"
        effect = effect_of_exit(side, clamped, held)
        order = OrderRequest(order_id, position.symbol, side, effect, clamped, OrderType.MARKET)
        order = traded_in(position.instrument, order)
        if terms is not None:
            order = self._marked(in_terms_of(terms, order))
        if refusal := refusal_of_fraction(order):
            self._skip(position.strategy, position.symbol, (refusal,))
            return
        self._stage(
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
            )
        )

    def _closable(self, position: Position, quantity: Quantity) -> Quantity:
        """As many of these shares as are left to close now."""
        side = closing_side(position)
        clamped = Quantity(min(quantity, left_to_close(self.state, position.symbol, position.strategy, side)))
        reported = self.state.closable_read_only(position.symbol, side)
        return min(clamped, reported) if reported else clamped

    def _typed(self, command: ProposeOrder) -> str:
        """By whom, and after whose advice."""
        given = None if command.advice is None else self.state.advice.advice(command.advice)
        return "typed by the operator" + ("" if given is None else f", after advice {given.number} of {given.adviser}")

    def _marked(self, order: OrderRequest) -> OrderRequest:
        """What is typed in extended hours acts in them where it can (RK-20)."""
        return marked_for(self.state.at, order, self.state.calendar, self.state.control.settings.risk.session)

    def _why_nothing_is_left(self, position: Position) -> str:
        doubted = self.state.ledger.doubted_exits(position.symbol, position.strategy)
        if any(not order.stands_by for order in doubted):
            return "an exit of it is in doubt: the broker is asked, and nothing is sent twice"
        return "an exit of all of it is working already; Orders shows it"

    def _position_to_close(self, symbol: Symbol, side: Side) -> Position | None:
        """The operator's own first; else whose it is that is there."""
        held = [p for p in self.state.ledger.positions_in(symbol) if closing_side(p) is side]
        return min(held, key=lambda position: position.strategy != MANUAL, default=None)

    def stage(self, proposal: Proposal) -> None:
        """What another workflow made: the same way, the same checks."""
        self._stage(proposal)

    def _stage(self, proposal: Proposal) -> None:
        if self.state.ledger.has(proposal.order.client_order_id):
            self._skip(proposal.strategy, proposal.symbol, ("this signal had its order already",), proposal.signal_time)
            return
        review = self.gate.review(candidate_of(proposal), self.state.figures_for(self.state.at, proposal.symbol, None))
        if review.refusals:
            reasons = tuple(f"{v.check}: {v.reason}" for v in review.refusals)
            followed = None if proposal.strategy == MANUAL or proposal.only_reduces else proposal
            checks = tuple(v.check for v in review.refusals)
            self._skip(proposal.strategy, proposal.symbol, reasons, proposal.signal_time, followed, checks)
            return
        self.state.record(ProposalStaged(proposal, review))

    def _skip(
        self,
        strategy: str,
        symbol: Symbol,
        reasons: tuple[str, ...],
        signal_time: datetime | None = None,
        proposal: Proposal | None = None,
        checks: tuple[str, ...] = (),
    ) -> None:
        self.state.record(ProposalSkipped(strategy, symbol, signal_time or self.state.at, reasons, proposal, checks))

    def _market(self, order: OrderRequest) -> Price | None:
        """The side of the newest quote that it would take, else the last price."""
        quote, last = self.state.sightings.quotes.get(order.symbol), self.state.last_price(order.symbol)
        if quote is not None:
            return quote.ask if order.side is Side.BUY else quote.bid
        return None if last is None else last[1]

    def _manual_order_id(self) -> ClientOrderId:
        state = self.state.stage.state
        return order_id_of(MANUAL, self.state.control.state.installation or "", plain(Decimal(state.manual_orders + 1)))

    def _step(self, symbol: Symbol) -> Decimal:
        instrument = self.state.sightings.instruments.get(symbol)
        return instrument.quantity_step if instrument else Decimal(1)


def left_to_close(
    state: TradingState, symbol: Symbol, strategy: str, side: Side, ticket_id: TicketId | None = None
) -> Quantity:
    """Shares that an order on this side would close, and that no exit is out for, or signed and waiting for the stops.

    Never below zero, and none of a position that has changed its side since: there it would add. Its own stops and
    targets do not count: they make way (EX-21). Nor does what `ticket_id` itself has signed.
    """
    position = state.ledger.position(symbol, strategy)
    if position is None or closing_side(position) is not side:
        return Quantity(ZERO)
    out = sum((o.remaining for o in state.ledger.working_exits(symbol, strategy) if not o.stands_by), ZERO)
    for use in state.stage.mandates(AuthorizationKind.CLOSE):
        signed = state.stage.state.confirmations.get(use.mandate.ticket_id)
        is_of_it = signed is not None and (signed.proposal.symbol, signed.proposal.strategy) == (symbol, strategy)
        if is_of_it and use.is_unused and use.mandate.ticket_id != ticket_id:
            out += use.mandate.quantity
    return Quantity(max(abs(position.quantity) - out, ZERO))


def in_terms_of(command: ProposeOrder, order: OrderRequest) -> OrderRequest:
    """An exit as it was typed: a limit with a stop beside it is a pair, of which either cancels the other (EX-12)."""
    order = replace(
        order,
        type=command.type,
        time_in_force=command.time_in_force,
        limit_price=command.limit_price,
        stop_price=command.stop_price if command.type in (OrderType.STOP, OrderType.STOP_LIMIT) else None,
        trail_price=command.trail_price,
        trail_fraction=command.trail_fraction,
    )
    if command.type is not OrderType.LIMIT or command.stop_price is None:
        return order
    return replace(order, order_class=OrderClass.OCO, legs=(Leg(LegRole.STOP, stop_price=command.stop_price),))


def refusal_of_fraction(order: OrderRequest) -> str | None:
    """Why the broker never takes a part of a share in these terms: its stop would make way for nothing (EX-11)."""
    if order.quantity % 1 == 0:
        return None
    if order.legs:
        return NO_FRACTION_OF_A_PAIR
    if order.type is OrderType.TRAILING_STOP:
        return NO_FRACTION_TRAILS
    return None if order.time_in_force is TimeInForce.DAY else NO_FRACTION_LASTS


def candidate_of(proposal: Proposal) -> Candidate:
    return Candidate(
        proposal.order, proposal.stop, proposal.strategy, proposal.signal_time, proposal.strategy == MANUAL
    )


def signal_order_id(
    strategy: str, symbol: Symbol, bar_start: datetime, side: Side, timeframe: str = BY_MINUTE
) -> ClientOrderId:
    """`vwap:SPY:1min:2013-10-08T14:50:00Z:buy`, hashed (EX-04)."""
    return order_id_of(strategy, symbol, timeframe, f"{bar_start:%Y-%m-%dT%H:%M:%SZ}", side.value)


def timeframe_of(order: Order) -> str:
    """What the bar was that made it: its own id says so."""
    request = order.request
    by_session = signal_order_id(order.strategy, request.symbol, order.signal_time, request.side, BY_SESSION)
    return BY_SESSION if order.id == by_session else BY_MINUTE


def closing_side(position: Position) -> Side:
    return Side.SELL if position.quantity > 0 else Side.BUY


def effect_of_exit(side: Side, quantity: Decimal, held: Decimal) -> OrderEffect:
    """What an exit of so many of the shares that are held is called, everywhere."""
    if side is Side.BUY:
        return OrderEffect.COVER
    return OrderEffect.CLOSE if quantity == held else OrderEffect.REDUCE


def side_of(effect: OrderEffect) -> Side:
    return Side.BUY if effect in (OrderEffect.OPEN, OrderEffect.ADD, OrderEffect.COVER) else Side.SELL
