"""`a` on a watchlist: search a symbol or name and add it. The broker's description is shown before Enter (MD-06)."""

from __future__ import annotations

from console.screens.brokers_list import not_listed
from console.screens.dialog_host import DialogHost
from console.screens.find_symbol import SymbolScreen
from core.messages.commands import KeepWatchlist
from core.model.symbols import MAIN, Watchlist, fault_of
from core.model.values import Symbol
from core.views import DeskView


class AddSymbolScreen(SymbolScreen):
    def __init__(self, behind: DialogHost, name: str, symbols: tuple[Symbol, ...]) -> None:
        self.name_of_list, self.symbols = name or MAIN, symbols
        super().__init__(behind, f"Add to {self.name_of_list}", "adds it")

    def about(self, symbol: Symbol, view: DeskView) -> str:
        if symbol in self.symbols:
            return f"{symbol} stands in {self.name_of_list} already"
        return super().about(symbol, view)

    def accept(self) -> None:
        view, symbol = self.behind.view, self.search.symbol()
        if view is None:
            return
        if symbol in self.symbols:
            self.refuse(f"{symbol} stands in {self.name_of_list} already")
            return
        wanted = Watchlist(self.name_of_list, (*self.symbols, symbol))
        fault = fault_of(wanted, {each.name: each.symbols for each in view.watch.lists})
        if fault is not None:
            self.refuse(fault)
            return
        if self.search.lacks_it:
            self.refuse(not_listed(symbol))
            return
        self.dismiss()
        self.behind.handle.send(KeepWatchlist(wanted.name, wanted.symbols))
        doubt = "; it was not checked, the broker's list is not here" if self.search.is_unchecked else ""
        self.behind.say(f"adding {symbol} to {wanted.name}{doubt}")
