"""A frame whose edges are redrawn without its content: a clock in an edge redraws only one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from rich.cells import cell_len
from textual.containers import Vertical
from textual.geometry import Region

from widgets.edges import put_note, put_title

CORNERS = 4
"""Cells of the frame on both sides of its title that change with the title's length."""


class Frame(Vertical):
    """Base of panes and tickets, which show counts and clocks in their edges."""

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
        """Restrict the redraw to a part of one edge; a new title would otherwise redraw the whole frame."""
        left, top = self.content_offset
        self._edge = Region(-left, line - top, width, 1)
        yield
        self._edge = None

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        if self._edge is not None and not regions and not layout and not recompose:
            regions = (self._edge,)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
