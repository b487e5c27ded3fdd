"""What is held, what it stands at, who holds its stop, and how much of it is covered (OP-06)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from core.model.order import StopHolder
from core.model.values import plain
from core.views import PositionRow
from widgets import format as f
from widgets.grid import Align, Cell, Column, Grid, Row
from widgets.pane import Pane
from widgets.states import positions_when_empty

LAST = 9
"""Cells for the last price, and a mark where it is old."""
NO_STOP = "none"
"""Where the price of a stop would stand that nobody holds: a price there would look like protection."""


class Positions(Pane):
    NUMBER = 2
    NAME = "Positions"

    def __init__(self) -> None:
        super().__init__(
            (
                Column("SYM", 5),
                Column("QTY", 8, Align.POINT, 3),
                Column("AVG", 9, Align.POINT, f.PLACES),
                Column("LAST ", LAST, Align.RIGHT),
                Column("P&L USD", 11, Align.RIGHT),
                Column("R", 5, Align.RIGHT),
                Column("STOP", 8, Align.RIGHT),
                Column("HELD BY", 11, stretches=True),
            ),
            empty=positions_when_empty(""),
            id="positions",
        )

        self._rows: tuple[PositionRow, ...] = ()
        self._now: datetime | None = None

    def show(self, rows: Sequence[PositionRow], now: datetime) -> None:
        self._rows, self._now = tuple(rows), now
        self.grid.show([_row(row, now) for row in rows], empty=positions_when_empty(self.state))
        known = [row.profit for row in rows if row.profit is not None]
        total = f", {f.signed(sum(known, Decimal(0)))} USD" if known else ""
        old = [row.last_at for row in rows if row.last_at is not None and _is_old(row, now)]
        stale = f", PRICES UP TO {f.age(min(old), now)} OLD" if old else ""
        self.title_with(f"{len(rows)} open{total}{stale}" if rows else "")
        self._say()

    def on_grid_moved(self, _event: Grid.Moved) -> None:
        self._say()

    def _say(self) -> None:
        """How old the price of the selected one is."""
        row = next((row for row in self._rows if row.key == self.grid.selected), None)
        if row is None or row.last_at is None or self._now is None or not _is_old(row, self._now):
            self.note("")
        else:
            self.note(f"{row.symbol}: last price {f.age(row.last_at, self._now)} old, of {f.clock(row.last_at)}")


def _row(row: PositionRow, now: datetime) -> Row:
    in_risk = row.result_in_risk
    return Row(
        row.key,
        (
            Cell(row.symbol, "strong"),
            Cell(f.quantity(row.quantity)),
            Cell(f.price(row.average_price).replace(",", "")),
            _last(row, now),
            Cell(f.arrowed(row.profit), f.tone_of(row.profit)),
            Cell(f.UNKNOWN if in_risk is None else f"{in_risk:+.1f}".replace("-", "−"), f.tone_of(row.profit)),
            _stop(row),
            _held_by(row),
        ),
    )


def _is_old(row: PositionRow, now: datetime) -> bool:
    return row.last_at is not None and now - row.last_at > f.STALE_AFTER


def _last(row: PositionRow, now: datetime) -> Cell:
    """`182.11`, and `182.11!` where it is old: the digits stay where they are."""
    text = f.at_tick(row.last)
    return Cell(f"{text}!", "warning") if _is_old(row, now) else Cell(f"{text} ")


def _stop(row: PositionRow) -> Cell:
    """`181.10`, and `181.10+` where other stops are nearer."""
    if row.holder is StopHolder.YOU:
        return Cell(NO_STOP, "warning")
    price = f.price(row.stop_price)
    return Cell(f"{price.replace(',', '')}+" if row.nearer_stops else price)


def _held_by(row: PositionRow) -> Cell:
    """`broker 47`, `closing`, `limit 47 !`, `rests 47 !` up to the open, `YOU 0 of 47 !`, `in doubt !`."""
    if row.doubt and not row.covered and not row.bare:
        return Cell("in doubt !", "warning")
    if row.is_closing and not row.doubt:
        return Cell("closing", "strong")
    if row.holder is StopHolder.BROKER and row.acts_from is not None:
        return Cell(f"rests {plain(row.covered)} !", "warning")
    if row.holder is StopHolder.BROKER and row.covered >= abs(row.quantity):
        return Cell(f"broker {plain(row.covered)}")
    if row.at_limit and not row.covered:
        return Cell(f"limit {plain(row.at_limit)} !", "warning")
    if row.covered:
        return Cell(f"{f.HOLDER_WORDS[row.holder]} {plain(row.covered)} of {plain(abs(row.quantity))} !", "warning")
    who = "desk asks" if row.holder is StopHolder.DESK else "YOU"
    return Cell(f"{who} 0 of {plain(abs(row.quantity))} !", "warning")
