"""Actions of keys on a watchlist: add a symbol, reorder, change lists, add an alert (MD-06), block entries (RK-26)."""

from __future__ import annotations

from console.screens.add_symbol import AddSymbolScreen
from console.screens.alert import AlertScreen
from console.screens.dialog_host import DialogHost
from console.screens.lists import ListsScreen
from console.screens.watchlist import WatchlistScreen
from core.model.values import Symbol
from core.views import DeskView


class WatchActions:
    def __init__(self, behind: DialogHost) -> None:
        self.behind = behind

    def add(self, view: DeskView, name: str) -> None:
        self.behind.ask(AddSymbolScreen(self.behind, name, _symbols_of(view, name)))

    def edit(self, view: DeskView, name: str) -> None:
        self.behind.ask(WatchlistScreen(self.behind, name, _symbols_of(view, name)))

    def ring(self, _view: DeskView, symbol: str) -> None:
        self.behind.ask(AlertScreen(self.behind, Symbol(symbol)))

    def put_on_list(self, _view: DeskView, symbol: str) -> None:
        """Open the lists of the selected symbol."""
        if symbol:
            self.behind.ask(ListsScreen(self.behind, Symbol(symbol)))


def _symbols_of(view: DeskView, name: str) -> tuple[Symbol, ...]:
    return next((each.symbols for each in view.watch.lists if each.name == name), ())
