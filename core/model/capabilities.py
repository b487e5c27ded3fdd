"""A broker's order capabilities, beyond the properties of each instrument."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from core.model.order import OrderClass, OrderRequest, OrderType, StopHolder, TimeInForce
from core.model.staging import NoStop, StopPlan
from core.model.values import ZERO, plain


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Declared by each broker; the gate refuses unsupported orders (EX-12).

    Attributes
    ----------
    fractions
        Whether fractional shares trade at all; each instrument tells whether its own do.
    extended_hours
        Whether an order may act before the open and after the close (RK-20).
    replaces
        Whether an order can be replaced in one request.
    closing_only_at
        Value of positions as a multiple of equity at which the broker makes the account close-only; None if it has no
        such limit.
    short_over_ask
        A short sale uses buying power at a price this far over the ask, unless its limit is higher.
    messages_a_minute
        Requests per minute that it accepts for an account; None if not stated.
    tells_activities
        Whether it lists fees, dividends, transfers and splits, to be compared with the journal each day (AN-06).
    refuses_wash_trades
        Whether it refuses an order that could meet another of the account, by Alpaca's table (RK-25).
    """

    order_types: frozenset[OrderType] = frozenset(OrderType)
    order_classes: frozenset[OrderClass] = frozenset(OrderClass)
    times_in_force: frozenset[TimeInForce] = frozenset(TimeInForce)
    fractions: bool = True
    extended_hours: bool = True
    replaces: bool = True
    closing_only_at: Decimal | None = None
    short_over_ask: Decimal = ZERO
    refuses_wash_trades: bool = False
    messages_a_minute: int | None = None
    tells_activities: bool = False

    def lacking(self, order: OrderRequest) -> str | None:
        """Return the missing capability for this order as text; None if the broker accepts it."""
        if order.type not in self.order_types:
            return f"takes no {_word(order.type.value)} orders"
        if order.order_class not in self.order_classes:
            return f"takes no {order.order_class.value} orders"
        if order.time_in_force not in self.times_in_force:
            return f"takes no {order.time_in_force.value} orders"
        if not self.fractions and order.quantity != order.quantity.to_integral_value():
            return f"trades whole shares, and this is {plain(order.quantity)}"
        if order.extended_hours and not self.extended_hours:
            return "trades in the regular session alone"
        if order.replaces is not None and not self.replaces:
            return "replaces no order: cancel it, and type another"
        return None

    def lacking_to_guard(self, stop: StopPlan | NoStop) -> str | None:
        """Return the missing capability for a broker-held stop: without it the entry would be unprotected (OP-06)."""
        is_held_there = isinstance(stop, StopPlan) and stop.holder is StopHolder.BROKER
        return "holds no stop" if is_held_there and OrderType.STOP not in self.order_types else None


EVERYTHING = Capabilities()


def _word(name: str) -> str:
    return name.replace("_", "-")
