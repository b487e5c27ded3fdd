"""Tighten a stop, never loosen it: to break-even or a typed price, through a ticket like any move."""

from __future__ import annotations

from collections.abc import Iterable

from core.execution.order import Order
from core.facts import ProposalSkipped
from core.messages.commands import TightenStop
from core.messages.effects import Effect
from core.model.position import Position
from core.model.values import NO_NUMBER, Price, is_number, priced
from core.trading_state.state import TradingState
from core.workflows.base.declarations import answers
from core.workflows.staging.order_changes import OrderChanges

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
        stops = self.order_changes.stops(position)
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
