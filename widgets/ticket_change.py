"""The part of a ticket about the order that it replaces: the change, and its effect on the result."""

from __future__ import annotations

from decimal import Decimal

from core.model.order import OrderRequest, Side
from core.model.values import plain
from core.views import ReplacedView
from widgets import format as f
from widgets.lines import Cell, TextLine


def change_in_words(order: OrderRequest, replaced: ReplacedView) -> str:
    """Format `27 IBM stop 178.20 → 180.02 (break-even)`; unchanged values appear once."""
    word, price = ("stop", order.stop_price) if order.type.is_stop else ("limit", order.limit_price)
    moved = f.price(price) if price == replaced.price else f"{f.price(replaced.price)} → {f.price(price)}"
    left = replaced.quantity - replaced.filled_quantity
    quantity = plain(order.quantity) if order.quantity == left else f"{plain(left)} → {plain(order.quantity)}"
    side = "" if order.type.is_stop else f"{f.side_word(order.side)} "
    return f"{side}{quantity} {order.symbol} {word} {moved}{_break_even(order, replaced)}"


def change_lines(replaced: ReplacedView) -> list[TextLine]:
    """Return the filled quantity of the old order, and the position's result at the stop before and after."""
    lines: list[TextLine] = []
    if replaced.filled_quantity:
        lines.append((Cell(f"{plain(replaced.filled_quantity)} of {plain(replaced.quantity)} are filled already"),))
    before, after = replaced.result_before, replaced.result_after
    if before is not None and after is not None:
        worse = (Cell("  WORSE than before", "warning"),) if after < before else ()
        lines.append((Cell("at it  ", "muted"), Cell(f"{_result(before)} → {_result(after)}"), *worse))
    return lines


def _break_even(order: OrderRequest, replaced: ReplacedView) -> str:
    average = replaced.average_price
    if average is None or order.stop_price is None:
        return ""
    paid = order.instrument.ticks.break_even(average, replaced.fee, is_long=order.side is Side.SELL)
    return " (break-even)" if order.stop_price == paid else ""


def _result(amount: Decimal) -> str:
    """Format the result at the stop, such as `lose 49.14 USD` or `gain 12.00 USD`."""
    return f"{'lose' if amount < 0 else 'gain'} {f.money(abs(amount))} USD"
