"""What a grid shows, as values: columns, rows, the lines of a picture, and what differs between two of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from textual.geometry import Region

from widgets.grid_text import Align

GAP = 1
"""Cells between two columns."""

MARKS = {(False, False): "  ", (False, True): "  ", (True, False): "▹ ", (True, True): "▸ "}
"""By selected and focused: visible without colour."""

MARK_WIDTH = 2

Tone = Literal["", "header", "note", "empty", "gain", "loss", "warning", "urgent", "muted", "strong"]
"""What a text means: the component class that draws it, without its `grid--`. Words and signs say it as well."""

Background = Literal["", "selected", "selected-elsewhere"]


@dataclass(frozen=True, slots=True)
class Column:
    """`width` in cells; the columns that stretch share what is left of the pane. `decimals` belongs to Align.POINT.

    `rank` above 0 says that it is left out where there is no room for it, the highest first.
    """

    title: str
    width: int
    align: Align = Align.LEFT
    decimals: int = 2
    stretches: bool = False
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """A text and what it means."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Row:
    """`key` says which thing it shows. `tone` is that of every cell without one. `mark` stands before it, as wide as
    that of the selection, which it leaves its place where the keyboard is. `copied` is what is copied of it, where that
    is not its cells: with whole identifiers. `across` takes the line over all columns."""

    key: str
    cells: tuple[Cell, ...]
    tone: Tone = ""
    mark: str = MARKS[False, False]
    copied: str = ""
    across: str = ""


@dataclass(frozen=True, slots=True)
class GridLine:
    """One line of the picture. `note` stands at its right end, or alone on an empty pane; `across`
    over all columns."""

    cells: tuple[Cell, ...] = ()
    tone: Tone = ""
    mark: str = MARKS[False, False]
    background: Background = ""
    note: str = ""
    across: str = ""


NO_ROOM = -GAP
"""The width of a column that is left out: neither it nor the gap behind it takes a cell."""


def has_room(columns: Sequence[Column], width: int) -> bool:
    """Whether a pane of `width` has room for all of them, whole."""
    return _needed(columns) <= width - MARK_WIDTH + GAP


def in_a_line(cells: Iterable[Cell]) -> str:
    """Their texts without the blanks that align them."""
    return "  ".join(" ".join(cell.text.split()) for cell in cells if cell.text.strip())


def widths_of(columns: Sequence[Column], width: int) -> list[int]:
    """The cells of each column in a pane of `width`, NO_ROOM for one that is left out. What does not fit is cut at its
    right edge."""
    room = width - MARK_WIDTH + GAP
    shown = list(columns)
    for column in sorted((column for column in columns if column.rank), key=lambda column: -column.rank):
        if _needed(shown) > room:
            shown.remove(column)
    stretching = sum(column.stretches for column in shown)
    spare = max(0, room - _needed(shown))
    widths = []
    for column in columns:
        if column not in shown:
            widths.append(NO_ROOM)
            continue
        share = spare // stretching if column.stretches else 0
        spare -= share
        stretching -= column.stretches
        widths.append(column.width + share)
    return widths


def _needed(columns: Sequence[Column]) -> int:
    """Cells of them all, each with the gap behind it."""
    return sum(column.width + GAP for column in columns)


def differences(
    old: Sequence[GridLine], new: Sequence[GridLine], widths: Sequence[int], width: int
) -> Iterator[Region]:
    """The regions in which two pictures of one size differ."""
    for y, (was, now) in enumerate(zip(old, new, strict=True)):
        if was == now:
            continue
        if _is_same_but_for_cells(was, now):
            yield from _cells_that_differ(was, now, widths, y)
        else:
            yield Region(0, y, width, 1)


def _is_same_but_for_cells(was: GridLine, now: GridLine) -> bool:
    surroundings = [
        (line.tone, line.mark, line.background, line.note, line.across, len(line.cells)) for line in (was, now)
    ]
    return surroundings[0] == surroundings[1]


def _cells_that_differ(was: GridLine, now: GridLine, widths: Sequence[int], y: int) -> Iterator[Region]:
    x = MARK_WIDTH
    for old, new, width in zip(was.cells, now.cells, widths, strict=False):
        if old != new and width != NO_ROOM:
            yield Region(x, y, width, 1)
        x += width + GAP
