"""Share an amount among entries without a size, equally or by risk (RK-18).

Shares are rounded down to cents, so that they add up to the amount at most. What a row cannot take is given to no other
row: a skipped row's equal share stays undeployed, and an order that a check refuses is neither cut nor replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import ROUND_DOWN, Decimal

from core.model.basket import Deployment, DeploymentWeight
from core.model.lazy_dataclass import dataclass
from core.model.values import Money, Price, Symbol

CENT = Decimal("0.01")
HUNDRED = 100
NO_ATR = "no ATR of it is known yet, so its share by risk is not either; write a quantity, or deploy equally"
NO_PRICE = "no price of it is known yet, so its share by risk is not either; write a quantity, or deploy equally"
NO_RANGE = "its ATR is zero, so its share by risk would have no end; write a quantity, or deploy equally"


@dataclass(frozen=True, slots=True)
class Share:
    """An amount for one entry, USD, and how it was computed."""

    amount: Money
    words: str


def shares_of(
    deployment: Deployment,
    symbols: Sequence[Symbol],
    price: Callable[[Symbol], Price | None],
    atr: Callable[[Symbol], Price | None],
) -> list[Share | str]:
    """Return the share of each entry, or why it has none.

    Parameters
    ----------
    symbols
        One for each entry.
    price, atr
        The newest price, and the average true range in USD; None if unknown.
    """
    count = max(1, len(symbols))
    if deployment.weight is DeploymentWeight.EQUAL:
        return [Share(_cents(deployment.amount / count), "")] * len(symbols)
    ranges = [_range_of(price(symbol), atr(symbol)) for symbol in symbols]
    known = [each for each in ranges if not isinstance(each, str)]
    whole, amount = sum((1 / each for each in known), Decimal(0)), deployment.amount * len(known) / count
    return [
        each
        if isinstance(each, str)
        else Share(_cents(amount / each / whole), f", by 1 ÷ ATR of {HUNDRED * each:.3f} %")
        for each in ranges
    ]


def _range_of(price: Price | None, atr: Price | None) -> Decimal | str:
    """Return the average true range as a part of the price, or why there is none."""
    if price is None or price <= 0:
        return NO_PRICE
    if atr is None:
        return NO_ATR
    return atr / price if atr > 0 else NO_RANGE


def _cents(amount: Decimal) -> Money:
    return Money(amount.quantize(CENT, ROUND_DOWN))
