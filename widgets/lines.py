"""Lines of text with tones, for status lines, tickets and questions. Only changed cells are redrawn.

Text is cut visibly at the widget's edge and never wrapped here; callers know the width. Markup and control characters
are never interpreted (SY-06).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from core.model.harmless_text import harmless
from widgets.grid_cells import CUT, Cell, Tone

__all__ = ["Cell", "Lines", "TextLine", "joined", "spread"]

TextLine = tuple[Cell, ...]
"""Texts side by side, each with its tone."""


class Lines(Widget):
    """Shows lines; as high as their number unless its style says otherwise."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "lines--header",
        "lines--note",
        "lines--empty",
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
