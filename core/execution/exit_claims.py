"""Shares claimed by working exits: reserved, covered, and those that stops are owed for (EX-13)."""

from __future__ import annotations

from core.execution.ledger_state import LedgerIndex
from core.execution.legs import Legs
from core.execution.order import Order
from core.execution.replacement_chains import ReplacementChains
from core.model.order import OrderStatus, Side
from core.model.position import Position
from core.model.values import NO_SHARES, ZERO, Quantity, Symbol


class ExitClaims:
    """The working exits of a position, and the shares that each claims."""

    def __init__(self, index: LedgerIndex, chains: ReplacementChains, legs: Legs) -> None:
        self.index, self.chains, self.legs = index, chains, legs

    def working(self, symbol: Symbol, strategy: str) -> tuple[Order, ...]:
        """Return working orders that reduce this position, including its stops."""
        return tuple(
            o
            for o in self.index.working.values()
            if o.request.symbol == symbol and o.strategy == strategy and o.only_reduces
        )

    def reserved(self, symbol: Symbol, strategy: str) -> Quantity:
        """Return the shares of working exits, also in doubt: no second order is sent for them (EX-06, EX-13)."""
        return Quantity(sum((self.claim(o) for o in self.working(symbol, strategy)), ZERO))

    def covered(self, symbol: Symbol, strategy: str) -> Quantity:
        """Return the shares that may be shown as covered (EX-13).

        Orders in doubt, exits that rest at their limit, exits that the broker does not trade now, and orders that never
        left this desk cover nothing.
        """
        exits = [o for o in self.working(symbol, strategy) if not self.chains.is_in_doubt(o) and o.kept is None]
        return Quantity(sum((self.claim(o) for o in exits if not o.waits_at_limit and o.idle is None), ZERO))

    def at_limit(self, symbol: Symbol, strategy: str) -> Quantity:
        """Return the shares of exits that rest at their limit, without a stop."""
        exits = self.working(symbol, strategy)
        return Quantity(sum((self.claim(o) for o in exits if o.waits_at_limit and o.idle is None), ZERO))

    def idle(self, symbol: Symbol, strategy: str) -> tuple[Order, ...]:
        """Return exits that the broker holds and does not trade now."""
        return tuple(o for o in self.working(symbol, strategy) if o.idle is not None)

    def guarded(self, symbol: Symbol, strategy: str) -> Quantity:
        """Return the reserved shares without exits at their limit and idle exits that wait for a price (EX-13, EX-22).

        No further exit needs to watch these shares.
        """
        idle = sum((self.claim(o) for o in self.idle(symbol, strategy) if o.stands_by), ZERO)
        return Quantity(self.reserved(symbol, strategy) - self.at_limit(symbol, strategy) - idle)

    def doubted(self, symbol: Symbol, strategy: str) -> tuple[Order, ...]:
        """Return stops and other exits that may be at the broker but are not confirmed by it."""
        return tuple(o for o in self.working(symbol, strategy) if self.chains.is_in_doubt(o) and self.claim(o) > 0)

    def claim(self, order: Order) -> Quantity:
        """Return the shares that an order still claims; none while the order that it replaces works.

        None either for a replacement of an order that has ended: no broker accepts it. None for a held leg or a target:
        its stop claims the same shares (EX-13).
        """
        is_lost = order.status is OrderStatus.PENDING and self.chains.is_forestalled(order)
        is_idle = (
            is_lost or self.chains.replaced(order) or self.legs.is_held(order) or self.legs.leaves_it_to_its_stop(order)
        )
        return NO_SHARES if is_idle else order.remaining

    def has_bracket_order(self, symbol: Symbol, strategy: str) -> bool:
        """Whether legs of the position work at the broker: nothing else does their job (EX-13)."""
        exits = self.working(symbol, strategy)
        return any((o.role is not None or o.is_target) and not self.legs.is_held(o) for o in exits)

    def cut_stops(self) -> tuple[Order, ...]:
        """Return stops that ended as too large, of positions that are still held: they may be owed shares."""
        return tuple(order for order in self.index.cut.values() if order.is_cut and self._is_of_what_is_held(order))

    def last_stop(self, position: Position) -> Order | None:
        """Return the position's stop that ended last; None if none ended."""
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
