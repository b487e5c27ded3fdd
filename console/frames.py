"""Frames as small as what changed.

For a changed region Textual 8.2.8 sends everything from the left edge of its widget to the region's right end: a cell
in the last column costs its whole row. Here the row is cut at both ends. Measured with five panes of 30 × 10 cells and
2,000 quotes a second: 199 kB/s become 23.
"""

from __future__ import annotations

from rich.console import Console, RenderableType
from rich.control import Control
from textual._compositor import ChopsUpdate


class TightUpdate(ChopsUpdate):
    """A partial update without what its regions did not ask for."""

    def render_segments(self, console: Console) -> str:
        parts: list[str] = []
        for y, start, end in self.spans:
            for (x, strip), right in zip(self.chops[y].items(), self.chop_ends[y], strict=False):
                left, right = max(x, start), min(right, end)  # noqa: PLW2901
                if strip is not None and left < right:
                    parts += (Control.move_to(left, y).segment.text, strip.crop(left - x, right - x).render(console))
        return "".join(parts)


def tight(renderable: RenderableType | None) -> RenderableType | None:
    """What `App._display` is given, made small where it is a partial update."""
    if isinstance(renderable, ChopsUpdate):
        return TightUpdate(renderable.chops, renderable.spans, renderable.chop_ends)
    return renderable
