"""The events of the day, the newest at the end, followed until the operator moves. Each order takes one line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from core.model.harmless_text import WARN
from core.model.values import SHORT_ID, ClientOrderId
from core.views import LogRow
from widgets import format as f
from widgets.grid import Cell, Column, Row, Tone
from widgets.identifiers import short_id, short_ids
from widgets.order_life import LogLine
from widgets.pane import Pane

NOTHING_YET = "Nothing yet. Every fact of the journal but the bars appears here."
NOTHING_FOUND = "The filter finds nothing: no line has all of its words."
TONES: dict[str, Tone] = {
    "HALT": "urgent", "KILL": "urgent", "CRITICAL": "urgent", "fill": "strong", "trade": "strong",
}  # fmt: skip
SEVERE: dict[str, Tone] = {"CRITICAL": "urgent", "ERROR": "warning", "ALERT": "warning"}


COLUMNS = (Column("TIME", 8), Column("KIND", 9), Column("WHAT", 20, stretches=True), Column("ORDER", SHORT_ID))
WITH_SOURCE = (*COLUMNS, Column("BY", 8))
ROOM = 100
"""Width in cells from which a line has room for its source."""


class Log(Pane):
    NUMBER = 6
    NAME = "Log"
    TELLS_THE_REST = True

    def __init__(self) -> None:
        super().__init__(
            COLUMNS,
            empty=NOTHING_YET,
            id="log",
            has_header=False,
            follows=True,
        )

    def on_resize(self) -> None:
        self.grid.show_columns(WITH_SOURCE if self.content_size.width >= ROOM else COLUMNS)

    def show_rows(self, rows: Sequence[LogLine], now: datetime | None, of: int | None) -> None:
        """Show rows; `of` is their total number if a filter hides some. A line of another day shows its date."""
        shown = [_row(line.row, f.day_before(line.row.at, now or line.row.at), line.order) for line in rows]
        self.grid.show(shown, empty=NOTHING_FOUND if of else NOTHING_YET)
        count = f"{len(rows)} lines" if of is None else f"{len(rows)} of {of} lines"
        self.title_with(count + (", following" if self.grid.follows else ", f follows"))

    def follow(self) -> None:
        """Scroll to the end and follow new lines again."""
        self.grid.follow()


@lru_cache(maxsize=1024)
def _row(row: LogRow, day: str, order: ClientOrderId | None) -> Row:
    said = f"{WARN}: {row.text}" if row.level == WARN else row.text
    whole = f"{day.rstrip()}: {said}" if day else said
    text = short_ids(whole)
    tone = SEVERE.get(row.severity)
    what = Cell(text) if tone is None else Cell(text, tone)
    return Row(
        str(row.sequence),
        (
            Cell(f.clock(row.at), "muted"),
            Cell(row.kind, TONES.get(row.kind, tone or "muted")),
            what,
            Cell("" if order is None else short_id(order), "muted"),
            Cell(row.source, "muted"),
        ),
        copied="  ".join([f.clock(row.at), row.kind, whole, row.source, *([order] if order is not None else [])]),
    )
