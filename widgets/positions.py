"""What is held, what it stands at, who holds its stop, and how much of it is covered (OP-06)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from core.model.order import StopHolder
from core.model.values import plain
from core.views import PositionRow
from widgets import format as f
from widgets.grid import Align, Cell, Column, Row
from widgets.pane import Pane

LAST = 10
"""Cells for the last price and its age."""
NO_STOP = "none"
"""Where the price of a stop would stand that nobody holds: a price there would look like protection."""


class Positions(Pane):
    NUMBER = 2
    NAME = "Positions"

    def __init__(self) -> None:
        super().__init__(
            (
                Column("SYM", 5),
                Column("QTY", 8, Align.RIGHT),
                Column("AVG", 8, Align.RIGHT),
                Column("LAST", LAST, Align.RIGHT),
                Column("P&L USD", 11, Align.RIGHT),
                Column("R", 5, Align.RIGHT),
                Column("STOP", 8, Align.RIGHT),
                Column("HELD BY", 11, stretches=True),
            ),
            empty="No positions. A filled entry appears here, with who holds its stop.",
            id="positions",
        )

    def show(self, rows: Sequence[PositionRow], now: datetime) -> None:
        self.grid.show([_row(row, now) for row in rows])
        known = [row.profit for row in rows if row.profit is not None]
        total = f", {f.signed(sum(known, Decimal(0)))} USD" if known else ""
        self.title_with(f"{len(rows)} open{total}" if rows else "")


def _row(row: PositionRow, now: datetime) -> Row:
    in_risk = row.result_in_risk
    return Row(
        row.key,
        (
            Cell(row.symbol, "strong"),
            Cell(f.quantity(row.quantity)),
            Cell(f.price(row.average_price)),
            _last(row, now),
            Cell(f.arrowed(row.profit), f.tone_of(row.profit)),
            Cell(f.UNKNOWN if in_risk is None else f"{in_risk:+.1f}".replace("-", "−"), f.tone_of(row.profit)),
            Cell(NO_STOP, "warning") if row.holder is StopHolder.YOU else Cell(f.price(row.stop_price)),
            _held_by(row),
        ),
    )


def _last(row: PositionRow, now: datetime) -> Cell:
    """`182.11`, and its age where it is old: `182.11 4m`; `!` where there is no room for more."""
    text = f.price(row.last)
    if row.last_at is None or now - row.last_at <= f.STALE_AFTER:
        return Cell(text)
    minutes = int((now - row.last_at).total_seconds()) // f.MINUTE
    aged = f"{text} {minutes}m" if minutes < 2 * f.MINUTE else f"{text} {minutes // f.MINUTE}h"
    return Cell(aged if len(aged) <= LAST else f"{text} !", "warning")


def _held_by(row: PositionRow) -> Cell:
    """`broker 47`, `closing`, `YOU 0 of 47 !`."""
    if row.is_closing:
        return Cell("closing", "strong")
    if row.holder is StopHolder.BROKER and row.covered >= abs(row.quantity):
        return Cell(f"broker {plain(row.covered)}")
    if row.covered:
        return Cell(f"{f.HOLDER_WORDS[row.holder]} {plain(row.covered)} of {plain(abs(row.quantity))} !", "warning")
    who = "desk asks" if row.holder is StopHolder.DESK else "YOU"
    return Cell(f"{who} 0 of {plain(abs(row.quantity))} !", "warning")
