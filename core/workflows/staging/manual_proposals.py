"""Turn what a person asks for into proposals: orders, closes, flattening, trailing stops, targets, tighter stops
(EX-12).

Either reserves all of the shares at the broker. So their stops and targets are cancelled first, and a stop is put back
if the new order is rejected (EX-21). With a stop in force, the target and that stop are an OCO pair.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from core.execution.order import Order, nearest_first
from core.facts import ProposalSkipped
from core.messages.commands import ProposeClose, ProposeFlattening, ProposeOrder, SetTarget, TightenStop, TrailStop
from core.messages.effects import Effect
from core.model.bar import Quote
from core.model.draft import DraftTerms, drafted_by
from core.model.order import Effect as OrderEffect
from core.model.order import OrderRequest, OrderType, Side, StopHolder, TimeInForce, order_id_of, traded_in
from core.model.position import Position
from core.model.signal import ExitReason
from core.model.staging import MANUAL, NoStop, Proposal, StopPlan
from core.model.text_sanitizer import foreign
from core.model.values import (
    NO_NUMBER,
    ZERO,
    ClientOrderId,
    Price,
    ProposalId,
    Quantity,
    Symbol,
    is_number,
    plain,
    priced,
    rounded_down,
)
from core.staging.resting_entries import aimed_at, refusal_of, stop_for, target_of, with_legs
from core.trading_state.state import TradingState
from core.trading_state.watched_symbols import is_a_share
from core.workflows.staging.exit_change_refusals import stops_of, waits_for_entry
from core.workflows.staging.order_changes import WAITS_FOR_ENTRY, OrderChanges
from core.workflows.staging.proposal_intake import ProposalStaging, closing_side, effect_of_exit
from core.workflows.workflow import answers

NO_TARGET = "the broker holds a target only beside a stop of its own, for whole shares, day or gtc"
NOT_THE_DRAFT = "it is not draft {} as its agent sent it, adopted by a person; read and adopt it in Proposals"
NO_TARGET_NOW = "in extended hours the broker holds no target with an entry; type it without one"


class ManualProposals:
    """Handles typed commands like signals, with the same checks."""

    def __init__(self, state: TradingState, staging: ProposalStaging) -> None:
        self.state = state
        self.staging = staging

    @answers(ProposeOrder)
    def on_propose_order(self, command: ProposeOrder) -> Iterable[Effect]:
        """Propose an exit of an existing position, or else an entry."""
        if command.draft is not None and not self._is_adopted(command):
            self._skip(command.symbol, NOT_THE_DRAFT.format(command.draft))
        elif command.effect.only_reduces:
            self._propose_exit(command)
        else:
            self._propose_entry(command)
        return ()

    def _is_adopted(self, command: ProposeOrder) -> bool:
        """Return whether its draft was adopted under the id of the next order, and is this order in every term."""
        outcome = self.state.drafts.of_proposal(next_manual_id(self.state))
        if outcome is None or outcome.number != command.draft or outcome.draft.terms.strategy:
            return False
        order = replace(outcome.draft.terms, quantity=outcome.draft.quantity)
        return command == order_of_draft(self.state, order, outcome.number)

    def _propose_exit(self, command: ProposeOrder) -> None:
        position = self.reduced_by(command.symbol, command.effect)
        if position is None:
            self._skip(command.symbol, nothing_to_reduce(command.symbol))
            return
        self.staging.stage_close(
            position,
            command.quantity,
            order_id=next_manual_id(self.state),
            signal_time=self.state.at,
            exit_reason=ExitReason.MANUAL,
            intended=command.limit_price,
            reference=None,
            reason=self._typed(command),
            terms=command,
        )

    def reduced_by(self, symbol: Symbol, effect: OrderEffect) -> Position | None:
        """Return the position that such an exit reduces: the operator's own first, else any other owner's."""
        held = [p for p in self.state.ledger.positions_in(symbol) if closing_side(p) is side_of(effect)]
        return min(held, key=lambda position: position.strategy != MANUAL, default=None)

    def _propose_entry(self, command: ProposeOrder) -> None:
        proposal = self.entry_of(command)
        if isinstance(proposal, str):
            self._skip(command.symbol, proposal)
        else:
            self.staging.stage(proposal)

    def entry_of(self, command: ProposeOrder) -> Proposal | str:
        """Return the entry that this command asks for, or why there is none; the gate has not judged it."""
        if (unknown := self._unknown(command.symbol)) is not None:
            return unknown
        order = self._entry(command)
        market = self._market(order)
        typed = StopPlan(command.stop_price, command.stop_holder) if command.stop_price else NoStop("none was typed")
        stop = refusal_of(order, command.ttl_seconds) or stop_for(order, typed, market)
        if isinstance(stop, str):
            return stop
        whole = with_legs(self.staging.marked(order), stop, command.target_price)
        if command.target_price is not None and target_of(whole) is None:
            return NO_TARGET_NOW if whole.extended_hours else NO_TARGET
        life = timedelta(seconds=float(self.state.control.settings.staging.manual_seconds))
        return Proposal(
            id=ProposalId(order.client_order_id),
            strategy=MANUAL,
            order=whole,
            stop=stop,
            signal_time=self.state.at,
            staged_at=self.state.at,
            expires_at=self.state.at + life,
            reason=self._typed(command),
            intended_price=aimed_at(order, market) if order.type.waits else order.limit_price,
            reference=None,
            exit_reason=None,
            target_price=command.target_price,
            ttl_seconds=command.ttl_seconds,
        )

    def _unknown(self, symbol: Symbol) -> str | None:
        """Why nothing can be opened in it, however long one waits; None where something may be."""
        if not is_a_share(self.state, symbol):
            return f"{symbol} is not how a share is written"
        unlisted = self.state.sightings.unlisted.get(symbol)
        return None if unlisted is None else unlisted.reason

    def _entry(self, command: ProposeOrder) -> OrderRequest:
        order = OrderRequest(
            client_order_id=next_manual_id(self.state),
            symbol=command.symbol,
            side=side_of(command.effect),
            effect=command.effect,
            quantity=command.quantity,
            type=command.type,
            time_in_force=command.time_in_force,
            limit_price=command.limit_price,
            stop_price=command.trigger_price,
            trail_price=command.trail_price,
            trail_fraction=command.trail_fraction,
        )
        return traded_in(self.state.traded(command.symbol), order)

    def _skip(self, symbol: Symbol, reason: str, strategy: str = MANUAL) -> None:
        self.staging.skip(strategy, symbol, (reason,))

    def _typed(self, command: ProposeOrder) -> str:
        """Return the reason: typed by the operator, or the agent's, of a draft."""
        drafted = None if command.draft is None else self.state.drafts.outcome(command.draft)
        if drafted is not None:
            return f"{drafted_by(drafted.draft.agent, drafted.number)}: {foreign(drafted.draft.reason)}"
        return "typed by the operator"

    def _market(self, order: OrderRequest) -> Price | None:
        """Return the side of the newest quote that it would take, else the last price."""
        quote, last = self.state.sightings.quotes.get(order.symbol), self.state.last_price(order.symbol)
        if quote is not None:
            return quote.ask if order.side is Side.BUY else quote.bid
        return None if last is None else last[1]

    @answers(ProposeClose)
    def on_propose_close(self, command: ProposeClose) -> Iterable[Effect]:
        positions = self.state.ledger.positions_in(command.symbol)
        if command.strategy is not None:
            positions = tuple(p for p in positions if p.strategy == command.strategy)
        if not positions:
            self._skip(command.symbol, f"there is no position in {command.symbol}", command.strategy or MANUAL)
        for position in positions:
            self._close_by_hand(position, command.part, ExitReason.MANUAL, command.quantity)
        return ()

    @answers(ProposeFlattening)
    def on_propose_flattening(self, _command: ProposeFlattening) -> Iterable[Effect]:
        """Propose one close per position; each is confirmed on its own ticket (OP-07)."""
        reason = ExitReason.KILL if self.state.control.killed_by else ExitReason.MANUAL
        for position in self.state.ledger.positions():
            self._close_by_hand(position, Decimal(1), reason)
        return ()

    def _close_by_hand(
        self, position: Position, part: Decimal, exit_reason: ExitReason, shares: Quantity | None = None
    ) -> None:
        """`shares` is a number that was typed and read back: another one is never sold in its place."""
        if told := self.staging.make_room(position):
            self._skip(position.symbol, told, position.strategy)
            return
        whole = abs(position.quantity)
        if shares is not None and shares > whole:
            told = f"{plain(shares)} were to be closed and {plain(whole)} are held: no more can be; close again"
            self._skip(position.symbol, told, position.strategy)
            return
        step = self._step(position.symbol) if position.quantity > 0 or whole % 1 else Decimal(1)
        quantity = shares or (whole if part >= 1 else rounded_down(whole * part, step))
        self.staging.stage_close(
            position,
            Quantity(quantity),
            order_id=next_manual_id(self.state),
            signal_time=self.state.at,
            exit_reason=exit_reason,
            intended=self.state.orchestrator.state.marks.get(position.symbol),
            reference=None,
            reason="closed by the operator" if exit_reason is ExitReason.MANUAL else "flattened after the kill",
        )

    def _step(self, symbol: Symbol) -> Decimal:
        instrument = self.state.sightings.instruments.get(symbol)
        return instrument.quantity_step if instrument else Decimal(1)


def nothing_to_reduce(symbol: Symbol) -> str:
    return f"there is no {symbol} position that it would reduce"


def next_manual_id(state: TradingState) -> ClientOrderId:
    """Of the next order that a person asks for (EX-04)."""
    installation = state.control.state.installation or ""
    return order_id_of(MANUAL, installation, plain(Decimal(state.stage.state.manual_orders + 1)))


def order_of_draft(state: TradingState, order: DraftTerms, number: int | None) -> ProposeOrder:
    """Return the order that adopting such a draft proposes; `number` is None while it is only judged."""
    effect = order.effect
    if effect is OrderEffect.OPEN and state.ledger.position(order.symbol, MANUAL) is not None:
        effect = OrderEffect.ADD
    return ProposeOrder(
        order.symbol,
        effect,
        order.quantity or Quantity(ZERO),
        order.type,
        order.limit_price,
        order.stop_price,
        StopHolder.BROKER,
        time_in_force=order.time_in_force,
        target_price=None if order.strategy else order.target_price,
        draft=number,
    )


def side_of(effect: OrderEffect) -> Side:
    return Side.BUY if effect in (OrderEffect.OPEN, OrderEffect.ADD, OrderEffect.COVER) else Side.SELL


BESIDE_A_TRAIL = "the broker takes no target beside a trailing stop; cancel that in Orders, then m and g set both"
NO_DISTANCE = "how far behind is one number: USD, below the price, or a part of the price, below all of it"


class PositionProtection:
    def __init__(self, state: TradingState, staging: ProposalStaging) -> None:
        self.state = state
        self.staging = staging

    @answers(TrailStop)
    def on_trail_stop(self, command: TrailStop) -> Iterable[Effect]:
        """Propose a trailing stop that replaces each working stop and target of the position."""
        position = self.state.ledger.position(command.symbol, command.strategy)
        refusal = self._not_guarded_anew(command, position) or self._no_distance(command)
        if refusal is not None or position is None:
            self._skip(command, refusal)
            return ()
        held = Quantity(abs(position.quantity))
        terms = ProposeOrder(
            command.symbol,
            effect_of_exit(closing_side(position), held, held),
            held,
            OrderType.TRAILING_STOP,
            limit_price=None,
            stop_price=None,
            stop_holder=StopHolder.BROKER,
            time_in_force=self._lasts(position),
            trail_price=command.trail_price,
            trail_fraction=command.trail_fraction,
        )
        self._stage(command, position, terms, "the operator asks for a trailing stop")
        return ()

    @answers(SetTarget)
    def on_set_target(self, command: SetTarget) -> Iterable[Effect]:
        """Propose a limit for the whole position, paired with the nearest stop in force."""
        position = self.state.ledger.position(command.symbol, command.strategy)
        refusal = self._not_guarded_anew(command, position)
        if refusal is not None or position is None:
            self._skip(command, refusal)
            return ()
        stops = nearest_first(stops_of(self.state, position))
        if refusal := self._misplaced(position, command.target_price, stops):
            self._skip(command, refusal)
            return ()
        held = Quantity(abs(position.quantity))
        terms = ProposeOrder(
            command.symbol,
            effect_of_exit(closing_side(position), held, held),
            held,
            OrderType.LIMIT,
            limit_price=command.target_price,
            stop_price=stops[0].request.stop_price if stops else None,
            stop_holder=StopHolder.BROKER,
            time_in_force=self._lasts(position),
        )
        self._stage(command, position, terms, "the operator asks for a target")
        return ()

    # ── refusals ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _not_guarded_anew(self, command: TrailStop | SetTarget, position: Position | None) -> str | None:
        if position is None:
            return f"there is no {command.symbol} position of {command.strategy}"
        return WAITS_FOR_ENTRY if waits_for_entry(self.state, position) else None

    def _no_distance(self, command: TrailStop) -> str | None:
        price, fraction = command.trail_price, command.trail_fraction
        if (price is None) == (fraction is None):
            return NO_DISTANCE
        last = self.state.last_price(command.symbol)
        if price is not None:
            is_in_reach = last is None or price < last[1]
            return None if is_number(price) and price > 0 and is_in_reach else NO_DISTANCE
        assert fraction is not None
        return None if is_number(fraction) and 0 < fraction < 1 else NO_DISTANCE

    def _misplaced(self, position: Position, target: Price, stops: list[Order]) -> str | None:
        """Return a refusal if the target would trade at once: that would be a close."""
        if not is_number(target) or target <= 0:
            return NO_NUMBER
        if any(stop.request.type.trails for stop in stops):
            return BESIDE_A_TRAIL
        now, is_long = self._market(position), position.quantity > 0
        if now is not None and (target <= now if is_long else target >= now):
            return f"target {priced(target)} is on the wrong side of the market, {priced(now)}: it would trade at once"
        return None

    def _market(self, position: Position) -> Price | None:
        """Return the side of the newest quote that a limit would meet, else the last price."""
        quote, last = self.state.sightings.quotes.get(position.symbol), self.state.last_price(position.symbol)
        if isinstance(quote, Quote) and (last is None or quote.at >= last[0]):
            return quote.bid if position.quantity > 0 else quote.ask
        return None if last is None else last[1]

    # ── staging ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _lasts(self, position: Position) -> TimeInForce:
        """Return the longest time in force of the stops that it replaces."""
        lasts = {stop.request.time_in_force for stop in stops_of(self.state, position)}
        return TimeInForce.GTC if TimeInForce.GTC in lasts else TimeInForce.DAY

    def _stage(self, command: TrailStop | SetTarget, position: Position, terms: ProposeOrder, reason: str) -> None:
        if refusal := self.staging.make_room(position):
            self._skip(command, refusal)
            return
        self.staging.stage_close(
            position,
            terms.quantity,
            order_id=next_manual_id(self.state),
            signal_time=self.state.at,
            exit_reason=ExitReason.MANUAL,
            intended=terms.limit_price,
            reference=None,
            reason=reason,
            terms=terms,
        )

    def _skip(self, command: TrailStop | SetTarget, reason: str | None) -> None:
        self.staging.skip(command.strategy, command.symbol, (reason or "",))


NO_STOP = "no stop of this desk's works at the broker for it; m in Positions gives it one"


class StopTightening:
    def __init__(self, state: TradingState, order_changes: OrderChanges) -> None:
        self.state = state
        self.order_changes = order_changes

    @answers(TightenStop)
    def on_tighten(self, command: TightenStop) -> Iterable[Effect]:
        """Propose a move of each stop that would come nearer; if none would, skip with the reason."""
        position = self.state.ledger.position(command.symbol, command.strategy)
        if position is None:
            self._skip(command, f"there is no {command.symbol} position of {command.strategy}")
            return ()
        price = position.break_even if command.stop_price is None else command.stop_price
        stops = stops_of(self.state, position)
        looser = [stop for stop in stops if is_number(price) and _is_nearer(price, stop, position)]
        if refusal := self._refusal(position, price, stops, looser):
            self._skip(command, refusal)
            return ()
        for stop in looser:
            self.order_changes.stage_move(stop, price)
        return ()

    def _refusal(self, position: Position, price: Price, stops: list[Order], looser: list[Order]) -> str | None:
        if not is_number(price):
            return NO_NUMBER
        if refusal := self.order_changes.not_movable(position):
            return refusal
        if not stops:
            return NO_STOP
        if looser:
            return None
        there = ", ".join(priced(stop.request.stop_price) for stop in stops if stop.request.stop_price is not None)
        return f"its stop at {there} is as near as {priced(price)} already, or nearer: nothing moves"

    def _skip(self, command: TightenStop, reason: str) -> None:
        self.state.record(ProposalSkipped(command.strategy, command.symbol, self.state.at, (reason,)))


def _is_nearer(price: Price, stop: Order, position: Position) -> bool:
    now = stop.request.stop_price
    return now is not None and (price > now if position.quantity > 0 else price < now)
