"""At which price a limit is filled: it meets the quote, never the middle (AN-04)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from core.model.instrument import STOCK_TICKS
from core.model.order import Side
from core.model.values import Price


def fill_of_a_limit(
    side: Side, limit: Price, reached: Iterable[Price], passed: Iterable[Price], slipped: Callable[[Price], Price]
) -> Price | None:
    """The worst of the quotes that it met, and never worse than its limit; None where none of them is within.

    Parameters
    ----------
    reached
        What an order on this side would have paid or got: asks for a buyer, bids for a seller.
    passed
        Such prices from before, from which the market came; they fill nothing now.
    slipped
        What becomes of a price that is taken.
    """
    quotes = tuple(reached)
    best, worst = (min, max) if side is Side.BUY else (max, min)
    if not is_within(side, best(quotes), limit):
        return None
    return best(limit, slipped(worst((*quotes, *passed))))


def is_within(side: Side, price: Price, limit: Price) -> bool:
    """Whether an order with this limit may pay, or get, that price."""
    return price <= limit if side is Side.BUY else price >= limit


def worse(price: Price, by: Decimal, side: Side) -> Price:
    """`price`, that much worse for whoever trades on this side, and to the next tick; never below one tick."""
    moved = price + by if side is Side.BUY else price - by
    tick = STOCK_TICKS.at(moved)
    rounded = moved.quantize(tick, ROUND_CEILING if side is Side.BUY else ROUND_FLOOR)
    return max(Price(rounded), Price(tick))
