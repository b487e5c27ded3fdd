"""What happened, the newest at the end; it follows until the operator moves."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from core.views import LogRow
from widgets import format as f
from widgets.grid import Cell, Column, Row, Tone
from widgets.pane import Pane

NOTHING_YET = "Nothing yet. Every fact of the journal but the bars appears here."
NOTHING_FOUND = "The filter finds nothing: no line has all of its words."
TONES: dict[str, Tone] = {"HALT": "urgent", "KILL": "urgent", "fill": "strong", "trade": "strong"}


class Log(Pane):
    NUMBER = 6
    NAME = "Log"

    def __init__(self) -> None:
        super().__init__(
            (Column("TIME", 8), Column("KIND", 9), Column("WHAT", 20, stretches=True)),
            empty=NOTHING_YET,
            id="log",
            has_header=False,
            follows=True,
        )

    def show(self, rows: Sequence[LogRow], of: int | None = None) -> None:
        """`of` is how many there are where not all are shown."""
        self.grid.show([_row(row) for row in rows], empty=NOTHING_FOUND if of else NOTHING_YET)
        count = f"{len(rows)} lines" if of is None else f"{len(rows)} of {of} lines"
        self.title_with(count + (", following" if self.grid.follows else ", f follows"))

    def follow(self) -> None:
        """New lines come into view again."""
        self.grid.action_last()
        self.grid.follows = True


@lru_cache(maxsize=1024)
def _row(row: LogRow) -> Row:
    return Row(
        str(row.sequence),
        (Cell(f.clock(row.at), "muted"), Cell(row.kind, TONES.get(row.kind, "muted")), Cell(row.text)),
    )
