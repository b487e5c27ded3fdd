"""What an exit does to our own orders that hold its shares, in words: a ticket and a plan say it alike (EX-21)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from core.desk import Desk
from core.execution.order import Order, nearest_first
from core.model.order import OrderRequest, Side
from core.model.staging import MandateKind
from core.model.values import ClientOrderId, Price, Quantity, plain, priced
from core.telling import order_in_words
from core.workflows.sales import Sales


def orders_in_the_way(desk: Desk, cancels: Iterable[ClientOrderId]) -> list[Order]:
    return [order for order_id in cancels if (order := desk.ledger.order(order_id)) is not None]


def quantity_after(desk: Desk, order: OrderRequest, strategy: str) -> Quantity:
    """What is held of its position once all of it is filled; negative for a short."""
    held = desk.ledger.position(order.symbol, strategy)
    signed = order.quantity if order.side is Side.BUY else -order.quantity
    return Quantity((held.quantity if held else Decimal(0)) + signed)


def cancelled_in_words(orders: Iterable[Order]) -> tuple[str, ...]:
    return tuple(order_in_words(order.request) for order in orders)


def put_back_in_words(desk: Desk, orders: Sequence[Order], left: Decimal) -> tuple[str, ...]:
    """`7 at 520.00`: the stops of a close that leaves something, as they are asked for again, the nearest first.

    Then those that an exit which makes way for it had taken out of its own way, and that are owed since.
    """
    stops = [(o.remaining, o.request.stop_price) for o in nearest_first(o for o in orders if o.is_protective)]
    return _shared_out([*stops, *_owed_after(desk, orders)], left)


def goes_back_in_words(desk: Desk, order: Order) -> tuple[str, ...]:
    """`6 at 99.00`: the stops that made way for a sale, and go back when this order of it is taken back."""
    is_guard = order.is_working and (order.is_protective or order.is_target)
    return _shared_out(_owed_after(desk, [order]), order.remaining) if is_guard else ()


def _owed_after(desk: Desk, orders: Iterable[Order]) -> list[tuple[Quantity, Price | None]]:
    sales, names = Sales(desk), {order.id for order in orders}
    uses = desk.stage.mandates(MandateKind.RESTORE_STOP)
    owed = [use for use in uses if not names.isdisjoint(order.id for order in sales.line(use))]
    return [(Quantity(sales.owed_at_most(use)), use.mandate.stop_price) for use in reversed(owed)]


def _shared_out(stops: Iterable[tuple[Quantity, Price | None]], left: Decimal) -> tuple[str, ...]:
    found: dict[Price, Decimal] = {}
    for quantity, price in stops:
        back = min(quantity, left)
        if back > 0 and price is not None:
            found[price] = found.get(price, Decimal(0)) + back
            left -= back
    return tuple(f"{plain(quantity)} at {priced(price)}" for price, quantity in found.items())


def lost_in_words(orders: Iterable[Order]) -> tuple[str, ...]:
    """Targets, and whatever else of them is no stop: nothing puts them back."""
    return cancelled_in_words(order for order in orders if not order.is_protective)
