"""`m`: another price for the stop that the broker holds, and a stop for shares that have none there.

It is staged, and gets a ticket like any order.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from console.order_form.numbers import number_in
from console.screens.dialog_host import DialogHost
from console.screens.text_fields import FieldsScreen, TextField
from core.model.order import StopHolder
from core.model.values import Price
from core.views import DeskView, PositionRow
from widgets import format as f
from widgets.lines import Cell, TextLine

BREAK_EVEN = "0"


class MoveStopScreen(FieldsScreen):
    """`act` stages the new price."""

    def __init__(self, behind: DialogHost, row: PositionRow, act: Callable[[Price], None]) -> None:
        field = TextField("New stop", "USD a share; 0 is break-even")
        what = "Move the stop" if row.holder is StopHolder.BROKER else "A new stop"
        super().__init__(behind, f"{what} ─ {row.symbol} {f.quantity(row.quantity)}", [field], "stages it")
        self.row: PositionRow | None = row
        self.act = act

    def update_view(self, view: DeskView, _now: datetime) -> None:
        key = self.row.key if self.row is not None else ""
        self.row = next((row for row in view.positions if row.key == key), None)
        self.draw()

    def preview(self) -> list[TextLine]:
        row = self.row
        if row is None:
            return [(Cell("nothing is held any more", "warning"),)]
        age = f", {f.age(row.last_at, self.behind.engine_now())} old" if row.last_at is not None else ""
        prices = (
            Cell("paid ", "muted"),
            Cell(f"{f.price(row.average_price)} USD"),
            Cell("   last ", "muted"),
            Cell(f"{f.price(row.last)} USD{age}"),
        )
        lines: list[TextLine] = [(Cell("stop now ", "muted"), _stop_now(row))]
        if row.holder is StopHolder.BROKER:
            lines = [(*lines[0], Cell("   "), *prices)]
        else:
            lines.append(prices)
        price = self._price(row)
        if price is None:
            return lines
        name = ", break-even" if self.fields[0].text == BREAK_EVEN else ""
        lines += _staged(row, f"stop {f.price(price)} USD{name}")
        if _acts_at_once(row, price):
            lines.append((Cell("at or beyond the last price seen: it may act at once", "warning"),))
        return lines

    def _price(self, row: PositionRow) -> Price | None:
        text = self.fields[0].text.strip()
        if text == BREAK_EVEN:
            return row.instrument.ticks.break_even(row.average_price, is_long=row.quantity > 0)
        price = number_in(text)
        return Price(price) if price is not None else None

    def accept(self) -> None:
        if self.row is None:
            self.dismiss()
            return
        price = self._price(self.row)
        if price is None:
            self.refuse("a price in USD for one share, or 0 for break-even")
        else:
            self.dismiss()
            self.act(price)


def _stop_now(row: PositionRow) -> Cell:
    """Where a stop works, or that none does: a price alone would look like protection."""
    if row.holder is StopHolder.BROKER:
        nearer = f", and {', '.join(map(f.price, row.nearer_stops))}" if row.nearer_stops else ""
        return Cell(f"{f.price(row.stop_price)} USD{nearer}")
    if row.holder is StopHolder.DESK:
        return Cell(f"none at the broker; manual stop at {f.price(row.stop_price)} USD", "warning")
    return Cell("none at the broker", "warning")


def _staged(row: PositionRow, stop: str) -> list[TextLine]:
    """What Enter would stage: the stop that works moves; what has none gets one of its own (OP-06)."""
    lines: list[TextLine] = []
    if row.holder is StopHolder.BROKER:
        lines.append((Cell("Enter stages ", "muted"), Cell(stop, "strong")))
    if row.unprotected:
        have = f" for {f.quantity(row.unprotected)} that have none"
        lines.append((Cell("and" if lines else "Enter stages", "muted"), Cell(f" a new {stop}", "strong"), Cell(have)))
    return lines


def _acts_at_once(row: PositionRow, price: Price) -> bool:
    if row.last is None:
        return False
    return price >= row.last if row.quantity > 0 else price <= row.last
