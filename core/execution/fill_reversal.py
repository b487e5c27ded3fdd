"""Undo fills that the broker took back: what a position, its result and its trade are without them (EX-05, EX-09).

An exit's shares are held again at the cost at which they had left. An entry's shares leave at the cost at which they
came. Where neither can be undone as such (shares of a busted entry that were sold meanwhile, or fills of a trade before
the last one), the reversal counts as a trade in the other direction at the same price, so that shares, cash and the sum
of the results agree with the broker's.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from core.execution.ledger_state import EndedPosition, LedgerState, position_key
from core.execution.order import Order
from core.model.order import Side
from core.model.position import AnyTrade, Position, moved, realised
from core.model.values import NO_MONEY, ZERO, ClientOrderId, Money, Price, Quantity


class Reversal(NamedTuple):
    """What is after it: the position, None if flat; the change of the realised profit, USD; the trade of these fills.

    `undone` is the trade as it was recorded; `corrected` is the same trade at its corrected price, None if it is open
    again.
    """

    position: Position | None
    realised: Money
    undone: AnyTrade | None = None
    corrected: AnyTrade | None = None


def cost_taken_back(order: Order, quantity: Quantity, average: Price | None) -> Money:
    """Return the cost that `quantity` shares of an order counted, by the broker's `average` of what is left, USD.

    Without that average each share counts the order's own.
    """
    left = order.filled_quantity - quantity
    if not left:
        return order.filled_cost
    if average is None:
        return Money(order.filled_cost * quantity / order.filled_quantity)
    return Money(order.filled_cost - order.request.instrument.cost(left, average))


def reversal_of(books: LedgerState, order: Order, quantity: Quantity, cost: Money) -> Reversal:
    """Return what the books are without `quantity` shares of the order's fills that had counted `cost` USD."""
    key = position_key(order.request.symbol, order.strategy)
    held, ended = books.positions.get(key), books.ended.get(key)
    if ended is not None and (
        order.ended_at is None or order.ended_at > ended.at or not _has_filled_in(ended.before, order)
    ):
        ended = None  # its fills came after that trade, or before it
    sign = 1 if order.request.side is Side.BUY else -1
    if ended is not None and not quantity:
        return _repriced(order, ended, held, cost, sign)
    if order.only_reduces and ended is not None:
        return _reopened(order, ended, held, quantity, cost, sign)
    if ended is None and held is not None and _has_filled_in(held, order):
        if order.only_reduces and held.quantity * sign < 0:
            return _exit_undone(order, held, quantity, cost, sign)
        if not order.only_reduces and held.quantity * sign >= quantity:
            return _entry_undone(order, held, quantity, cost, sign)
    return _countered(order, held, quantity, cost, sign) if quantity else Reversal(held, Money(sign * cost))


def _has_filled_in(position: Position, order: Order) -> bool:
    """Whether it filled since the position was opened."""
    return order.last_filled_at is not None and order.last_filled_at >= position.began


def _repriced(order: Order, ended: EndedPosition, held: Position | None, cost: Money, sign: int) -> Reversal:
    """Correct the price of a fill whose trade has ended: its prices and its profit change by `cost`."""
    trade, change = ended.trade, Money(sign * cost)
    by_share, is_exit = trade.instrument.price_of(trade.quantity, cost), order.only_reduces
    after = replace(
        trade,
        entry_price=trade.entry_price if is_exit else Price(trade.entry_price - by_share),
        exit_price=Price(trade.exit_price - by_share) if is_exit else trade.exit_price,
        profit=Money(trade.profit + change),
        slippage=Money(trade.slippage - change),
    )
    return Reversal(held, change, trade, after)


def _reopened(
    order: Order, ended: EndedPosition, held: Position | None, quantity: Quantity, cost: Money, sign: int
) -> Reversal:
    """Hold shares of an ended trade again, beside those bought since: one trade ends with the last of them."""
    basis = Money(ended.before.cost * quantity / abs(ended.before.quantity))
    again = replace(
        ended.after,
        quantity=Quantity(-sign * quantity),
        cost=basis,
        left=Quantity(ended.after.left - quantity),
        proceeds=Money(ended.after.proceeds - cost),
        intended_proceeds=Money(ended.after.intended_proceeds - _intended(order, quantity, cost)),
    )
    if held is not None and held.quantity * again.quantity > 0:
        again = _together(held, again)
    elif held is not None:
        return _countered(order, held, quantity, cost, sign)
    return Reversal(again, Money(sign * (cost - basis)), ended.trade)


def _exit_undone(order: Order, held: Position, quantity: Quantity, cost: Money, sign: int) -> Reversal:
    basis = Money(held.cost * quantity / abs(held.quantity))
    after = replace(
        held,
        quantity=Quantity(held.quantity - sign * quantity),
        cost=Money(held.cost + basis),
        left=Quantity(held.left - quantity),
        proceeds=Money(held.proceeds - cost),
        intended_proceeds=Money(held.intended_proceeds - _intended(order, quantity, cost)),
    )
    return Reversal(after, Money(sign * (cost - basis)))


def _entry_undone(order: Order, held: Position, quantity: Quantity, cost: Money, sign: int) -> Reversal:
    """Leave the fills out of the position. Shares of it that were sold before are measured by the new average."""
    entered, entry_cost = Quantity(held.entered - quantity), Money(held.entry_cost - cost)
    left = Quantity(held.quantity - sign * quantity)
    its_cost = Money(held.cost - cost) if not held.left else Money(entry_cost * abs(left) / entered)
    gained = Money(sign * ((held.entry_cost - held.cost) - (entry_cost - its_cost)))
    if not left:
        return Reversal(None, gained)
    after = replace(
        held,
        quantity=left,
        cost=its_cost,
        entered=entered,
        entry_cost=entry_cost,
        intended_cost=Money(held.intended_cost - _intended(order, quantity, cost)),
    )
    return Reversal(after, gained)


def _countered(order: Order, held: Position | None, quantity: Quantity, cost: Money, sign: int) -> Reversal:
    """Count a trade in the other direction at the same price, through zero where more leaves than is held."""
    instrument, signed = order.request.instrument, Quantity(-sign * quantity)
    price = instrument.price_of(quantity, cost)
    before, average = (ZERO, None) if held is None else (held.quantity, held.average_price)
    gained = realised(instrument, before, average, signed, price, NO_MONEY)
    net = Quantity(before + signed)
    if not net:
        return Reversal(None, gained)
    if held is not None and held.quantity * net > 0:
        return Reversal(moved(held, signed, price, None), gained)
    worth = instrument.cost(Quantity(abs(net)), price)
    opened = Position(
        order.request.symbol, order.strategy, order.ended_at or order.created_at, ClientOrderId(""), net, worth,
        Quantity(abs(net)), worth, worth, traded=None if held is None else held.traded,
    )  # fmt: skip
    return Reversal(opened, gained)


def _together(one: Position, other: Position) -> Position:
    return replace(
        one,
        opened_at=min(one.opened_at, other.opened_at),
        heard_at=other.heard_at or one.heard_at,
        quantity=Quantity(one.quantity + other.quantity),
        cost=Money(one.cost + other.cost),
        entered=Quantity(one.entered + other.entered),
        entry_cost=Money(one.entry_cost + other.entry_cost),
        intended_cost=Money(one.intended_cost + other.intended_cost),
        left=Quantity(one.left + other.left),
        proceeds=Money(one.proceeds + other.proceeds),
        intended_proceeds=Money(one.intended_proceeds + other.intended_proceeds),
        fees=Money(one.fees + other.fees),
    )


def _intended(order: Order, quantity: Quantity, cost: Money) -> Decimal:
    return cost if order.intended_price is None else order.request.instrument.cost(quantity, order.intended_price)
