"""The last line: the keys that work here, or the latest message for some seconds; always with the kill key."""

from __future__ import annotations

import textwrap

from widgets.grid_picture import Tone
from widgets.lines import Cell, Lines, spread

KILL = Cell("Ctrl+K KILL", "strong")


class FooterLine(Lines):
    def show_keys(self, keys: str, width: int) -> None:
        self._put(Cell(keys.removesuffix(KILL.text).rstrip()), width)

    def show_words(self, text: str, tone: Tone, width: int) -> None:
        """Show a message on at most two lines."""
        first, *rest = textwrap.wrap(text, width - len(KILL.text) - 1, max_lines=2, placeholder=" …") or [""]
        self.show([spread((Cell(first, tone),), (KILL,), width), *((Cell(line, tone),) for line in rest)])

    def _put(self, cell: Cell, width: int) -> None:
        self.show([spread((cell,), (KILL,), width)])
