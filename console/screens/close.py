"""`c`: how much of a position is to be closed. Enter stages what the line says, all of it at first; a ticket follows.

1 to 4 choose quarters. A number of shares begins with `=`, so that a quarter is never taken for a share. No digit acts
by itself: what Enter would stage stands on the screen.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import ROUND_CEILING, Decimal

from console.screens.behind import Behind
from console.screens.numbers import number_in
from console.screens.typing import Field, FieldsScreen
from core.inputs import WHOLE
from core.model.values import Fraction, plain, rounded_down
from core.views import DeskView, PositionRow
from widgets import format as f
from widgets.lines import Cell, TextLine

QUARTERS = ("1", "2", "3", "4")
SHARES, SHARES_ALONE = "=", ("0", ".")
PRECISE = Decimal("1E-18")
ONE_SHARE, LEAST = Decimal(1), Decimal("1E-9")
"""The steps of a quantity: whole shares, or the least fraction that is written."""


class CloseScreen(FieldsScreen):
    """`act` stages the close of that part."""

    def __init__(self, behind: Behind, row: PositionRow, act: Callable[[Fraction], None]) -> None:
        field = Field("Part", "1–4 quarters, = and shares")
        super().__init__(behind, f"Close ─ {row.symbol}, {f.quantity(row.quantity)} held", [field], "stages it")
        self.row: PositionRow | None = row
        self.act = act

    def update_view(self, view: DeskView, _now: datetime) -> None:
        key = self.row.key if self.row is not None else ""
        self.row = next((row for row in view.positions if row.key == key), None)
        self.draw()

    def write(self, text: str) -> None:
        """Another quarter replaces the one before; after `=` come digits and a point.

        What begins with 0 or a point can only be shares. After anything else that is no quarter no part is chosen:
        of `25` its first key alone would be half of the position.
        """
        field = self.fields[0]
        if text.startswith(SHARES):
            field.text = ""
            super().write(text)
        elif field.text.startswith(SHARES):
            super().write(text)
        elif text.startswith(SHARES_ALONE):
            field.text, field.is_fresh = SHARES, False
            super().write(text)
        elif text in QUARTERS:
            field.text, field.is_fresh = text, False
            self._changed()
        else:
            field.text, field.is_fresh = SHARES, False
            self._changed()
            self.refuse("1, 2, 3 or 4 quarters; a number of shares begins with =")

    def preview(self) -> list[TextLine]:
        if self.row is None:
            return [(Cell("nothing is held any more", "warning"),)]
        part = self._part()
        if part is None:
            return [(Cell("how many shares?", "muted"),)]
        held = abs(self.row.quantity)
        closes = self._shares(part)
        words = "all of it" if part >= 1 else f"{plain(closes)} of {plain(held)} {self.row.symbol}"
        cells = (Cell("Enter stages the close of ", "muted"), Cell(words, "strong"))
        return [(*cells, Cell("; its ticket asks for the key", "muted"))]

    def _shares(self, part: Fraction) -> Decimal:
        view, row = self.behind.view, self.row
        if view is None or row is None or part >= 1:
            return abs(row.quantity) if row is not None else Decimal(0)
        is_whole = any(known.symbol == row.symbol and not known.is_fractionable for known in view.symbols)
        return rounded_down(abs(row.quantity) * part, ONE_SHARE if is_whole else LEAST)

    def _part(self) -> Fraction | None:
        """None while no number stands behind `=`."""
        text = self.fields[0].text
        if not text or self.row is None:
            return WHOLE
        if text in QUARTERS:
            return Fraction(Decimal(text) / 4)
        shares = number_in(text.removeprefix(SHARES))
        if shares is None:
            return None
        held = abs(self.row.quantity)
        return WHOLE if shares >= held else Fraction((shares / held).quantize(PRECISE, ROUND_CEILING))

    def accept(self) -> None:
        part = self._part()
        if self.row is None:
            self.dismiss()
        elif part is None:
            self.refuse("a number of shares above zero, as in =15 or =0.5")
        elif not self._shares(part):
            self.refuse(f"that is less than one share of {self.row.symbol}")
        else:
            self.dismiss()
            self.act(part)
