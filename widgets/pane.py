"""A pane: a frame with a number, a name and a count around one grid. What fills it says which rows it has."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical

from widgets.edges import put_note, put_title
from widgets.grid import Column, Grid


class Pane(Vertical):
    """The base of every pane. Its grid has the keyboard; the frame shows it."""

    DEFAULT_CSS = """
    Pane {
        border: solid $panel-lighten-2;
        border-title-color: $text-muted;
        border-subtitle-color: $text-muted;
        &:focus-within { border: solid $accent; border-title-color: $text; border-title-style: bold; }
    }
    """

    NUMBER = 0
    NAME = ""

    def __init__(
        self, columns: Sequence[Column], *, empty: str, id: str, has_header: bool = True, follows: bool = False
    ) -> None:
        super().__init__(id=id)
        self.grid = Grid(columns, empty=empty, id=f"{id}-grid", has_header=has_header, follows=follows)
        self.title_with("")

    def compose(self) -> ComposeResult:
        yield self.grid

    def note(self, text: str) -> None:
        """In the lower edge: what the selected row has no room for."""
        put_note(self, text)

    def title_with(self, count: str) -> None:
        """`1 Proposals ─ 2 waiting`."""
        put_title(self, f"{self.NUMBER} {self.NAME}" + (f" ─ {count}" if count else ""))
