"""What a dialog shows of the screen beneath it, line by line.

Textual 8.2.8 draws the whole screen beneath through Rich at each change of it: at ten prices a second, with a ticket
open, that is most of what the desk does. Here only the lines that changed are taken, and as the widgets drew them.
"""

from __future__ import annotations

from collections.abc import Collection

from textual._context import visible_screen_stack
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import _RenderCache


class Backdrop(Screen[None]):
    """A screen whose background, where it is wholly transparent, is the screen beneath."""

    def _render_content(self) -> None:
        if self.styles.background.a:
            super()._render_content()
            return
        try:
            beneath = visible_screen_stack.get().pop()
        except LookupError:
            super()._render_content()
            return
        (width, height), style = self.size, self.rich_style
        is_known = self._render_cache.size == self.size and len(self._render_cache.lines) == height
        lines = [*self._render_cache.lines] if is_known else [Strip.blank(width, style)] * height
        wanted = self._changed_lines() if is_known else range(height)
        for y, line in _drawn(beneath, wanted):
            if y < height:
                lines[y] = line.adjust_cell_length(width, style)
        self._render_cache = _RenderCache(self.size, lines)
        self._dirty_regions.clear()

    def _changed_lines(self) -> set[int]:
        return {y for region in self._dirty_regions for y in region.line_range}


def _drawn(screen: Screen[object], lines: Collection[int]) -> list[tuple[int, Strip]]:
    """These lines of a screen as it is now; nothing on them can be clicked."""
    if not lines:
        return []
    first, end = min(lines), max(lines) + 1
    region = Region(0, first, screen.size.width, end - first)
    chops = screen._compositor._render_chops(region, lines.__contains__)  # noqa: SLF001
    return [(y, Strip.join(chops[y].values()).discard_meta()) for y in lines if 0 <= y < len(chops)]
