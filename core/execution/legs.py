"""The legs of an order: those that the broker created with it, whether they protect anything yet, and their pairs."""

from __future__ import annotations

from core.execution.ledger_state import LedgerIndex
from core.execution.order import Order
from core.model.codes import EndCode
from core.model.order import LegRole, OrderStatus
from core.model.values import ZERO, ClientOrderId, Quantity, Symbol


class Legs:
    """Orders that the broker created with another, and their replacements."""

    def __init__(self, index: LedgerIndex) -> None:
        self.index = index

    def of(self, parent: ClientOrderId) -> tuple[Order, ...]:
        """Return the legs that the broker created with an order, and their replacements."""
        return tuple(self.index.legs.get(parent, {}).values())

    def are_expected(self, order: Order) -> bool:
        """Whether the broker holds, or held, legs of it that it has not named yet."""
        is_moot = order.is_bare or order.status in (OrderStatus.PENDING, OrderStatus.REJECTED)
        if not order.request.legs or is_moot or (order.status.is_terminal and not order.filled_quantity):
            return False
        return not self.of(order.id)

    def lack_some(self, order: Order) -> bool:
        """Whether only some of the legs on its ticket are known, as after a crash between two."""
        known = {leg.role for leg in self.of(order.id)}
        return bool(known) and not known.issuperset(leg.role for leg in order.request.legs)

    def parents_of_unnamed(self, symbol: Symbol) -> tuple[Order, ...]:
        """Return the orders of a symbol whose legs the broker may have created and has not named yet."""
        return tuple(
            o
            for o in self.index.orders.values()
            if o.request.symbol == symbol
            and (self.are_expected(o) or (o.request.legs and o.status is OrderStatus.PENDING))
        )

    def is_held(self, order: Order) -> bool:
        """Whether it is a leg whose entry is not filled: it protects nothing and reserves no shares.

        An entry that the broker calls filled has activated its legs, whatever its filled quantity.
        """
        parent = self._made_with(order)
        if parent is None or parent.end_code is EndCode.FILLED_SHORT:
            return False
        return not parent.only_reduces and parent.remaining > 0

    def left_to_legs(self, symbol: Symbol, strategy: str, but: Order | None = None) -> Quantity:
        """Return the shares of entries that their own legs are to protect.

        If another stop reserved them, the broker would refuse those legs (EX-13).
        """
        entries = (
            o
            for o in self.index.orders.values()
            if (o.request.symbol, o.strategy) == (symbol, strategy)
            and o.request.legs
            and not o.only_reduces
            and not o.is_bare
            and o is not but
            and (o.is_working or self.are_expected(o))
        )
        return Quantity(sum((entry.filled_quantity for entry in entries), ZERO))

    def is_orphan(self, leg: Order) -> bool:
        """Whether a leg has nothing to wait for: its entry ended unfilled, or its sibling is filled."""
        parent = self._made_with(leg)
        is_cut_off = self.is_held(leg) and parent is not None and parent.status.is_terminal
        return is_cut_off or any(sibling.status is OrderStatus.FILLED for sibling in self.oco_siblings(leg))

    def oco_siblings(self, order: Order) -> tuple[Order, ...]:
        """Return the other orders of its pair: a fill or cancel of one makes the broker cancel the other."""
        if not order.is_target and order.role is None:
            return ()
        pair = list(self.of(order.id if order.role is None else order.parent or order.id))
        parent = self._made_with(order)
        if parent is not None and parent.is_target:
            pair.append(parent)
        return tuple(o for o in pair if o is not order)

    def _made_with(self, leg: Order) -> Order | None:
        return self.index.orders.get(leg.parent) if leg.role is not None and leg.parent is not None else None

    def leaves_it_to_its_stop(self, order: Order) -> bool:
        """Whether a target's shares are claimed by its stop; an OCO claims them itself until its stop is known."""
        return order.is_target and (order.role is LegRole.TARGET or bool(self.of(order.id)))
