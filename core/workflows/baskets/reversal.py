"""Reverse a position with two orders in one basket: close all of it, then open as much the other way (OP-05).

The second order may go only when nothing of the symbol is held: before that a sale would close instead of selling
short, and a purchase would cover. Its stop is as far from the price as the planned stop of the closed position was from
the price paid.
"""

from __future__ import annotations

from core.messages.commands import ReversePosition
from core.model.basket import BasketLine
from core.model.order import Effect as OrderEffect
from core.model.order import OrderRequest, OrderType, Side, StopHolder, order_id_of, traded_in
from core.model.position import Position
from core.model.signal import ExitReason
from core.model.staging import MANUAL, NoStop, Proposal, StopPlan
from core.model.values import Price, ProposalId, Quantity, TicketId, plain
from core.staging.attached_legs import with_legs
from core.staging.extended_hours import marked_for
from core.trading_state.state import TradingState
from core.workflows.staging.closing_terms import closing_side, effect_of_exit

EXIT_WAITS = "an exit of it waits in Proposals already: confirm or decline that one first"
NO_STOP_KNOWN = "no stop was planned with it, and so none is known for the other way: close it, and type the entry"
NO_PRICE = "no price of it is known yet, from which its stop could stand"
ENTRIES_WORK = "an entry of it works at the broker: cancel that first"
SHARED = "others hold it too, and the broker nets them: close each on a ticket of its own"


class Reversal:
    def __init__(self, state: TradingState) -> None:
        self.state = state

    def lines(self, command: ReversePosition, plan_id: TicketId) -> tuple[BasketLine, ...] | str:
        """Return the close and the entry after it; a reason if there can be none."""
        position = self.state.ledger.position(command.symbol, command.strategy)
        if position is None:
            return f"there is no {command.symbol} position of {command.strategy}"
        if position.quantity != command.quantity:
            return f"{plain(command.quantity)} were to be turned and {plain(position.quantity)} are held: look again"
        if refusal := self._refusal(position):
            return refusal
        stop = self._stop(position)
        if isinstance(stop, str):
            return stop
        return BasketLine(self._close(position, plan_id)), BasketLine(self._entry(position, stop, plan_id))

    def _refusal(self, position: Position) -> str | None:
        symbol, ledger = position.symbol, self.state.ledger
        if len(ledger.positions_in(symbol)) > 1:
            return SHARED
        if any(p.is_exit and (p.symbol, p.strategy) == (symbol, position.strategy) for p in self._waiting()):
            return EXIT_WAITS
        return ENTRIES_WORK if any(o.request.symbol == symbol for o in ledger.working_entries()) else None

    def _waiting(self) -> tuple[Proposal, ...]:
        return tuple(self.state.stage.state.proposals.values())

    def _stop(self, position: Position) -> StopPlan | str:
        entry, last = self.state.ledger.order(position.entry_order), self.state.last_price(position.symbol)
        if entry is None or entry.stop is None:
            return NO_STOP_KNOWN
        if last is None:
            return NO_PRICE
        way = entry.stop.way_from(position.average_price)
        price = last[1] + way if position.quantity > 0 else last[1] - way
        return StopPlan(position.instrument.ticks.nearest(price), StopHolder.BROKER)

    def _close(self, position: Position, plan_id: TicketId) -> Proposal:
        held, side = Quantity(abs(position.quantity)), closing_side(position)
        order = self._order(position, plan_id, 1, side, effect_of_exit(side, held, held))
        return self._proposal(
            position.strategy, order, NoStop("it closes"), f"turns {plain(held)} round: first all of it"
        )

    def _entry(self, position: Position, stop: StopPlan, plan_id: TicketId) -> Proposal:
        side = closing_side(position)
        effect = OrderEffect.SHORT if side is Side.SELL else OrderEffect.OPEN
        order = with_legs(self._order(position, plan_id, 2, side, effect), stop)
        return self._proposal(MANUAL, order, stop, "turned round: as much the other way")

    def _order(
        self, position: Position, plan_id: TicketId, number: int, side: Side, effect: OrderEffect
    ) -> OrderRequest:
        installation = self.state.control.state.installation or ""
        order = OrderRequest(
            client_order_id=order_id_of("plan", installation, plan_id, str(number)),
            symbol=position.symbol,
            side=side,
            effect=effect,
            quantity=Quantity(abs(position.quantity)),
            type=OrderType.MARKET,
        )
        order = traded_in(position.instrument, order)
        return marked_for(self.state.at, order, self.state.calendar, self.state.control.settings.risk.session)

    def _proposal(self, strategy: str, order: OrderRequest, stop: StopPlan | NoStop, reason: str) -> Proposal:
        last = self.state.last_price(order.symbol)
        return Proposal(
            id=ProposalId(order.client_order_id),
            strategy=strategy,
            order=order,
            stop=stop,
            signal_time=self.state.at,
            staged_at=self.state.at,
            expires_at=None,
            reason=reason,
            intended_price=None if last is None else Price(last[1]),
            reference=None,
            exit_reason=ExitReason.MANUAL if order.effect.only_reduces else None,
        )
