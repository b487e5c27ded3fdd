"""Cells of exact width, and lines of text with tones. Only changed cells are drawn again.

External text (a broker's message, a news line) may contain control characters, direction marks and zero-width
characters. They are removed, and markup is never interpreted (SY-06).

Text is cut visibly at the widget's edge and never wrapped here; callers know the width. Markup and control characters
are never interpreted (SY-06).
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import ClassVar, Literal

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from core.model.text_sanitizer import harmless

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


def in_rows(text: str, width: int) -> list[str]:
    """Wrap text at blanks into rows of at most `width` cells; a longer word is broken."""
    if text.isascii() or all(cell_len(character) == 1 for character in text):
        return textwrap.wrap(text, width)
    rows = [""]
    for word in text.split():
        longer = f"{rows[-1]} {word}".lstrip()
        if cell_len(longer) <= width:
            rows[-1] = longer
        else:
            rows += chop_cells(word, width)
    return [row for row in rows if row]


GAP = 1
"""Cells between two columns."""

MARKS = {(False, False): "  ", (False, True): "  ", (True, False): "▹ ", (True, True): "▸ "}
"""Row mark by (selected, focused), visible without colour."""

MARK_WIDTH = 2

Tone = Literal["", "gain", "loss", "warning", "urgent", "muted", "strong"]
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


__all__ = ["Cell", "Lines", "TextLine", "joined", "spread"]

TextLine = tuple[Cell, ...]
"""Texts side by side, each with its tone."""


class Lines(Widget):
    """Shows lines; as high as their number unless its style says otherwise."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "lines--gain",
        "lines--loss",
        "lines--warning",
        "lines--urgent",
        "lines--muted",
        "lines--strong",
    }

    def __init__(self, lines: Sequence[TextLine] = (), *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: tuple[TextLine, ...] = tuple(lines)
        self._styles_of: dict[Tone, Style] = {}

    @property
    def lines(self) -> tuple[TextLine, ...]:
        """The lines shown."""
        return self._lines

    def show(self, lines: Sequence[TextLine]) -> None:
        """Show these lines. If nothing changed this costs one comparison."""
        before, self._lines = self._lines, tuple(lines)
        if before == self._lines or not self.is_mounted:
            return
        if len(before) != len(self._lines) and self.styles.is_auto_height:
            self.refresh(layout=True)
            return
        width = self.content_size.width
        regions = []
        for y, (was, now) in enumerate(zip(_padded(before, self._lines), _padded(self._lines, before), strict=True)):
            if was != now:
                left, right = _difference(was, now)
                left = min(left, max(0, width - 1))  # where the line is cut, the ellipsis changes too
                regions.append(Region(left, y, max(0, min(right, width) - left), 1))
        self.refresh(*(region for region in regions if region.width))

    def get_content_height(self, _container: Size, _viewport: Size, _width: int) -> int:
        return len(self._lines)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles_of.clear()

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        cells = self._lines[y] if y < len(self._lines) else ()
        segments = [Segment(harmless(cell.text), self._style(cell.tone)) for cell in cells]
        strip = Strip(segments)
        if strip.cell_length > width > 0:
            strip = Strip([*strip.crop(0, width - 1), Segment(CUT, self._style(""))])
        return strip.adjust_cell_length(width, self._style(""))

    def _style(self, tone: Tone) -> Style:
        """Return a style, never None: under NO_COLOR a segment without a style crashes the desk."""
        if tone not in self._styles_of:
            style = self.rich_style
            if tone:
                style += self.get_component_rich_style(f"lines--{tone}")
            self._styles_of[tone] = style
        return self._styles_of[tone]


def joined(line: TextLine) -> str:
    """Return the text of a line."""
    return "".join(cell.text for cell in line)


def spread(left: TextLine, right: TextLine, width: int) -> TextLine:
    """Place `left` and `right` at the two ends of a line; `left` is cut if both do not fit."""
    room = width - cell_len(joined(right)) - 1
    cut: list[Cell] = []
    for cell in left:
        text = (
            cell.text if cell_len(cell.text) <= room else set_cell_size(cell.text, max(0, room - 1)) + "…" * (room > 0)
        )
        cut.append(Cell(text, cell.tone))
        room -= cell_len(text)
        if room <= 0:
            break
    return (*cut, Cell(" " * max(1, room + 1)), *right)


def _padded(lines: tuple[TextLine, ...], other: tuple[TextLine, ...]) -> tuple[TextLine, ...]:
    return lines + ((),) * (len(other) - len(lines))


def _difference(was: TextLine, now: TextLine) -> tuple[int, int]:
    """Return the first cell in which two lines differ, and the end of the last one."""
    old, new = _characters(was), _characters(now)
    length = max(len(old), len(new))
    old += [(" ", "")] * (length - len(old))
    new += [(" ", "")] * (length - len(new))
    differing = [place for place in range(length) if old[place] != new[place]]
    if not differing:
        return 0, 0  # the same text, split into other cells
    if any(cell_len(text) != 1 for text, _ in old + new if text):
        return 0, 2 * length  # wide characters: indexes are not cells
    return differing[0], differing[-1] + 1


def _characters(line: TextLine) -> list[tuple[str, str]]:
    return [(character, cell.tone) for cell in line for character in harmless(cell.text)]
