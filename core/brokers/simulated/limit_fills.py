"""The fill price of a limit: it meets the quote, never the middle (AN-04)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from core.model.instrument import STOCK_TICKS
from core.model.order import Side
from core.model.values import Price


def fill_of_a_limit(
    side: Side, limit: Price, reached: Iterable[Price], passed: Iterable[Price], slipped: Callable[[Price], Price]
) -> Price | None:
    """Return the worst of the quotes that it met, never worse than its limit; None if none of them is within.

    Parameters
    ----------
    reached
        Prices that an order on this side would have paid or received: asks for a buyer, bids for a seller.
    passed
        Such prices from before, where the market came from; they do not fill it now.
    slipped
        Adds slippage to a price.
    """
    quotes = tuple(reached)
    best, worst = (min, max) if side is Side.BUY else (max, min)
    if not is_within(side, best(quotes), limit):
        return None
    return best(limit, slipped(worst((*quotes, *passed))))


def is_within(side: Side, price: Price, limit: Price) -> bool:
    """Return whether an order with this limit may trade at that price."""
    return price <= limit if side is Side.BUY else price >= limit


def worse(price: Price, by: Decimal, side: Side) -> Price:
    """Return `price`, worsened by that much for this side, rounded to the next tick; never below one tick."""
    moved = price + by if side is Side.BUY else price - by
    tick = STOCK_TICKS.at(moved)
    rounded = moved.quantize(tick, ROUND_CEILING if side is Side.BUY else ROUND_FLOOR)
    return max(Price(rounded), Price(tick))
