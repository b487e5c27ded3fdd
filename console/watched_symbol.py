"""Which symbol the chart shows and a new order begins with: that of the row which is selected where the keyboard is, or
was last.
"""

from __future__ import annotations

from console.board import Board
from console.client.access import EngineAccess
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
        return self.selected(view) or self.symbol or self._first(view)

    def selected(self, view: DeskView) -> Symbol | None:
        """That of the selected row, where the keyboard is, and no other's; in the chart the one that it shows."""
        holder = self.board.holder
        if holder == self.board.chart.id:
            return self.symbol
        key = self.board.selected(holder)
        return None if key is None else self.board.symbol_of(holder, key, view)

    def _first(self, view: DeskView) -> Symbol | None:
        known = (*(row.symbol for row in view.strategies), *(row.symbol for row in view.symbols))
        return next(iter(known), None)
