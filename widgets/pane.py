"""Base of the panes: a frame with a number, a name and a count around one grid. Subclasses supply the rows."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from datetime import datetime

from textual.app import ComposeResult

from core.views import DeskView
from widgets.frame import Frame
from widgets.grid import Column, Grid
from widgets.grid_picture import Cell, Tone
from widgets.lines import Lines, TextLine

FRAME = 2
"""Lines of a pane's edges."""
REST = "Enter: the rest"
"""Shown if the selected row is cut."""
INDENT = "  "
"""Indentation of a row, behind the selection mark."""


class Pane(Frame):
    """Base of every pane. Its grid has the keyboard focus; text under the grid adds details.

    `is_narrow` is set while the terminal has room for one column of panes only.
    """

    NUMBER = 0
    NAME = ""
    TELLS_THE_REST = False
    """Whether the pane names the key that shows the rest of a cut row."""

    def __init__(
        self, columns: Sequence[Column], *, empty: str, id: str, has_header: bool = True, follows: bool = False
    ) -> None:
        super().__init__(id=id)
        self._said = self._place = ""
        self.grid = Grid(
            columns,
            empty=empty,
            id=f"{id}-grid",
            has_header=has_header,
            follows=follows,
            tell_place=self._tell_place,
        )
        self.words = Lines(id=f"{id}-words")
        self.state = ""
        self.is_narrow = False
        self._counted = ""
        self.title_with("")

    def compose(self) -> ComposeResult:
        yield self.grid
        yield self.words

    def show(self, view: DeskView, now: datetime) -> None:
        """Show this pane's part of the view."""
        raise NotImplementedError

    def wanted(self) -> int:
        """Return the number of lines that show everything, with the frame; text takes at most three quarters."""
        words = self.words_wanted()
        return FRAME + max(self.grid.wanted + words, -(-words * 4 // 3))

    def words_wanted(self) -> int:
        """Return the lines of text beside the grid."""
        return len(self.words.lines)

    def note(self, text: str) -> None:
        """Write a note about the selected row into the lower edge."""
        self._said = text
        self._put_note()

    def _tell_place(self, place: str) -> None:
        """Show the position in the list in the lower edge, where it covers no row."""
        self._place = place
        self._put_note()

    def _put_note(self) -> None:
        rest = REST if self.TELLS_THE_REST and self.grid.is_cut else ""
        text = " ─ ".join(part for part in (self._place, rest, self._said) if part)
        self.write_lower(text)

    def title_with(self, count: str) -> None:
        """Write the title, such as `1 Proposals ─ 2 waiting`."""
        self._counted = count
        said = ", ".join(word for word in (self.state, count) if word)
        title = f"{self.NUMBER} {self.NAME}" + (f" ─ {said}" if said else "")
        self.write_upper(title)

    def show_state(self, state: str) -> None:
        """Put the desk's state first in the title, such as `1 Proposals ─ HALTED, 2 waiting`."""
        if state != self.state:
            self.state = state
            self.title_with(self._counted)

    def indented(self, text: str, tone: Tone = "", lines: int = 2) -> list[TextLine]:
        """Wrap text at word boundaries, indented like the rows, to at most `lines` lines."""
        room = max(10, self.content_size.width - len(INDENT))
        parts = textwrap.wrap(text, room, max_lines=lines, placeholder=" …")
        return [(Cell(f"{INDENT}{part}", tone),) for part in parts]
