"""The realized profit of a fill: the one formula of the ledger, the reports and the history (AN-01)."""

from __future__ import annotations

from decimal import Decimal

from core.model.instrument import Instrument
from core.model.values import ZERO, Money, Price, Quantity


def closed_by(held: Decimal, signed: Decimal) -> Quantity:
    """Return how much of a position a fill closes; both are signed, and the fill may go through zero."""
    return Quantity(min(abs(held), abs(signed)) if held * signed < 0 else ZERO)


def realised(
    instrument: Instrument, held: Decimal, average: Price | None, signed: Decimal, price: Price, fee: Money
) -> Money:
    """Return the profit of a fill against the position's average price, less its fee, USD.

    Parameters
    ----------
    held, average
        The signed position before the fill, and its average price; without an average only the fee counts.
    signed
        What the fill bought, above zero, or sold.
    """
    closes = closed_by(held, signed)
    if not closes or average is None:
        return Money(-fee)
    sign = 1 if held > 0 else -1
    return Money(sign * (instrument.cost(closes, price) - instrument.cost(closes, average)) - fee)
