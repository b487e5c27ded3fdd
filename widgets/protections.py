"""The protections that guard entries, each measure against its limit. They never hold up an exit (RK-22).

TRIPPED, in amber, is exceptional; a used allowance is FULL, a market or window CLOSED. A protection that is shut or
past half of its limit has a line; the calm ones share one until all are shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from core.views import DeskView, ProtectionRow, SuspensionView
from widgets import format as f
from widgets.grid import Cell, Column, Grid, Row, Tone
from widgets.lines import GAP, MARK_WIDTH
from widgets.pane import Pane

NAME = 12
"""Least cells of a name."""
BAR, MEASURE = 5, 17
"""Cells of the bar, and of a measure beside one."""
REASON = 4
"""Lines for the reason of a tripped protection, so that it is readable without opening it."""
CALM = 3
"""Lines for the names of calm protections."""
END = "/end"
"""Suffix of the key of a protection's second line."""
PAST_HALF = Decimal("0.5")
CLEAR = "  Nothing is shut or near its limit."
NOTHING = "Nothing is measured yet."


class Protections(Pane):
    """Protections; with `shows_all` each calm one has its own line."""

    NUMBER = 4
    NAME = "Protections"
    shows_all = False

    def __init__(self) -> None:
        super().__init__(
            columns(NAME),
            empty=NOTHING,
            id="protections",
        )
        self._rows: tuple[ProtectionRow, ...] = ()
        self._refused: str | None = None
        self._shown: tuple[DeskView, datetime] | None = None
        self._clear: tuple[str, ...] = ()
        self._room_for_names = NAME

    def toggle_all(self) -> None:
        """Show the calm protections, or only count them."""
        self.shows_all = not self.shows_all
        if self._shown is not None:
            self.show(*self._shown)

    def show(self, view: DeskView, now: datetime) -> None:
        self._shown = view, now
        before = (self._rows, self._refused, self._clear)
        self._rows, self._refused = rows, refused = view.protections, view.status.entries_refused
        self._make_room()
        shown = sorted((row for row in rows if self.shows_all or self._has_a_line(row)), key=_urgency)
        drawn = [line for row in shown for line in _lines_of(row, now)]
        self._clear = tuple(row.name for row in rows if row not in shown)
        self.grid.show(drawn, empty=CLEAR if rows else NOTHING)
        tripped = sum(row.has_tripped for row in rows)
        full = sum(row.is_full for row in rows)
        overridden = sum(row.passes_overridden for row in rows)
        said = [f"{tripped} TRIPPED"] if tripped else []
        said += [f"{full} FULL"] if full else []
        said += (
            [SuspensionView.CLOSED.value]
            if any(row.is_tripped and row.word is SuspensionView.CLOSED for row in rows)
            else []
        )
        said += [f"{overridden} OVERRIDDEN"] if overridden else []
        if refused is not None:
            said.insert(0, "entries OFF")
        self.title_with(", ".join(said) or "entries, clear")
        if before != (self._rows, self._refused, self._clear):
            self._say()

    def _make_room(self) -> None:
        """Set the columns; names are whole if they fit beside a measure and its bar."""
        spare = self.content_size.width - MARK_WIDTH - GAP - MEASURE - 1 - BAR
        longest = max((len(row.name) for row in self._rows), default=0)
        room = max(NAME, min(longest, spare))
        if room != self._room_for_names:
            self._room_for_names = room
            self.grid.show_columns(columns(room))

    def _has_a_line(self, row: ProtectionRow) -> bool:
        """Return whether a protection is shut, overridden or past half.

        The selected one keeps its line when its figure falls.
        """
        is_looked_at = self.grid.has_focus and row.key == guard_of(self.grid.selected)
        return _has_an_end(row) or _used(row) >= PAST_HALF or is_looked_at

    def on_grid_moved(self, _event: Grid.Moved) -> None:
        self._say()

    def on_resize(self) -> None:
        self._make_room()
        self._say()

    def _say(self) -> None:
        """Write the calm protections, why entries are off, and the selected or first tripped protection."""
        said = self.indented(self._count(), lines=CALM)
        said += self.indented(f"ENTRIES OFF: {self._refused}", "warning", 3) if self._refused else []
        shut = sorted((row for row in self._rows if row.is_tripped), key=lambda row: not row.has_tripped)
        first = shut[0] if shut else None
        row = next((row for row in self._rows if row.key == guard_of(self.grid.selected)), first)
        if row is not None:
            what = f"{row.name}: {row.reason}"
            said += self.indented(what, _tone(row) or "muted", REASON if _has_an_end(row) else 2)
        self.words.show(said)

    def _count(self) -> str:
        """Format `5 clear: Daily loss, Breaker, Session, Window, Orders`."""
        return f"{len(self._clear)} clear: {', '.join(self._clear)}" if self._clear else ""


def _urgency(row: ProtectionRow) -> int:
    """What has tripped stands first, then what passes by a typed word alone, then what is used up or closed."""
    if row.has_tripped:
        return 0
    return 1 if row.passes_overridden else 2 if row.is_tripped else 3


def guard_of(key: str | None) -> str | None:
    """Return the protection of a line; a tripped one has two lines."""
    return key.removesuffix(END) if key is not None else None


def _used(row: ProtectionRow) -> Decimal:
    return row.used or Decimal(0)


def columns(name: int) -> tuple[Column, ...]:
    """Return a column of names, as wide as possible, and one for everything else."""
    return Column("WHAT", name), Column("USED, OF LIMIT", MEASURE + 1 + BAR, stretches=True)


def _lines_of(row: ProtectionRow, now: datetime) -> Iterator[Row]:
    """Yield a line, and a second one for a shut or overridden protection: its end, or since when it applies."""
    tone: Tone = "warning" if _tone(row) or (not row.is_tripped and _used(row) >= PAST_HALF) else ""
    yield Row(row.key, (Cell(row.name, "strong"), Cell(_measure(row))), tone)
    if _has_an_end(row):
        yield Row(f"{row.key}{END}", (Cell(""), Cell(_end(row, now))), tone)


def _tone(row: ProtectionRow) -> Tone:
    """Return amber if it tripped or passes by an override; a used allowance is normal."""
    return "warning" if row.has_tripped or row.passes_overridden else ""


def _has_an_end(row: ProtectionRow) -> bool:
    """Return whether it is shut or overridden; a second line then gives the end."""
    return row.is_tripped or row.passes_overridden


def _measure(row: ProtectionRow) -> str:
    """Format `40.00 of 2,000 USD ░░░░░` or `open until 15:45`; an empty bar is not drawn."""
    if row.used is None:
        return row.measure.removesuffix(f" {f.PLACE}")
    filled = int(min(Decimal(1), row.used) * BAR)
    bar = "" if row.is_tripped or not filled else "▓" * filled + "░" * (BAR - filled)
    return f"{row.measure:>{MEASURE}} {bar}".rstrip()


def _end(row: ProtectionRow, now: datetime) -> str:
    if row.overridden is not None and not row.is_tripped:
        return f"OVERRIDDEN until {f.minute_of_week(row.overridden.until, now)}"
    word = row.word.value
    if row.until is not None:
        return f"{word}, {f.countdown(row.until, now)} left"
    if row.since is None:
        return word if row.is_full else f"{word}, no time limit"
    return f"{word} since {f.day_before(row.since, now).rstrip() or f.clock(row.since)}"  # the column is narrow
