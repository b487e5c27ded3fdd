"""Compute a position after a trade, or after a correction of an owner's part."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from core.facts import OwnerShare
from core.model.position import Position
from core.model.values import NO_MONEY, ZERO, Money, Price, Quantity


def moved(held: Position, signed: Quantity, price: Price, intended: Price | None, fee: Money = NO_MONEY) -> Position:
    """Return the position after `signed` more shares (bought above zero, sold below) at `price`, never through zero.

    `fee` is the additional fee, USD.
    """
    held = replace(held, fees=Money(held.fees + fee)) if fee else held
    amount, aimed = abs(signed), price if intended is None else intended
    paid, meant = held.instrument.cost(amount, price), held.instrument.cost(amount, aimed)
    if held.quantity == 0 or (held.quantity > 0) == (signed > 0):
        return replace(
            held,
            quantity=Quantity(held.quantity + signed),
            cost=Money(held.cost + paid),
            entered=Quantity(held.entered + amount),
            entry_cost=Money(held.entry_cost + paid),
            intended_cost=Money(held.intended_cost + meant),
        )
    rest = Quantity(held.quantity + signed)
    return replace(
        held,
        quantity=rest,
        cost=Money(held.cost * abs(rest) / abs(held.quantity)) if rest else Money(ZERO),
        left=Quantity(held.left + amount),
        proceeds=Money(held.proceeds + paid),
        intended_proceeds=Money(held.intended_proceeds + meant),
    )


def with_part(held: Position, share: OwnerShare) -> Position:
    """Return the position as if it was opened with this part; the same object if nothing changed."""
    if held.quantity and (held.quantity, held.average_price) == (share.quantity, share.average_price):
        return held
    size = Quantity(abs(share.quantity))
    cost = held.instrument.cost(size, share.average_price)
    return Position(
        held.symbol, held.strategy, held.opened_at, held.entry_order, share.quantity, cost, size, cost, cost,
        regime=held.regime, fees=held.fees, heard_at=held.heard_at, traded=held.traded,
    )  # fmt: skip


def split(held: Position, quantity: Quantity, ratio: Decimal) -> Position:
    """Return the position as `quantity` shares at the same total cost; opened and closed shares are multiplied too."""
    return replace(held, quantity=quantity, entered=Quantity(held.entered * ratio), left=Quantity(held.left * ratio))
