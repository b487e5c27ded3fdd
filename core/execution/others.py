"""Orders of somebody else's: those that hold shares which this desk would close are named and left alone (EX-09); those
that could open go with a kill (OP-07).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from core.execution.ledger import Ledger
from core.model.broker import BrokerPicture, ForeignOrder, OrderReport, UnreadableOrder
from core.model.order import OrderRequest, Side
from core.model.values import ZERO, BrokerOrderId, ClientOrderId, Quantity, Symbol, plain


@dataclass(frozen=True, slots=True)
class Other:
    """An order that works at the broker and is not this desk's; `words` say what it is.

    `may_open` is true wherever nobody knows better.
    """

    broker_order_id: BrokerOrderId
    client_order_id: ClientOrderId | None
    symbol: Symbol | None
    words: str
    state: str
    may_open: bool


def others_in(picture: BrokerPicture, readable: Iterable[OrderReport], ledger: Ledger) -> Iterator[Other]:
    """All of them, whatever can be read of them; of several legs the whole stands for each."""
    for report in readable:
        yield other_of(report, ledger)
    legs = {leg for order in picture.foreign_orders for leg in order.legs}
    for foreign in picture.foreign_orders:
        if foreign.broker_order_id not in legs:
            yield _of_another_kind(foreign)
    for unreadable in picture.unreadable:
        yield _unreadable(unreadable)


def other_of(report: OrderReport, ledger: Ledger) -> Other:
    return Other(
        report.broker_order_id,
        report.client_order_id,
        report.symbol,
        f"{report.side.value.upper()} {plain(report.quantity)} {report.symbol} {_terms(report)}",
        report.raw_status,
        _may_open(report, ledger),
    )


def _of_another_kind(order: ForeignOrder) -> Other:
    return Other(
        order.broker_order_id, order.client_order_id, order.symbol, order.words, order.raw_status, order.may_open
    )


def _unreadable(order: UnreadableOrder) -> Other:
    return Other(order.broker_order_id, order.client_order_id, order.symbol, order.reason, "cannot be read", True)


def _terms(report: OrderReport) -> str:
    prices = [plain(price) for price in (report.limit_price, report.stop_price) if price is not None]
    return " ".join([report.type.value, *prices, report.time_in_force.value])


def _may_open(order: OrderReport, ledger: Ledger) -> bool:
    """Whether it is for more than what is held the other way, or against nothing that is held.

    A leg that waits for its entry goes with that; one that may be of an order of ours is looked up first.
    """
    if order.raw_status == "held" or ledger.parents_of_unnamed(order.symbol):
        return False
    held = ledger.net_quantity(order.symbol)
    closable = held if order.side is Side.SELL else -held
    return _left(order) > closable


def held_by_others(others: Iterable[OrderReport], symbol: Symbol, side: Side) -> str:
    """Which of them would close the same shares, and what to do; empty where none does."""
    holding = [order for order in others if (order.symbol, order.side) == (symbol, side)]
    named = ", ".join(
        f"{order.side.value} {order.type.value} {plain(_left(order))} {symbol} (order {order.broker_order_id[:8]})"
        for order in holding
    )
    return f"somebody else's {named} holds the shares: cancel it at the broker first" if holding else ""


def in_the_way_of(order: OrderRequest, others: Iterable[OrderReport], ledger: Ledger) -> str:
    """What keeps the broker from taking this exit, in the same words; empty where enough shares are free."""
    others = tuple(others)
    if not order.effect.only_reduces:
        return ""
    taken = sum((_left(o) for o in others if (o.symbol, o.side) == (order.symbol, order.side)), ZERO)
    is_free = order.quantity <= abs(ledger.net_quantity(order.symbol)) - taken
    return "" if is_free else held_by_others(others, order.symbol, order.side)


def _left(order: OrderReport) -> Quantity:
    return Quantity(order.quantity - order.filled_quantity)
