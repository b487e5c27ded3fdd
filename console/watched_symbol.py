"""Which symbol the chart shows and a new order begins with: that of the row which is selected where the keyboard is, or
was last.
"""

from __future__ import annotations

from console.board import Board
from console.client.access import EngineAccess
from console.panes import PANES
from core.model.values import Symbol
from core.views import DeskView


class WatchedSymbol:
    """Tells the engine once, when another symbol is wanted; none while no chart is on the screen."""

    def __init__(self, handle: EngineAccess, board: Board) -> None:
        self.handle = handle
        self.board = board
        self.symbol: Symbol | None = None
        self._told: Symbol | None = None

    def look(self, view: DeskView) -> None:
        """One picture."""
        self.symbol = self.of(view)
        wanted = self.symbol if self.board.chart.display else None
        if wanted != self._told:
            self._told = wanted
            self.handle.watch(wanted)

    def of(self, view: DeskView) -> Symbol | None:
        """The selected row's now, else the one of before, else the first that the desk knows."""
        return self._selected(view) or self.symbol or self._first(view)

    def _selected(self, view: DeskView) -> Symbol | None:
        selected = self.board.selected(self.board.holder)
        return next((symbol for key, symbol in PANES[self.board.holder].symbols(view) if key == selected), None)

    def _first(self, view: DeskView) -> Symbol | None:
        known = (*(row.symbol for row in view.strategies), *(row.symbol for row in view.symbols))
        return next(iter(known), None)
