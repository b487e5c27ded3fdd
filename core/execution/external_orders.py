"""External orders: those that reserve shares of this desk are named and left alone; a kill cancels possible entries.

EX-09, OP-07. One whose effect is unknown is named as a possible entry, and left: it could be a stop.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from core.execution.ledger import Ledger
from core.execution.order_status import idle_code
from core.model.broker import BrokerBooks, ForeignOrder, OrderReport, UnreadableOrder
from core.model.lazy_dataclass import dataclass
from core.model.order import OrderRequest, Side
from core.model.values import NO_SHARES, ZERO, BrokerOrderId, ClientOrderId, Price, Quantity, Symbol, plain

PENDING_CANCEL = "pending_cancel"
PAIRED = "a stop that is not listed may belong to it and ends with it; look at the broker before you cancel it"
"""The broker lists a leg of an old bracket without the waiting leg (EX-09)."""


@dataclass(frozen=True, slots=True)
class OtherOrder:
    """An external order that works at the broker; `words` describe it.

    `may_open` is true unless the contrary is known; `is_unread` tells that it is unknown because the order cannot be
    read. `opens` is the quantity beyond the opposite position, `price` its limit, else its stop price; None if unknown.
    """

    broker_order_id: BrokerOrderId
    client_order_id: ClientOrderId | None
    symbol: Symbol | None
    words: str
    state: str
    may_open: bool
    is_unread: bool = False
    opens: Quantity | None = None
    price: Price | None = None

    @property
    def is_cancelling(self) -> bool:
        """Whether the broker has a request to cancel it."""
        return self.state == PENDING_CANCEL


def others_in(books: BrokerBooks, readable: Iterable[OrderReport], ledger: Ledger) -> Iterator[OtherOrder]:
    """Yield all external orders, readable or not; an order with several legs counts once."""
    held = {ours.symbol: ours.quantity for ours in books.positions}
    for unread in books.unreadable_positions:
        if unread.symbol is not None:
            held[unread.symbol] = ledger.net_quantity(unread.symbol)
    held |= {foreign.symbol: foreign.quantity for foreign in books.foreign_positions}
    for report in readable:
        yield other_of(report, ledger, held.get(report.symbol, NO_SHARES))
    legs = {leg for order in books.foreign_orders for leg in order.legs}
    for foreign in books.foreign_orders:
        if foreign.broker_order_id not in legs:
            yield _of_another_kind(foreign, held)
    for unreadable in books.unreadable:
        yield _unreadable(unreadable, held, ledger)


def other_of(report: OrderReport, ledger: Ledger, held: Quantity | None = None) -> OtherOrder:
    """Return the external order of a report; `held` is the broker's quantity, if it was read together."""
    held = ledger.net_quantity(report.symbol) if held is None else held
    price = report.stop_price if report.limit_price is None else report.limit_price
    return OtherOrder(
        report.broker_order_id,
        report.client_order_id,
        report.symbol,
        f"{report.side_word.upper()} {plain(report.quantity)} {report.symbol} {_terms(report)}",
        report.raw_status,
        _may_open(report, ledger, held),
        opens=None if report.side is None else Quantity(_left(report) - max(ZERO, _closable(report.side, held))),
        price=price,
    )


def _of_another_kind(order: ForeignOrder, held: Mapping[Symbol, Quantity]) -> OtherOrder:
    may_open = order.may_open
    if may_open and order.symbol is not None and order.side is not None and order.left is not None:
        may_open = order.left > _closable(order.side, held.get(order.symbol, NO_SHARES))
    return OtherOrder(
        order.broker_order_id, order.client_order_id, order.symbol, order.words, order.raw_status, may_open
    )


def _unreadable(order: UnreadableOrder, held: Mapping[Symbol, Quantity], ledger: Ledger) -> OtherOrder:
    opens = _can_be_seen_to_open(order, held, ledger)
    return OtherOrder(
        order.broker_order_id,
        order.client_order_id,
        order.symbol,
        order.reason,
        "cannot be read",
        may_open=opens is not False,
        is_unread=opens is None,
    )


def _can_be_seen_to_open(order: UnreadableOrder, held: Mapping[Symbol, Quantity], ledger: Ledger) -> bool | None:
    """Judge by symbol, side, type and quantity whether it opens; None if they do not tell."""
    if order.closes:
        return False
    if order.symbol is None or order.side is None or order.type is None or ledger.legs.parents_of_unnamed(order.symbol):
        return None
    closable = _closable(order.side, held.get(order.symbol, NO_SHARES))
    if closable <= 0:
        return True
    return None if order.left is None else order.left > closable


def _terms(report: OrderReport) -> str:
    prices = [plain(price) for price in (report.limit_price, report.stop_price) if price is not None]
    return " ".join([report.type_word, *prices, report.time_in_force_word])


def _closable(side: Side, held: Quantity) -> Quantity:
    return held if side is Side.SELL else Quantity(-held)


def _may_open(order: OrderReport, ledger: Ledger, held: Quantity) -> bool:
    """Whether it is for more than the opposite position, or against no position.

    A leg that waits for its entry ends with that; one that may belong to an order of ours is looked up first.
    """
    if order.is_held or ledger.legs.parents_of_unnamed(order.symbol):
        return False
    return order.side is None or "quantity" in order.unread_terms or _left(order) > _closable(order.side, held)


def held_by_others(others: Iterable[OrderReport], symbol: Symbol, side: Side) -> str:
    """Name the external orders that would close the same shares, with advice; empty if there are none."""
    holding = [order for order in others if (order.symbol, order.side) == (symbol, side)]
    named = ", ".join(
        f"{order.side_word} {order.type_word} {plain(_left(order))} {symbol} (order {order.broker_order_id[:8]})"
        for order in holding
    )
    if not holding:
        return ""
    paired = [order for order in holding if order.hides_legs]
    advice = PAIRED if paired else "cancel it at the broker first"
    return f"somebody else's {named} holds the shares: {advice}"


def stopped_by_others(others: Iterable[OrderReport], symbol: Symbol, side: Side) -> Quantity:
    """Return the shares of the external stops on this side that trade and are not leaving."""
    stops = (o for o in others if (o.symbol, o.side) == (symbol, side) and o.type is not None and o.type.is_stop)
    working = (o for o in stops if not o.is_held and idle_code(o.raw_status) is None)
    return Quantity(sum(map(_left, working), ZERO))


def in_the_way_of(order: OrderRequest, others: Iterable[OrderReport], ledger: Ledger) -> str:
    """Return in the same words what blocks this exit at the broker; empty if enough shares are free."""
    others = tuple(others)
    if not order.effect.only_reduces:
        return ""
    taken = sum((_left(o) for o in others if (o.symbol, o.side) == (order.symbol, order.side)), ZERO)
    is_free = order.quantity <= abs(ledger.net_quantity(order.symbol)) - taken
    return "" if is_free else held_by_others(others, order.symbol, order.side)


def _left(order: OrderReport) -> Quantity:
    return Quantity(order.quantity - order.filled_quantity)
