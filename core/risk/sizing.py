"""How many shares: the one place where a risk in USD becomes a quantity (RK-02)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context, Decimal

from core.model.values import ZERO, Money, Price, Quantity

BY_RISK = "the risk of a trade"
BY_NOTIONAL = "the largest order"
BY_STEP = "buys less than the smallest quantity"
NO_RISK = "the risk of a trade is not known"

_DOWN = Context(prec=50, rounding=ROUND_FLOOR)
"""Every quotient is rounded down, so that what it yields never costs or risks more than allowed."""


@dataclass(frozen=True, slots=True)
class Size:
    """Shares, zero where none fit, and the term that limited them, in words."""

    quantity: Quantity
    limited_by: str


def quantity_for(
    risk: Money | None, price: Price, stop_fraction: Decimal, max_notional: Money | None, step: Decimal
) -> Size:
    """Shares that lose at most `risk` at the stop and cost at most `max_notional`, rounded down to `step` (RK-02).

    Quantity = risk ÷ (price × stop fraction), capped by max notional ÷ price. A stop that is rounded to its tick may
    stand half a tick further away; that and a gap through the stop are slippage.

    Parameters
    ----------
    risk
        USD lost when the stop fills at its price; None (it needs an equity that is not known) yields zero shares.
    price
        USD a share, above zero.
    stop_fraction
        Distance of the stop below the price, above zero: 0.003.
    max_notional
        USD an order may cost; None yields zero shares too, because an unknown cap is no permission.
    step
        Smallest part of a share.
    """
    if risk is None or risk <= ZERO:
        return Size(Quantity(ZERO), NO_RISK)
    if max_notional is None or max_notional <= ZERO:
        return Size(Quantity(ZERO), BY_NOTIONAL)
    by_risk = _DOWN.divide(risk, _DOWN.multiply(_DOWN.multiply(price, stop_fraction), step))
    by_notional = _DOWN.divide(max_notional, _DOWN.multiply(price, step))
    steps, limited_by = (by_notional, BY_NOTIONAL) if by_notional < by_risk else (by_risk, BY_RISK)
    whole = steps.to_integral_value(ROUND_FLOOR)
    if whole <= ZERO:
        return Size(Quantity(ZERO), f"{limited_by} {BY_STEP}")
    return Size(Quantity(whole * step), limited_by)
