"""Working exits and the shares that they ask for: what is reserved, what is covered, what stops are owed (EX-13)."""

from __future__ import annotations

from core.execution.ledger_state import LedgerIndex
from core.execution.legs import Legs
from core.execution.order import Order
from core.execution.replacement_chains import ReplacementChains
from core.model.order import OrderStatus, Side
from core.model.position import Position
from core.model.values import NO_SHARES, ZERO, Quantity, Symbol


class ExitClaims:
    """What works to reduce a position, and how many of its shares each order asks for."""

    def __init__(self, index: LedgerIndex, chains: ReplacementChains, legs: Legs) -> None:
        self.index, self.chains, self.legs = index, chains, legs

    def working(self, symbol: Symbol, strategy: str) -> tuple[Order, ...]:
        """Working orders that reduce this position, its stops among them."""
        return tuple(
            o
            for o in self.index.working.values()
            if o.request.symbol == symbol and o.strategy == strategy and o.only_reduces
        )

    def reserved(self, symbol: Symbol, strategy: str) -> Quantity:
        """Shares that working exits ask for, those in doubt too: no second order is sent for them (EX-06, EX-13)."""
        return Quantity(sum((self.claim(o) for o in self.working(symbol, strategy)), ZERO))

    def covered(self, symbol: Symbol, strategy: str) -> Quantity:
        """Shares of which a person may be told that they are covered (EX-13).

        What is in doubt covers nothing, nor does an exit that waits at its limit, nor one that the broker does not
        trade now, nor what never left this desk.
        """
        exits = [o for o in self.working(symbol, strategy) if not self.chains.is_in_doubt(o) and o.kept is None]
        return Quantity(sum((self.claim(o) for o in exits if not o.waits_at_limit and o.idle is None), ZERO))

    def at_limit(self, symbol: Symbol, strategy: str) -> Quantity:
        """Shares that exits hold which wait at their limit, with no stop meanwhile."""
        exits = self.working(symbol, strategy)
        return Quantity(sum((self.claim(o) for o in exits if o.waits_at_limit and o.idle is None), ZERO))

    def idle(self, symbol: Symbol, strategy: str) -> tuple[Order, ...]:
        """Exits that the broker has and does not trade now."""
        return tuple(o for o in self.working(symbol, strategy) if o.idle is not None)

    def guarded(self, symbol: Symbol, strategy: str) -> Quantity:
        """Shares that no further exit need watch: reserved, and not by an exit that waits at its limit, nor by one that
        waits for its price and does not trade (EX-13, EX-22).
        """
        idle = sum((self.claim(o) for o in self.idle(symbol, strategy) if o.stands_by), ZERO)
        return Quantity(self.reserved(symbol, strategy) - self.at_limit(symbol, strategy) - idle)

    def doubted(self, symbol: Symbol, strategy: str) -> tuple[Order, ...]:
        """Exits that may be at the broker, and of which it has not said so: stops, and what closes."""
        return tuple(o for o in self.working(symbol, strategy) if self.chains.is_in_doubt(o) and self.claim(o) > 0)

    def claim(self, order: Order) -> Quantity:
        """Shares that an order still asks for; none while the one works whose place it takes: the pair counts once.

        None either of one that was to take the place of an order which has ended: no broker takes it any more. None of
        a leg that is held, nor of a target: its stop asks for the same shares (EX-13).
        """
        is_lost = order.status is OrderStatus.PENDING and self.chains.is_forestalled(order)
        is_idle = (
            is_lost or self.chains.replaced(order) or self.legs.is_held(order) or self.legs.leaves_it_to_its_stop(order)
        )
        return NO_SHARES if is_idle else order.remaining

    def has_bracket_order(self, symbol: Symbol, strategy: str) -> bool:
        """Whether legs of the position work at the broker: what they are there to do, nobody else does (EX-13)."""
        exits = self.working(symbol, strategy)
        return any((o.role is not None or o.is_target) and not self.legs.is_held(o) for o in exits)

    def cut_stops(self) -> tuple[Order, ...]:
        """Stops that ended because they were for too much, of positions that are held yet: shares may be owed them."""
        return tuple(order for order in self.index.cut.values() if order.is_cut and self._is_of_what_is_held(order))

    def last_stop(self, position: Position) -> Order | None:
        """The stop of a position that ended last, by what it was opened with; None where none ended."""
        its = [
            o
            for o in self.index.orders.values()
            if o.is_protective
            and not o.is_working
            and (o.request.symbol, o.strategy) == (position.symbol, position.strategy)
        ]
        ended = [o for o in its if self._is_of_what_is_held(o) and not o.made_way]
        return max(ended, key=lambda o: o.ended_at or o.created_at, default=None)

    def _is_of_what_is_held(self, stop: Order) -> bool:
        held = self.index.state.position(stop.request.symbol, stop.strategy)
        if held is None or (held.quantity > 0) is not (stop.request.side is Side.SELL):
            return False
        return (stop.ended_at or stop.created_at) >= min(held.began, held.opened_at)
