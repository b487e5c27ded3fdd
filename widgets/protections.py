"""What guards entries, each measure against its limit. Exits are never held up by any of it (RK-22).

A narrow terminal shows what is tripped or past half, and counts the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from core.views import ProtectionRow
from widgets import format as f
from widgets.grid import Cell, Column, Grid, Row, Tone
from widgets.pane import Pane

BAR = 7
PAST_HALF = Decimal("0.5")
NOTHING = "Nothing is measured yet."


class Protections(Pane):
    NUMBER = 4
    NAME = "Protections"

    def __init__(self) -> None:
        super().__init__(
            (Column("WHAT", 10), Column("USED, OF LIMIT", 17, stretches=True), Column("", BAR)),
            empty=NOTHING,
            id="protections",
        )
        self._rows: tuple[ProtectionRow, ...] = ()
        self._refused: str | None = None
        self._clear = 0

    def show(
        self, rows: Sequence[ProtectionRow], entries_refused: str | None, now: datetime, is_narrow: bool = False
    ) -> None:
        self._rows, self._refused = tuple(rows), entries_refused
        shown = [row for row in rows if not is_narrow or self._has_a_line(row)]
        longest = max((len(row.measure) for row in shown), default=0)
        drawn = [line for row in shown for line in _lines_of(row, longest, now)]
        self._clear = len(rows) - len(shown)
        self.grid.show(drawn, empty="" if rows else NOTHING)
        tripped = sum(row.is_tripped for row in rows)
        said = [f"{tripped} TRIPPED"] if tripped else []
        if entries_refused is not None:
            said.append("OFF" if tripped else "entries OFF")
        self.title_with(", ".join(said) or "entries, clear")
        self._say()

    def _has_a_line(self, row: ProtectionRow) -> bool:
        """In a narrow terminal; a resize does not take the selected one away."""
        return row.is_tripped or _used(row) >= PAST_HALF or row.key == self.grid.selected

    def on_grid_moved(self, _event: Grid.Moved) -> None:
        self._say()

    def on_resize(self) -> None:
        self._say()

    def _say(self) -> None:
        """What is only counted, why entries are off, and what the selected guard watches, or the first tripped one."""
        said = self.indented(self._count())
        said += self.indented(f"ENTRIES OFF: {self._refused}", "warning", 3) if self._refused else []
        tripped = next((row for row in self._rows if row.is_tripped), None)
        row = next((row for row in self._rows if row.key == self.grid.selected), tripped)
        if row is not None:
            said += self.indented(f"{row.name}: {row.reason}", "warning" if row.is_tripped else "muted")
        self.words.show(said)

    def _count(self) -> str:
        """`5 more, clear`."""
        if not self._clear:
            return ""
        return f"{self._clear} more, clear" if self._clear < len(self._rows) else f"{self._clear} in all, clear"


def _used(row: ProtectionRow) -> Decimal:
    return row.used or Decimal(0)


def _lines_of(row: ProtectionRow, longest: int, now: datetime) -> Iterator[Row]:
    """A line, and a second one under what is tripped: when it ends by itself, or since when it stands."""
    tone: Tone = "warning" if row.is_tripped or _used(row) >= PAST_HALF else ""
    measure = Cell(f"{row.measure:>{longest}}")
    yield Row(row.key, (Cell(row.name, "strong"), measure, Cell(_bar(row))), tone)
    if row.is_tripped:
        end = _end(row, now)
        yield Row(f"{row.key}/end", (Cell(""), Cell(f"{end:>{longest}}"), Cell("")), tone)


def _bar(row: ProtectionRow) -> str:
    """Filled as far as it is used; a word where it is tripped, nothing where it is not a ratio."""
    if row.is_tripped:
        return "TRIPPED"
    if row.used is None:
        return ""
    filled = int(min(Decimal(1), row.used) * BAR)
    return "▓" * filled + "░" * (BAR - filled)


def _end(row: ProtectionRow, now: datetime) -> str:
    if row.until is not None:
        return f"ends in {f.countdown(row.until, now)}"
    return f"since {f.clock(row.since)}" if row.since is not None else "no time limit"
