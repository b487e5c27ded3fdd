"""A pane: a frame with a number, a name and a count around one grid. What fills it says which rows it has."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Self

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Region

from widgets.edges import put_note, put_title
from widgets.grid import Column, Grid
from widgets.grid_picture import Cell, Tone
from widgets.lines import Lines, TextLine

INDENT = "  "
"""Where a row begins: behind the mark of the selection."""
CORNERS = 4
"""Cells of the frame on the two sides of its title that change with the title's length."""


class Pane(Vertical):
    """The base of every pane. Its grid has the keyboard; the frame shows it, and words under the grid say more."""

    DEFAULT_CSS = """
    Pane {
        border: solid $panel-lighten-2;
        border-title-color: $text-muted;
        border-subtitle-color: $text-muted;
        &:focus-within { border: solid $accent; border-title-color: $text; border-title-style: bold; }
        & > Lines { height: auto; max-height: 50%; }
    }
    """

    NUMBER = 0
    NAME = ""

    def __init__(
        self, columns: Sequence[Column], *, empty: str, id: str, has_header: bool = True, follows: bool = False
    ) -> None:
        super().__init__(id=id)
        self.grid = Grid(columns, empty=empty, id=f"{id}-grid", has_header=has_header, follows=follows)
        self._title = self._note = self._said = self._place = ""
        self.grid.tell_place = self._tell_place
        self._edge: Region | None = None
        self.words = Lines(id=f"{id}-words")
        self.state = ""
        self._counted = ""
        self.title_with("")

    def compose(self) -> ComposeResult:
        yield self.grid
        yield self.words

    def note(self, text: str) -> None:
        """In the lower edge: what the selected row has no room for."""
        self._said = text
        self._put_note()

    def _tell_place(self, place: str) -> None:
        """Which of its rows is looked at, where not all have room: no header and no row is covered by it."""
        self._place = place
        self._put_note()

    def _put_note(self) -> None:
        text = " ─ ".join(part for part in (self._place, self._said) if part)
        if text != self._note:
            self._note = text
            with self._redrawing(self.outer_size.height - 1, self.outer_size.width):
                put_note(self, text)

    def title_with(self, count: str) -> None:
        """`1 Proposals ─ 2 waiting`."""
        self._counted = count
        said = ", ".join(word for word in (self.state, count) if word)
        title = f"{self.NUMBER} {self.NAME}" + (f" ─ {said}" if said else "")
        if title != self._title:
            longest, self._title = max(cell_len(title), cell_len(self._title)), title
            with self._redrawing(0, longest + CORNERS):
                put_title(self, title)

    @contextmanager
    def _redrawing(self, line: int, width: int) -> Iterator[None]:
        """A title that is set would draw the whole pane again, its rows included: only its part of the frame is."""
        left, top = self.content_offset
        self._edge = Region(-left, line - top, width, 1)
        yield
        self._edge = None

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        if self._edge is not None and not regions and not layout and not recompose:
            regions = (self._edge,)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

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
