"""`m`: move the stop held by the broker, or add a stop for shares without one.

The input is a price, `0` for break-even, or `1atr` to move the stop that many average true ranges nearer; that never
moves a stop away. The change is staged and gets a ticket like any order.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from console.order_form.draft import number_in
from console.screens.dialog_host import DialogHost
from console.screens.text_fields import FieldsScreen, TextField
from core.model.order import StopHolder
from core.model.symbols import small_letters
from core.model.values import Price, plain
from core.views import DeskView, PositionRow
from widgets import format as f
from widgets.lines import Cell, TextLine

BREAK_EVEN, RANGES = "0", "atr"
HOW = "a price in USD for one share, 0 for break-even, or 1atr to move it so much nearer"


class MoveStopScreen(FieldsScreen):
    """`act` stages the new price, `tighten` one that only moves stops nearer."""

    def __init__(
        self, behind: DialogHost, row: PositionRow, act: Callable[[Price], None], tighten: Callable[[Price], None]
    ) -> None:
        field = TextField("New stop", "USD; 0 is break-even, 1atr nearer")
        what = "Move the stop" if row.holder is StopHolder.BROKER else "A new stop"
        super().__init__(behind, f"{what} ─ {row.symbol} {f.quantity(row.quantity)}", [field], "stages it")
        self.row: PositionRow | None = row
        self.symbol = row.symbol
        self.act = act
        self.tighten = tighten

    def update_view(self, view: DeskView, _now: datetime) -> None:
        key = self.row.key if self.row is not None else ""
        self.row = next((row for row in view.positions if row.key == key), None)
        self.draw()

    def preview(self) -> list[TextLine]:
        row = self.row
        if row is None:
            return [(Cell("nothing is held any more", "warning"),)]
        prices = prices_of(row, self.behind.engine_now())
        lines: list[TextLine] = [(Cell("stop now ", "muted"), stop_now(row))]
        if row.holder is StopHolder.BROKER:
            lines = [(*lines[0], Cell("   "), *prices)]
        else:
            lines.append(prices)
        price = self._price(row)
        if isinstance(price, str):
            return [*lines, (Cell(price, "warning"),)] if self._ranges is not None else lines
        lines += self._staged(row, price)
        if _acts_at_once(row, price):
            lines.append((Cell("at or beyond the last price seen: it may act at once", "warning"),))
        return lines

    @property
    def _text(self) -> str:
        return self.fields[0].text.strip()

    @property
    def _ranges(self) -> Decimal | None:
        """The typed number of average true ranges; None for other input."""
        typed = small_letters(self._text)
        return number_in(typed.removesuffix(RANGES)) if typed.endswith(RANGES) else None

    def _price(self, row: PositionRow) -> Price | str:
        """Return the typed price, or the error text."""
        if self._text == BREAK_EVEN:
            ticks, is_long = row.instrument.ticks, row.quantity > 0
            return row.break_even or ticks.break_even(row.average_price, is_long=is_long)
        if (ranges := self._ranges) is not None:
            return _nearer(row, ranges)
        price = number_in(self._text)
        return Price(price) if price is not None else HOW

    def _staged(self, row: PositionRow, price: Price) -> list[TextLine]:
        """Spell out what Enter would stage."""
        stop = f"stop {f.price(price)} USD"
        if (ranges := self._ranges) is None:
            return _staged(row, f"{stop}, break-even" if self._text == BREAK_EVEN else stop)
        way = f", {plain(ranges)} ATR of {f.price(row.average_range)} USD nearer"
        return [(Cell("Enter stages ", "muted"), Cell(stop, "strong"), Cell(way))]

    def accept(self) -> None:
        if self.row is None:
            self.dismiss()
            self.behind.say(f"no stop was moved: nothing of {self.symbol} is held any more", "warning")
            return
        price = self._price(self.row)
        if isinstance(price, str):
            self.refuse(price)
        else:
            (self.act if self._ranges is None else self.tighten)(price)


def _nearer(row: PositionRow, ranges: Decimal) -> Price | str:
    """Return the price that many average true ranges nearer to the market than the farthest stop."""
    if row.holder is not StopHolder.BROKER or row.stop_price is None:
        return "no stop of it works at the broker: type a price"
    if row.average_range is None:
        return f"too few minutes of {row.symbol} were heard for an average range: type a price"
    way = ranges * row.average_range
    price = row.stop_price + way if row.quantity > 0 else row.stop_price - way
    return row.instrument.ticks.rounded(price) if price > 0 else "there is no price so far down"


def prices_of(row: PositionRow, now: datetime) -> TextLine:
    """Show the average price and the last price."""
    age = f", {f.age(row.last_at, now)} old" if row.last_at is not None else ""
    return (
        Cell("paid ", "muted"),
        Cell(f"{f.price(row.average_price)} USD"),
        Cell("   last ", "muted"),
        Cell(f"{f.at_tick(row.last)} USD{age}"),
    )


def stop_now(row: PositionRow) -> Cell:
    """Show where a stop works, or that none does: a price alone would look like protection."""
    if row.holder is StopHolder.BROKER:
        nearer = f", and {', '.join(map(f.price, row.nearer_stops))}" if row.nearer_stops else ""
        return Cell(f"{f.price(row.stop_price)} USD{nearer}")
    if row.holder is StopHolder.DESK:
        return Cell(f"none at the broker; manual stop at {f.price(row.stop_price)} USD", "warning")
    return Cell("none at the broker", "warning")


def _staged(row: PositionRow, stop: str) -> list[TextLine]:
    """Say what Enter would stage: a working stop moves; shares without one get one (OP-06)."""
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
