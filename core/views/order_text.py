"""An order in words: what it trades and by which terms, its legs, and what it is for."""

from __future__ import annotations

from core.model.order import LegRole, OrderRequest, OrderType
from core.model.values import ZERO, plain, priced


def order_in_words(order: OrderRequest) -> str:
    """`BUY 47 SPY limit 166.76`, and that it acts in extended hours too."""
    return f"{order.side.value.upper()} {plain(order.quantity)} {order.symbol} {terms_in_words(order)}"


def terms_in_words(order: OrderRequest) -> str:
    """`limit 166.76`, and that it acts in extended hours too."""
    return f"{_terms(order)}{' in extended hours too' if order.extended_hours else ''}"


def _terms(order: OrderRequest) -> str:
    """`limit 166.76`, `stop 48.43 limit 48.40`, `trailing stop 1.50 behind`, `trailing stop 2 % behind`."""
    if order.trail_price is not None:
        return f"trailing stop {priced(order.trail_price)} behind"
    if order.trail_fraction is not None:
        return f"trailing stop {plain(order.trail_fraction * 100)} % behind"
    words = [order.type.value] if order.type is OrderType.MARKET else []
    if order.stop_price is not None:
        words.append(f"stop {priced(order.stop_price)}")
    if order.limit_price is not None:
        words.append(f"limit {priced(order.limit_price)}")
    return " ".join(words)


def with_legs_in_words(order: OrderRequest) -> str:
    """`BUY 47 SPY limit 166.76, with it stop 166.26 and target 170`."""
    legs = [
        f"target {priced(leg.limit_price or ZERO)}"
        if leg.role is LegRole.TARGET
        else f"stop {priced(leg.stop_price or ZERO)}"
        for leg in order.legs
    ]
    return order_in_words(order) + (f", with it {' and '.join(legs)}" if legs else "")


def purpose_in_words(order: OrderRequest) -> str:
    """`to open`, or whose place it takes."""
    return f"to {order.effect.value}" if order.replaces is None else f"in the place of {order.replaces}"
