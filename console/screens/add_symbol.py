"""`a` on a watchlist: a symbol more, searched by symbol or name. What the broker says of it stands there before Enter
(MD-06).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from console.screens.dialog_host import DialogHost
from console.screens.quote_refresh import QuoteRefresh
from console.screens.symbol_search import SymbolSearch
from console.screens.text_fields import FieldsScreen, TextField
from core.messages.commands import KeepWatchlist
from core.model.values import Symbol
from core.model.watchlist import MAIN, SHARE, Watchlist, fault_of
from core.views import DeskView, SymbolView
from widgets import format as f
from widgets.lines import Cell, TextLine


class AddSymbolScreen(FieldsScreen):
    def __init__(self, behind: DialogHost, name: str, symbols: tuple[Symbol, ...]) -> None:
        self.name_of_list, self.symbols = name or MAIN, symbols
        super().__init__(behind, f"Add to {self.name_of_list}", [TextField("Symbol, name", "")], "adds it  ↓ ↑ choose")
        self.search = SymbolSearch(behind)
        self.looking = QuoteRefresh(behind)

    def write(self, text: str) -> None:
        super().write(text.upper())

    def update_view(self, view: DeskView, _now: datetime) -> None:
        self.search.ask(self.fields[0].text)
        if self.is_active and SHARE.fullmatch(self.search.symbol()):
            self.looking.look(self.search.symbol(), view)
        self.draw()

    def draw(self) -> None:
        self.search.ask(self.fields[0].text)
        super().draw()

    def preview(self) -> Sequence[TextLine]:
        view, symbol = self.behind.view, self.search.symbol()
        if not symbol or view is None:
            return ()
        lines = self.search.lines()
        return [*lines, *([()] if lines else []), (Cell(self._about(symbol, view)),)]

    def _about(self, symbol: Symbol, view: DeskView) -> str:
        if symbol in self.symbols:
            return f"{symbol} stands in {self.name_of_list} already"
        known = next((row for row in view.symbols if row.symbol == symbol), None)
        return _about(symbol, known, self.behind.engine_now())

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
        self.dismiss()
        self.behind.handle.send(KeepWatchlist(wanted.name, wanted.symbols))
        self.behind.say(f"adding {symbol} to {wanted.name}")

    def action_next(self) -> None:
        self.search.move(1)
        self._changed()

    def action_previous(self) -> None:
        self.search.move(-1)
        self._changed()


def _about(symbol: Symbol, known: SymbolView | None, now: datetime) -> str:
    if not SHARE.fullmatch(symbol):
        return f"{symbol} is not how a share is written"
    if known is None or known.traded is None:
        return f"{symbol}: the broker has not said what it is"
    if known.quote is None:
        return f"{symbol}: listed, no quote yet"
    return f"{symbol}  {f.at_tick(known.quote.bid)} × {f.at_tick(known.quote.ask)}  {f.age(known.quote.at, now)}"
