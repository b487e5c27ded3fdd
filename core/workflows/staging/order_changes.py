"""Change a working order: another price for a stop, another quantity or price for an entry.

Each change is staged as an order that names the one it replaces, and is handled like any order: a ticket, the key `R`,
every check on fresh figures. A position without a stop gets a new one, on a ticket with its effect's own key.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from core.execution.order import Order
from core.facts import ProposalEnded, ProposalSkipped
from core.messages.commands import EditOrder, MoveStop
from core.messages.effects import Effect
from core.model.bar import ONE_MINUTE, NoQuote, Quote
from core.model.codes import GuardCode, ProposalEnd
from core.model.lazy_dataclass import dataclass
from core.model.order import (
    AnyRole,
    LegRole,
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
    order_id_of,
    traded_in,
)
from core.model.order import Effect as OrderEffect
from core.model.order_terms import terms_in_words
from core.model.position import Position
from core.model.signal import ExitReason
from core.model.staging import MANUAL, GuardRefusal, NoStop, Proposal
from core.model.values import NO_NUMBER, ZERO, ClientOrderId, Price, ProposalId, Quantity, Symbol, is_number, plain
from core.trading_state.state import TradingState
from core.workflows.orders.request_reserve import held_exits
from core.workflows.staging.exit_change_refusals import refusal_of_move, stops_of, unguarded_of
from core.workflows.staging.proposal_intake import ProposalStaging, closing_side
from core.workflows.workflow import answers


@dataclass(frozen=True, slots=True)
class RequestedChange:
    """The reason for a requested stop, as text and as a code."""

    words: str
    code: GuardCode


NOT_ANSWERED = "the broker has not answered for the order yet; look again in a moment"
NO_STOP_WORKS = "no stop of it works at the broker: its exit is on its way"
WAITS_FOR_ENTRY = "the broker's stop waits for its entry to fill; cancel what is left of that first, or wait"
NOT_MOVED = {
    GuardRefusal.ENTRY_FILLS: WAITS_FOR_ENTRY,
    GuardRefusal.TRAILS: "a trailing stop moves by itself; cancel it, then m asks for another stop",
    GuardRefusal.UNANSWERED: NOT_ANSWERED,
}

BY_HAND = RequestedChange("no stop at the broker guards these shares", GuardCode.BY_HAND)


class OrderChanges:
    def __init__(self, state: TradingState, staging: ProposalStaging) -> None:
        self.state = state
        self.staging = staging
        self._refused: set[tuple[Symbol, str, GuardCode]] = set()
        """Refused stops that the desk itself requested: each is reported once."""

    # ── the operator ─────────────────────────────────────────────────────────────────────────────────────────────

    @answers(MoveStop)
    def on_move_stop(self, command: MoveStop) -> Iterable[Effect]:
        """Propose a move of each working stop, and a new stop for unprotected shares."""
        position = self.state.ledger.position(command.symbol, command.strategy)
        if not is_number(command.stop_price):
            self._skip(command.strategy, command.symbol, NO_NUMBER)
            return ()
        if position is None:
            self._skip(command.strategy, command.symbol, f"there is no {command.symbol} position of {command.strategy}")
            return ()
        if refusal := self.not_movable(position):
            self._skip(command.strategy, command.symbol, refusal)
            return ()
        for stop in stops_of(self.state, position):
            self.stage_move(stop, command.stop_price)
        unprotected = unguarded_of(self.state, position)
        if unprotected > 0:
            self.stage_guard(position, unprotected, command.stop_price)
        return ()

    @answers(EditOrder)
    def on_edit_order(self, command: EditOrder) -> Iterable[Effect]:
        """Propose a change of an entry. The quantity is that of the whole entry: its fills are subtracted."""
        old = self.state.ledger.order(command.client_order_id)
        if old is None:
            return ()
        if refusal := self._not_editable(old, command):
            self._skip(old.strategy, old.request.symbol, refusal)
            return ()
        held = self.state.ledger.position(old.request.symbol, old.strategy)
        is_added = held is not None and old.request.effect is OrderEffect.OPEN
        order = replace(
            old.request,
            client_order_id=self._next_id(old.id),
            effect=OrderEffect.ADD if is_added else old.request.effect,
            quantity=Quantity(command.quantity - old.filled_quantity),
            limit_price=old.request.limit_price if command.limit_price is None else command.limit_price,
            replaces=old.id,
        )
        stop = old.stop
        if stop is not None and command.stop_price is not None:
            stop = replace(stop, price=command.stop_price)
        life = timedelta(seconds=float(self.state.control.settings.staging.manual_seconds))
        self._stage(
            Proposal(
                id=ProposalId(order.client_order_id),
                strategy=old.strategy,
                order=order,
                stop=stop or NoStop("the order has none"),
                signal_time=self.state.at if old.strategy == MANUAL else old.signal_time,
                staged_at=self.state.at,
                expires_at=old.expires_at or self.state.at + life,
                reason="changed by the operator",
                intended_price=order.limit_price,
                reference=old.reference,
                exit_reason=None,
                target_price=old.target_price,
            )
        )
        return ()

    # ── refusals ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def refusal(self, proposal: Proposal, quote: Quote | NoQuote) -> str | None:
        """Return why this change cannot be made now, beyond the gate; None if the proposal changes nothing."""
        if proposal.order.replaces is not None and (reason := self._irreplaceable(proposal.order)):
            return reason
        if not proposal.is_guard:
            return None
        if reason := self._misplaced(proposal.order, quote):
            return reason
        return None if proposal.order.replaces else self._too_much(proposal)

    def parent_of(self, proposal: Proposal) -> ClientOrderId | None:
        """Return the entry that a stop belongs to."""
        if not proposal.is_guard:
            return None
        if proposal.order.replaces is not None:
            old = self.state.ledger.order(proposal.order.replaces)
            return old.parent if old else None
        position = self.state.ledger.position(proposal.symbol, proposal.strategy)
        entry = self.state.ledger.order(position.entry_order) if position else None
        return entry.id if entry else None

    def role_of(self, proposal: Proposal) -> AnyRole | None:
        """Return the role of the replaced leg: its replacement is a leg too."""
        old = self.state.ledger.order(proposal.order.replaces) if proposal.order.replaces else None
        return old.role if old else None

    def not_movable(self, position: Position) -> str | None:
        """Why none of its stops takes another price now."""
        refusal = refusal_of_move(self.state, position)
        return None if refusal is None else NOT_MOVED.get(refusal, NO_STOP_WORKS)

    def _irreplaceable(self, order: OrderRequest) -> str | None:
        old = self.state.ledger.order(order.replaces) if order.replaces else None
        if old is None or not old.is_working:
            return "the order that it would replace is over"
        if old.status is OrderStatus.PENDING:
            return NOT_ANSWERED
        if old.is_cancelling:
            return "the order is being cancelled"
        if old.is_being_replaced:
            return "the order is being replaced already"
        if any(old in held.stops for held in held_exits(self.state)):
            return "its exit waits for the broker's limit of requests: the stop stays as it is until it makes way"
        if order.effect.only_reduces and order.quantity != old.remaining:
            return f"{plain(old.remaining)} are left of the stop by now; move it again"
        if order.quantity != old.request.quantity and (_is_fraction(order) or _is_fraction(old.request)):
            return "a fractional order keeps its quantity at the broker: cancel it, and write another"
        if old.request.leg(LegRole.TARGET) is not None:
            works = terms_in_words(old.request)
            return f"an order with a target cannot be changed; {works} still works: cancel it, and enter it again"
        if _terms(order) == _terms(old.request):
            return "nothing at the broker would change"
        return None

    def _not_editable(self, old: Order, command: EditOrder) -> str | None:
        if old.only_reduces:
            return "only an entry is edited; a stop is moved from its position, in Positions"
        if old.request.type.waits:
            return "a stop entry keeps its terms at the broker: cancel it, and write another"
        if not old.request.type.has_limit:
            return "an order at the market takes any price; cancel it"
        if old.stop is not None and old.request.legs and command.stop_price not in (None, old.stop.price):
            return "the broker holds its stop with it, and takes no other for it: cancel the order, and write another"
        if not all(is_number(n) for n in (command.quantity, command.limit_price or ZERO, command.stop_price or ZERO)):
            return NO_NUMBER
        if command.quantity <= old.filled_quantity:
            return f"{plain(old.filled_quantity)} are filled already, {plain(command.quantity)} would leave nothing"
        return None

    def _misplaced(self, order: OrderRequest, quote: Quote | NoQuote) -> str | None:
        """Return a refusal if the market has passed the stop: it would trade at once, though it only reduces."""
        stop = order.stop_price
        if stop is None or not stop.is_finite() or stop <= 0:
            return f"{stop} is no price for a stop"
        tick = order.instrument.ticks.at(stop)
        if stop % tick:
            return f"{plain(stop)} is off its tick of {tick}"
        is_sale = order.side is Side.SELL
        now = self._market(order.symbol, quote, is_sale=is_sale)
        if now is None or (stop < now if is_sale else stop > now):
            return None
        return f"stop {plain(stop)} is on the wrong side of the market, {plain(now)}: it would trade at once"

    def _market(self, symbol: Symbol, quote: Quote | NoQuote | None = None, *, is_sale: bool) -> Price | None:
        """Return the price that such an order would meet: the quote's, or the last bar's if that is newer."""
        quote = quote or self.state.sightings.quotes.get(symbol)
        if isinstance(quote, Quote) and not self._has_a_bar_since(quote):
            return quote.bid if is_sale else quote.ask
        return self.state.orchestrator.state.marks.get(symbol)

    def _has_a_bar_since(self, quote: Quote) -> bool:
        started = self.state.normaliser.state.last_starts.get(quote.symbol)
        return started is not None and started + ONE_MINUTE > quote.at

    def _too_much(self, proposal: Proposal) -> str | None:
        position = self.state.ledger.position(proposal.symbol, proposal.strategy)
        has_its_side = position is not None and closing_side(position) is proposal.order.side
        unprotected = unguarded_of(self.state, position) if position and has_its_side else Quantity(ZERO)
        return (
            None
            if proposal.order.quantity <= unprotected
            else f"only {plain(unprotected)} are without a stop by now; ask again"
        )

    # ── staging ──────────────────────────────────────────────────────────────────────────────────────────────────

    def stage_move(self, stop: Order, price: Price) -> None:
        """Propose to move this stop to that price."""
        request = stop.request
        limit = request.limit_price
        if limit is not None and request.stop_price is not None:
            limit = _on_its_tick(request, limit + price - request.stop_price)
        moved = replace(
            request,
            client_order_id=self._next_id(stop.id),
            quantity=stop.remaining,
            stop_price=price,
            limit_price=limit,
            replaces=stop.id,
        )
        self._stage(self._guard(moved, stop.strategy, stop.reference, "the operator moves the stop"))

    def stage_move_again(self, moved: Order, why: RequestedChange) -> None:
        """Propose a confirmed move again that never left; the old stop still works at its price."""
        if moved.request.replaces is None or self.state.ledger.chains.replaced(moved) is None:
            return
        again = replace(moved.request, client_order_id=self._next_id(moved.request.replaces))
        self._stage(self._guard(again, moved.strategy, moved.reference, why.words))

    def stage_guard(
        self,
        position: Position,
        quantity: Quantity,
        price: Price,
        why: RequestedChange = BY_HAND,
        lasts: TimeInForce = TimeInForce.DAY,
    ) -> bool:
        """Propose a stop for shares without one: rejected, cancelled, or never arrived. Return whether it waits now."""
        side = closing_side(position)
        order = OrderRequest(
            client_order_id=self._next_id(position.entry_order),
            symbol=position.symbol,
            side=side,
            effect=OrderEffect.CLOSE if side is Side.SELL else OrderEffect.COVER,
            quantity=quantity,
            type=OrderType.STOP,
            time_in_force=lasts,
            stop_price=price,
        )
        order = traded_in(position.instrument, order)
        guard = replace(self._guard(order, position.strategy, None, why.words), guard=why.code)
        key = (position.symbol, position.strategy, why.code)
        if self.has_refused(position, why) and self._refusal_now(guard) is not None:
            return False
        self._stage(guard)
        is_there = guard.id in self.state.stage.state.proposals
        if why.code is not GuardCode.BY_HAND:
            (self._refused.discard if is_there else self._refused.add)(key)
        return is_there

    def has_refused(self, position: Position, why: RequestedChange) -> bool:
        """Whether such a stop was refused when it was proposed last."""
        return (position.symbol, position.strategy, why.code) in self._refused

    def is_passed(self, position: Position, stop: Price) -> bool:
        """Whether the market is at the stop's price, or beyond it."""
        now = self._market(position.symbol, is_sale=position.quantity > 0)
        return now is not None and (stop >= now if position.quantity > 0 else stop <= now)

    def _guard(self, order: OrderRequest, strategy: str, reference: Price | None, reason: str) -> Proposal:
        return Proposal(
            id=ProposalId(order.client_order_id),
            strategy=strategy,
            order=order,
            stop=NoStop("it is one"),
            signal_time=self.state.at,
            staged_at=self.state.at,
            expires_at=None,
            reason=reason,
            intended_price=order.stop_price,
            reference=reference,
            exit_reason=ExitReason.STOP_LOSS,
        )

    def _stage(self, proposal: Proposal) -> None:
        """Stage the change in place of an older one of the same order, or skip it with the reason."""
        refusal = self._refusal_now(proposal)
        for older in self._same(proposal):
            if self.state.stage.is_confirming(older.id):
                refusal = "a change of it is being confirmed"
            elif refusal is None:
                self.state.record(ProposalEnded(older.id, ProposalEnd.WITHDRAWN, "changed again"))
        if refusal is not None:
            self._skip(proposal.strategy, proposal.symbol, refusal)
            return
        self.staging.stage(proposal)

    def _refusal_now(self, proposal: Proposal) -> str | None:
        return self.refusal(proposal, self.state.sightings.quotes.get(proposal.symbol) or NoQuote("none seen yet"))

    def _same(self, proposal: Proposal) -> list[Proposal]:
        """Return proposals for the same order, or for a stop of the same shares."""
        return [
            waiting
            for waiting in self.state.stage.proposals()
            if waiting.order.replaces == proposal.order.replaces
            and (
                proposal.order.replaces is not None
                or (waiting.is_guard and (waiting.symbol, waiting.strategy) == (proposal.symbol, proposal.strategy))
            )
        ]

    def _next_id(self, order_id: ClientOrderId) -> ClientOrderId:
        """Return a unique id: the order's own, the installation's name and the number of the change (EX-04)."""
        installation = self.state.control.state.installation or ""
        return order_id_of("change", installation, order_id, str(self.state.stage.state.changes + 1))

    def _skip(self, strategy: str, symbol: Symbol, reason: str) -> None:
        self.state.record(ProposalSkipped(strategy, symbol, self.state.at, (reason,)))


def _on_its_tick(order: OrderRequest, limit: Decimal) -> Price:
    """Return the limit of a stop at its old distance, rounded away by a part of a tick, so it fills no later."""
    ticks = order.instrument.ticks
    rounding = ROUND_FLOOR if order.side is Side.SELL else ROUND_CEILING
    return Price(max(ticks.rounded(limit, rounding), ticks.at(ZERO)))


def _is_fraction(order: OrderRequest) -> bool:
    return order.quantity != order.quantity.to_integral_value()


def _terms(order: OrderRequest) -> tuple[object, ...]:
    return order.quantity, order.terms
