"""Undo fills that the broker took back: what a position, its result and its trade are without them (EX-05, EX-09).

An exit's shares are held again at the cost at which they had left. An entry's shares leave at the cost at which they
came. Where neither can be undone as such (shares of a busted entry that were sold meanwhile, or fills of a trade before
the last one), the reversal counts as a trade in the other direction at the same price, so that shares, cash and the sum
of the results agree with the broker's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from core.execution.ledger_state import EndedPosition, LedgerState, position_key
from core.execution.order import Order
from core.model.order import Side, is_payout
from core.model.position import AnyTrade, Position, moved, realised
from core.model.values import NO_MONEY, ZERO, ClientOrderId, Money, Price, Quantity

SUMS = (
    "quantity", "cost", "entered", "entry_cost", "intended_cost", "left", "proceeds", "intended_proceeds",
)  # fmt: skip
"""What fills add up to in a position."""
NEGLIGIBLE = Decimal("0.000001")
"""USD by which divisions may differ."""


class Undone(NamedTuple):
    """A position, flat with a quantity of zero, and a realised profit, USD."""

    position: Position
    realised: Money


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
    if ended is not None and order.only_reduces:
        again = _without(books, ended.after, order, quantity, cost, ended.at) or _before_payout(ended, order, quantity)
        if again is not None and (held is None or held.quantity * again.position.quantity > 0):
            return Reversal(_together(held, again.position), again.realised, ended.trade)
    elif ended is None and held is not None and _has_filled_in(held, order):
        left = _without(books, held, order, quantity, cost)
        if left is not None:
            return Reversal(left.position if left.position.quantity else None, left.realised)
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


def _without(
    books: LedgerState, position: Position, order: Order, quantity: Quantity, cost: Money, until: datetime | None = None
) -> Undone | None:
    """Play the orders of a position with and without those fills, at average cost.

    None where they do not make it up (after a split or a correction, or where fills of two orders alternated), or where
    the other fills would go through zero.
    """
    its = [
        other
        for other in books.orders.values()
        if (other.request.symbol, other.strategy) == (position.symbol, position.strategy)
        and other.filled_quantity
        and _has_filled_in(position, other)
        and (until is None or (other.last_filled_at or until) <= until)
    ]
    its.sort(key=lambda other: other.last_filled_at or other.created_at)
    with_it = _played(position, [(other, other.filled_quantity, other.filled_cost) for other in its])
    rest = [
        (other, other.filled_quantity - quantity, other.filled_cost - cost)
        if other is order
        else (other, other.filled_quantity, other.filled_cost)
        for other in its
    ]
    without = _played(position, rest)
    if with_it is None or without is None or with_it.position.quantity != position.quantity:
        return None
    if abs(with_it.position.cost - position.cost) >= NEGLIGIBLE:
        return None
    sums: dict[str, Any] = {
        name: getattr(position, name) + getattr(without.position, name) - getattr(with_it.position, name)
        for name in SUMS
    }
    return Undone(replace(position, **sums), Money(without.realised - with_it.realised))


def _before_payout(ended: EndedPosition, order: Order, quantity: Quantity) -> Undone | None:
    """Return the position as it was before all its shares were paid out, whether or not its orders are in memory."""
    before = ended.before
    if not is_payout(order.id) or quantity != order.filled_quantity or quantity != abs(before.quantity):
        return None
    gained = (order.filled_cost - before.cost) * (1 if before.quantity > 0 else -1)
    return Undone(before, Money(-gained))


def _played(position: Position, fills: Sequence[tuple[Order, Decimal, Decimal]]) -> Undone | None:
    """Return what these fills, each with its shares and its cost, make of nothing; None if they go through zero."""
    nothing: dict[str, Any] = dict.fromkeys(SUMS, ZERO)
    now, gained = replace(position, **nothing), ZERO
    for order, shares, paid in fills:
        signed = shares if order.request.side is Side.BUY else -shares
        meant = _intended(order, Quantity(shares), Money(paid))
        net = Quantity(now.quantity + signed)
        if now.quantity * signed >= 0:
            now = replace(
                now,
                quantity=net,
                cost=Money(now.cost + paid),
                entered=Quantity(now.entered + shares),
                entry_cost=Money(now.entry_cost + paid),
                intended_cost=Money(now.intended_cost + meant),
            )
            continue
        if now.quantity * net < 0:
            return None
        kept = Money(now.cost * abs(net) / abs(now.quantity)) if net else NO_MONEY
        gained += (paid - (now.cost - kept)) * (1 if now.quantity > 0 else -1)
        now = replace(
            now,
            quantity=net,
            cost=kept,
            left=Quantity(now.left + shares),
            proceeds=Money(now.proceeds + paid),
            intended_proceeds=Money(now.intended_proceeds + meant),
        )
    return Undone(now, Money(gained))


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


def _together(one: Position | None, other: Position) -> Position:
    if one is None:
        return other
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
