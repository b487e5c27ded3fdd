"""The terms of an order that a broker may change (EX-13)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from core.model.order import AnyOrder, OrderType, TimeInForce
from core.model.values import Fraction, Price, Quantity, plain

if TYPE_CHECKING:
    from core.model.broker import OrderReport


@dataclass(frozen=True, slots=True)
class StatedTerms:
    """The terms of an order. `stop_price` is None for a trailing stop, because its level is not a term."""

    quantity: Quantity
    type: OrderType
    time_in_force: TimeInForce
    limit_price: Price | None
    stop_price: Price | None
    trail_price: Price | None
    trail_fraction: Fraction | None
    extended_hours: bool

    @classmethod
    def of_order(cls, order: AnyOrder) -> StatedTerms:
        return cls(
            order.quantity,
            order.type,
            order.time_in_force,
            order.limit_price,
            order.stop_price,
            order.trail_price,
            order.trail_fraction,
            order.extended_hours,
        )

    @classmethod
    def of_report(cls, report: OrderReport, known: StatedTerms) -> StatedTerms:
        """Return the broker's terms; an unknown value is replaced with the known one."""
        kind = report.type or known.type
        return cls(
            report.quantity,
            kind,
            report.time_in_force or known.time_in_force,
            report.limit_price,
            known.stop_price if kind.trails else report.stop_price,
            report.trail_price,
            report.trail_fraction,
            report.extended_hours,
        )

    def suits(self, order: AnyOrder) -> bool:
        """Return whether an order of ours can have these terms."""
        try:
            self.of(order)
        except ValueError:
            return False
        return True

    def of(self, order: AnyOrder) -> AnyOrder:
        """Return the order with these terms. Raises ValueError if no order can have them."""
        return replace(
            order,
            quantity=self.quantity,
            type=self.type,
            time_in_force=self.time_in_force,
            limit_price=self.limit_price,
            stop_price=self.stop_price,
            trail_price=self.trail_price,
            trail_fraction=self.trail_fraction,
            extended_hours=self.extended_hours,
        )

    def changes(self, other: StatedTerms) -> list[tuple[str, object, object]]:
        """Return each term that differs: its name, the value here, and the other's."""
        pairs = ((name, getattr(self, name), getattr(other, name)) for name in self.__slots__)
        return [(name, mine, theirs) for name, mine, theirs in pairs if mine != theirs]

    def in_words(self, later: StatedTerms) -> str:
        """As in `stop price 510.84 → 498.00, limit price none → 545.00`."""
        changed = self.changes(later)
        return ", ".join(f"{name.replace('_', ' ')} {_term(old)} → {_term(new)}" for name, old, new in changed)


def _term(value: object) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    return "none" if value is None else str(getattr(value, "value", value))
