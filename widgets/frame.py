"""A frame whose edges are written without drawing what lies in it again: a clock there costs its own row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from rich.cells import cell_len
from textual.containers import Vertical
from textual.geometry import Region

from widgets.edges import put_note, put_title

CORNERS = 4
"""Cells of the frame on the two sides of its title that change with the title's length."""


class Frame(Vertical):
    """Panes and tickets: their counts and clocks stand in their edges."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._upper = self._lower = ""
        self._edge: Region | None = None

    def write_upper(self, text: str) -> None:
        if text != self._upper:
            longest, self._upper = max(cell_len(text), cell_len(self._upper)), text
            with self._redrawing(0, longest + CORNERS):
                put_title(self, text)

    def write_lower(self, text: str) -> None:
        if text != self._lower:
            self._lower = text
            with self._redrawing(self.outer_size.height - 1, self.outer_size.width):
                put_note(self, text)

    @contextmanager
    def _redrawing(self, line: int, width: int) -> Iterator[None]:
        """A title that is set would draw the whole frame again, its rows included: only its part of the edge is."""
        left, top = self.content_offset
        self._edge = Region(-left, line - top, width, 1)
        yield
        self._edge = None

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        if self._edge is not None and not regions and not layout and not recompose:
            regions = (self._edge,)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
