"""A pane: a frame with a number, a name and a count around one grid. What fills it says which rows it has."""

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
"""Where a row has no room for all that it says."""
INDENT = "  "
"""Where a row begins: behind the mark of the selection."""


class Pane(Frame):
    """The base of every pane. Its grid has the keyboard; the frame shows it, and words under the grid say more.

    `is_narrow` while the terminal has room for one column of panes only.
    """

    NUMBER = 0
    NAME = ""
    TELLS_THE_REST = False
    """Whether it says which key tells what the selected row has no room for."""

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
        """What is its own of the picture."""
        raise NotImplementedError

    def wanted(self) -> int:
        """The lines in which all that it holds has room, its frame included; words have three quarters at the most."""
        words = self.words_wanted()
        return FRAME + max(self.grid.wanted + words, -(-words * 4 // 3))

    def words_wanted(self) -> int:
        """Of them those under the grid, or above it."""
        return len(self.words.lines)

    def note(self, text: str) -> None:
        """In the lower edge: what the selected row has no room for."""
        self._said = text
        self._put_note()

    def _tell_place(self, place: str) -> None:
        """Which of its rows is looked at, where not all have room: no header and no row is covered by it."""
        self._place = place
        self._put_note()

    def _put_note(self) -> None:
        rest = REST if self.TELLS_THE_REST and self.grid.is_cut else ""
        text = " ─ ".join(part for part in (self._place, rest, self._said) if part)
        self.write_lower(text)

    def title_with(self, count: str) -> None:
        """`1 Proposals ─ 2 waiting`."""
        self._counted = count
        said = ", ".join(word for word in (self.state, count) if word)
        title = f"{self.NUMBER} {self.NAME}" + (f" ─ {said}" if said else "")
        self.write_upper(title)

    def show_state(self, state: str) -> None:
        """`1 Proposals ─ HALTED, 2 waiting`: in the frame, before all else."""
        if state != self.state:
            self.state = state
            self.title_with(self._counted)

    def indented(self, text: str, tone: Tone = "", lines: int = 2) -> list[TextLine]:
        """Text that begins where the rows do, on at most so many lines, between words."""
        room = max(10, self.content_size.width - len(INDENT))
        parts = textwrap.wrap(text, room, max_lines=lines, placeholder=" …")
        return [(Cell(f"{INDENT}{part}", tone),) for part in parts]
