"""Value types of a grid: cells of exact width, columns, rows and lines, and the differences between two drawings.


External text (a broker's message, a news line) may contain control characters, direction marks and zero-width
characters. They are removed, and markup is never interpreted (SY-06).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Literal

from rich.cells import cell_len, set_cell_size
from textual.geometry import Region

from core.model.harmless_text import harmless

CUT = "…"
TOO_WIDE = "#"

FRACTION = re.compile(r"\.(\d+)", re.ASCII)


class Align(Enum):
    LEFT = "left"
    RIGHT = "right"
    POINT = "on the decimal point"


@lru_cache(maxsize=2048)
def fitted(text: str, width: int, align: Align, decimals: int) -> str:
    """Return `text` in exactly `width` cells. Text is cut with an ellipsis; a number that does not fit is never cut.

    `decimals` is the most decimal places of a column aligned on the point; missing ones become blanks.
    """
    text = harmless(text)
    if align is Align.LEFT:
        if cell_len(text) > width > 0:
            return set_cell_size(text, width - 1) + CUT
        return set_cell_size(text, width)
    if align is Align.POINT and text:
        fraction = FRACTION.search(text)
        missing = decimals - len(fraction[1]) if fraction else decimals + bool(decimals)
        text += " " * max(0, min(missing, width - cell_len(text)))
    length = cell_len(text)
    if length > width:
        return TOO_WIDE * width
    return " " * (width - length) + text


GAP = 1
"""Cells between two columns."""

MARKS = {(False, False): "  ", (False, True): "  ", (True, False): "▹ ", (True, True): "▸ "}
"""Row mark by (selected, focused), visible without colour."""

MARK_WIDTH = 2

Tone = Literal["", "header", "note", "empty", "gain", "loss", "warning", "urgent", "muted", "strong"]
"""Meaning of a text: its component class without `grid--`. Words and signs carry the meaning too."""

Background = Literal["", "selected", "selected-elsewhere"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of `width` cells. Stretching columns share the remaining width; `decimals` is for Align.POINT.

    Columns with a `rank` above 0 are dropped if there is no room, the highest rank first.
    """

    title: str
    width: int
    align: Align = Align.LEFT
    decimals: int = 2
    stretches: bool = False
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """A text and its tone."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a grid.

    `key` is its identity. `tone` applies to cells without a tone. `mark` precedes the row, as wide as the selection
    mark, which replaces it in a focused grid. `copied` is the text for the clipboard if it differs from the cells, with
    whole identifiers. `across` is text over all columns.
    """

    key: str
    cells: tuple[Cell, ...]
    tone: Tone = ""
    mark: str = MARKS[False, False]
    copied: str = ""
    across: str = ""


@dataclass(frozen=True, slots=True)
class GridLine:
    """One line of a drawn grid.

    `note` is at its right end, or alone in an empty pane; `across` covers all columns.
    """

    cells: tuple[Cell, ...] = ()
    tone: Tone = ""
    mark: str = MARKS[False, False]
    background: Background = ""
    note: str = ""
    across: str = ""


NO_ROOM = -GAP
"""Width of a dropped column: neither it nor its gap takes a cell."""


def has_room(columns: Sequence[Column], width: int) -> bool:
    """Return whether all columns fit in `width` cells."""
    return _needed(columns) <= width - MARK_WIDTH + GAP


def in_a_line(cells: Iterable[Cell]) -> str:
    """Join the texts without alignment blanks."""
    return "  ".join(" ".join(cell.text.split()) for cell in cells if cell.text.strip())


def widths_of(columns: Sequence[Column], width: int) -> list[int]:
    """Return the width of each column in a pane of `width`, NO_ROOM for a dropped one.

    Columns that still do not fit are cut at the right edge.
    """
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
    """Return the total width with gaps."""
    return sum(column.width + GAP for column in columns)


def differences(
    old: Sequence[GridLine], new: Sequence[GridLine], widths: Sequence[int], width: int
) -> Iterator[Region]:
    """Return the regions in which two drawings of one size differ."""
    for y, (was, now) in enumerate(zip(old, new, strict=True)):
        if was == now:
            continue
        surroundings = [
            (line.tone, line.mark, line.background, line.note, line.across, len(line.cells)) for line in (was, now)
        ]
        if surroundings[0] == surroundings[1]:
            yield from _cells_that_differ(was, now, widths, y)
        else:
            yield Region(0, y, width, 1)


def _cells_that_differ(was: GridLine, now: GridLine, widths: Sequence[int], y: int) -> Iterator[Region]:
    x = MARK_WIDTH
    for old, new, width in zip(was.cells, now.cells, widths, strict=False):
        if old != new and width != NO_ROOM:
            yield Region(x, y, width, 1)
        x += width + GAP
