"""The screen beneath a dialog, taken over line by line.

Textual 8.2.8 draws the whole screen beneath through Rich at each of its changes. With ten prices a second and an open
ticket that would be most of the desk's work. Here only the changed lines are taken, as the widgets drew them.
"""

from __future__ import annotations

from collections.abc import Collection

from textual._context import visible_screen_stack
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import _RenderCache


class Backdrop(Screen[None]):
    """A screen with the screen beneath as its background, if its own is fully transparent."""

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
    """Return these lines of a screen as it is now, without click targets."""
    if not lines:
        return []
    first, end = min(lines), max(lines) + 1
    region = Region(0, first, screen.size.width, end - first)
    chops = screen._compositor._render_chops(region, lines.__contains__)  # noqa: SLF001
    return [(y, Strip.join(chops[y].values()).discard_meta()) for y in lines if 0 <= y < len(chops)]
