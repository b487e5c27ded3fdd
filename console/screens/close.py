"""`c`: how much of a position to close. Enter stages that quantity, all by default; a ticket follows.

Digits are shares, and a number with `%` is a part: `12` sells twelve shares, `25%` a quarter. Nothing is sent from
here: the line below spells out the quantity that Enter would stage.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from console.order_form.draft import number_in
from console.screens.dialog_host import DialogHost
from console.screens.text_fields import FieldsScreen, TextField
from core.model.values import NO_SHARES, Quantity, plain, rounded_down
from core.views import DeskView, PositionRow
from widgets import format as f
from widgets.lines import Cell, TextLine
from widgets.pane import put_title

PERCENT = "%"
HUNDRED = Decimal(100)
HALF = Decimal("0.5")
ONE_SHARE, LEAST = Decimal(1), Decimal("1E-9")
"""Steps of a quantity: whole shares, or the smallest fraction."""
HOW = "a number of shares above zero, as in 15 or 0.5; or a part, as in 25%"


class CloseScreen(FieldsScreen):
    """`act` stages the close of so many shares; None means all shares held by then."""

    def __init__(self, behind: DialogHost, row: PositionRow, act: Callable[[Quantity | None], None]) -> None:
        field = TextField("Shares", "or 25 / 50 / 75 %; empty is all")
        super().__init__(behind, _title(row), [field], "stages it")
        self.row: PositionRow | None = row
        self.symbol = row.symbol
        self.act = act

    def update_view(self, view: DeskView, _now: datetime) -> None:
        key = self.row.key if self.row is not None else ""
        self.row = next((row for row in view.positions if row.key == key), None)
        if self.row is not None:
            put_title(self.box, _title(self.row))
        self.draw()

    def preview(self) -> list[TextLine]:
        if self.row is None:
            return [(Cell("nothing is held any more", "warning"),)]
        wanted = self._wanted()
        if isinstance(wanted, str):
            return [(Cell(wanted, "warning"),)]
        held = abs(self.row.quantity)
        does = "SELL" if self.row.quantity > 0 else "BUY to cover"
        words = f"{does} {plain(wanted)} {self.row.symbol}"
        left = "all of it" if wanted == held else f"{plain(held - wanted)} of {plain(held)} stay"
        worth = (
            ""
            if self.row.last is None
            else f", about {f.money(self.row.instrument.notional(wanted, self.row.last))} USD"
        )
        return [
            (Cell("Enter stages ", "muted"), Cell(words, "strong"), Cell(f", {left}{worth}")),
            (Cell("its ticket asks for the key", "muted"),),
        ]

    def _wanted(self) -> Quantity | str:
        """Return the quantity of the input, or the error text."""
        text, row = self.fields[0].text.strip(), self.row
        held = Quantity(abs(row.quantity)) if row is not None else NO_SHARES
        if not text:
            return held
        number = number_in(text.removesuffix(PERCENT))
        if number is None:
            return HOW
        return self._part(number, held) if text.endswith(PERCENT) else self._shares(number, held)

    def _part(self, percent: Decimal, held: Quantity) -> Quantity | str:
        if percent > HUNDRED:
            return f"{plain(percent)} % is more than all of it"
        view, row = self.behind.view, self.row
        shares = part_of(view, row, percent / HUNDRED) if view is not None and row is not None else NO_SHARES
        return shares if shares else f"that is less than one share of {self._symbol}"

    def _shares(self, shares: Decimal, held: Quantity) -> Quantity | str:
        if shares > held:
            return f"{plain(held)} {self._symbol} are held: no more can be closed"
        step = self._step()
        if shares % step and shares != held:
            return "whole shares only" if step == ONE_SHARE else f"in steps of {plain(step)} shares"
        return Quantity(shares)

    @property
    def _symbol(self) -> str:
        return self.row.symbol if self.row is not None else ""

    def _step(self) -> Decimal:
        view, row = self.behind.view, self.row
        return LEAST if view is None or row is None else step_of(view, row)

    def accept(self) -> None:
        wanted = self._wanted()
        if self.row is None:
            self.dismiss()
            self.behind.say(f"no close was staged: nothing of {self.symbol} is held any more", "warning")
        elif isinstance(wanted, str):
            self.refuse("Enter did nothing")
        else:
            self.act(wanted if self.fields[0].text.strip() else None)


def _title(row: PositionRow) -> str:
    side = "long" if row.quantity > 0 else "short"
    return f"Close ─ {row.symbol}, {f.quantity(Quantity(abs(row.quantity)))} {side}"


def part_of(view: DeskView, row: PositionRow, part: Decimal) -> Quantity:
    """Return part of a position as a quantity that can be sold; zero if it is less than the minimum.

    A position of whole shares is closed by at least one whole share if possible, because a remaining fraction cannot
    have a stop that outlives the day.
    """
    held = abs(row.quantity)
    is_whole = not held % ONE_SHARE and held * part >= ONE_SHARE
    return Quantity(rounded_down(held * part, ONE_SHARE if is_whole else step_of(view, row)))


def step_of(view: DeskView, row: PositionRow) -> Decimal:
    """Return the quantity step: whole shares for a whole short position, otherwise the symbol's own step."""
    known = next((known for known in view.symbols if known.symbol == row.symbol), None)
    if row.quantity < 0 and not row.quantity % ONE_SHARE:
        return ONE_SHARE
    return LEAST if known is None else known.quantity_step
