"""Propose a trailing stop or a target for a position; it gets a ticket like any exit (EX-12).

Either reserves all of the shares at the broker. So their stops and targets are cancelled first, and a stop is put back
if the new order is rejected (EX-21). With a stop in force, the target and that stop are an OCO pair.
"""

from __future__ import annotations

from collections.abc import Iterable

from core.execution.order import Order, nearest_first
from core.messages.commands import ProposeOrder, SetTarget, TrailStop
from core.messages.effects import Effect
from core.model.order import OrderType, StopHolder, TimeInForce
from core.model.position import Position
from core.model.quote import Quote
from core.model.signal import ExitReason
from core.model.values import NO_NUMBER, Price, Quantity, is_number, priced
from core.trading_state.state import TradingState
from core.workflows.base.declarations import answers
from core.workflows.staging.closing_terms import closing_side, effect_of_exit
from core.workflows.staging.manual_proposals import next_manual_id
from core.workflows.staging.order_changes import OrderChanges
from core.workflows.staging.proposal_staging import ProposalStaging

BESIDE_A_TRAIL = "the broker takes no target beside a trailing stop; cancel that in Orders, then m and g set both"
NO_DISTANCE = "how far behind is one number: USD, below the price, or a part of the price, below all of it"


class PositionProtection:
    def __init__(self, state: TradingState, staging: ProposalStaging, order_changes: OrderChanges) -> None:
        self.state = state
        self.staging = staging
        self.order_changes = order_changes

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
        stops = nearest_first(self.order_changes.stops(position))
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
        return self.order_changes.waits_for_entry(position)

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
        lasts = {stop.request.time_in_force for stop in self.order_changes.stops(position)}
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
