"""Minimal frames: send only the changed cells and styles.

For a changed region Textual 8.2.8 sends everything from the left edge of its widget to the region's right end: a cell
in the last column costs its whole row. Here the row is cut at both ends. Measured with five panes of 30 × 10 cells and
2,000 quotes a second: 199 kB/s become 23. Also, each segment has its whole style and a reset, 45 bytes for a price of
six; here only the difference from the previous style is written.
"""

from __future__ import annotations

from functools import lru_cache

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, Console, RenderableType
from rich.control import Control
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.strip import Strip

ESCAPE, RESET = "\x1b[", "\x1b[0m"
UNSEEN_ON_BLANKS = frozenset({"", "1", "2", "3", "1;2", "1;3", "2;3"})
"""Attributes (bold, dim, italic) that do not change the look of a blank on the same background."""
COLOURS, BACKGROUNDS = {*range(30, 40), *range(90, 98)}, {*range(40, 50), *range(100, 108)}
LENGTHS = {"2": 5, "5": 3}
"""The number of parameters of an extended colour: `38;2;red;green;blue`, and `38;5;number`."""

Parts = tuple[str, str, str]
"""Attributes, colour and background of a style, as the parameters of its escape sequence."""
PLAIN: Parts = ("", "", "")


class TightUpdate(ChopsUpdate):
    """A partial update limited to its regions."""

    def render_segments(self, console: Console) -> str:
        pen = Pen(COLOR_SYSTEMS[console.color_system or "truecolor"])
        for y, start, end in self.spans:
            for (x, strip), right in zip(self.chops[y].items(), self.chop_ends[y], strict=False):
                left, right = max(x, start), min(right, end)  # noqa: PLW2901
                if strip is not None and left < right:
                    pen.parts.append(Control.move_to(left, y).segment.text)
                    pen.write(strip.crop(left - x, right - x))
        return pen.finished()


class TightLayout(LayoutUpdate):
    """The whole screen."""

    def render_segments(self, console: Console) -> str:
        pen = Pen(COLOR_SYSTEMS[console.color_system or "truecolor"])
        for y, line in enumerate(self.strips, self.region.y):
            pen.parts.append(Control.move_to(self.region.x, y).segment.text)
            for strip in line:
                pen.write(strip)
        return pen.finished()


class Pen:
    """Writes strips one after the other, with only the changes of style. It begins and ends without a style."""

    def __init__(self, system: ColorSystem) -> None:
        self.system = system
        self.parts: list[str] = []
        self.style = PLAIN

    def write(self, strip: Strip) -> None:
        for text, style, _ in strip:
            if style is not None and style.link:
                self._turn(PLAIN)
                self.parts.append(Strip.render_style(style, text, self.system))
            elif text:
                self._turn(_parts_of(style, self.system), is_blank=not text.strip(" "))
                self.parts.append(text)

    def finished(self) -> str:
        self._turn(PLAIN)
        return "".join(self.parts)

    def _turn(self, style: Parts, *, is_blank: bool = False) -> None:
        """Switch to this style; blanks keep the previous one if there is no visible difference."""
        if style == self.style:
            return
        if is_blank and style[2] == self.style[2] and {style[0], self.style[0]} <= UNSEEN_ON_BLANKS:
            return
        self.parts.append(_step(self.style, style))
        self.style = style


def tight(renderable: RenderableType | None) -> RenderableType | None:
    """Return a minimal version of the renderable of `App._display`."""
    if isinstance(renderable, ChopsUpdate):
        return TightUpdate(renderable.chops, renderable.spans, renderable.chop_ends)
    if isinstance(renderable, LayoutUpdate):
        return TightLayout(renderable.strips, renderable.region)
    return renderable


@lru_cache(maxsize=4096)
def _step(before: Parts, after: Parts) -> str:
    """Return the escape sequence from one style to another.

    It is the difference, or a reset and the whole style if attributes are removed.
    """
    if after == PLAIN:
        return RESET
    if before[0] and before[0] != after[0]:
        return f"{ESCAPE}{';'.join(filter(None, ('0', *after)))}m"
    changed = [after[0]] if after[0] != before[0] else []
    changed += [now or none for was, now, none in zip(before[1:], after[1:], ("39", "49"), strict=True) if was != now]
    return f"{ESCAPE}{';'.join(changed)}m"


def _parts_of(style: Style | None, system: ColorSystem) -> Parts:
    return PLAIN if style is None else _parted(Strip.render_ansi(style, system))


@lru_cache(maxsize=4096)
def _parted(codes: str) -> Parts:
    """Split `1;38;2;255;0;0;49` into `1`, `38;2;255;0;0` and `49`."""
    attributes, colour, background = [], "", ""
    numbers = codes.split(";") if codes else []
    while numbers:
        length = LENGTHS[numbers[1]] if numbers[0] in ("38", "48") else 1
        part, numbers = ";".join(numbers[:length]), numbers[length:]
        first = int(part.split(";", 1)[0])
        if first in COLOURS:
            colour = part
        elif first in BACKGROUNDS:
            background = part
        else:
            attributes.append(part)
    return ";".join(attributes), colour, background
