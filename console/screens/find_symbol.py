"""Dialogs that search a symbol: `/` in a new order, and the base of `a` on a watchlist (MD-06)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from console.screens.brokers_list import not_listed
from console.screens.dialog_host import DialogHost
from console.screens.quote_refresh import QuoteRefresh
from console.screens.symbol_search import SymbolSearch
from console.screens.text_fields import FieldsScreen, TextField
from core.model.symbols import SHARE, capitals
from core.model.values import Symbol
from core.views import DeskView, SymbolView
from widgets import format as f
from widgets.lines import Cell, TextLine


class SymbolScreen(FieldsScreen):
    """Base: an input line, the matches, and the broker's description of the chosen one."""

    def __init__(self, behind: DialogHost, title: str, takes: str) -> None:
        super().__init__(behind, title, [TextField("Symbol, name", "")], f"{takes}  ↓ ↑ choose")
        self.search = SymbolSearch(behind)
        self.looking = QuoteRefresh(behind)

    def write(self, text: str) -> None:
        super().write(capitals(text))

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
        lines = self.search.lines()
        if not symbol or view is None:
            return lines
        return [*lines, *([()] if lines else []), (Cell(self.about(symbol, view)),)]

    def about(self, symbol: Symbol, view: DeskView) -> str:
        """Describe the chosen symbol."""
        known = next((row for row in view.symbols if row.symbol == symbol), None)
        if self.search.lacks_it and SHARE.fullmatch(symbol):
            return not_listed(symbol)
        return _about(symbol, known, self.behind.engine_now(), is_unchecked=self.search.is_unchecked)

    def action_next(self) -> None:
        self.search.move(1)
        self._changed()

    def action_previous(self) -> None:
        self.search.move(-1)
        self._changed()


class FindSymbolScreen(SymbolScreen):
    """`choose` is called with the symbol that Enter takes."""

    def __init__(self, behind: DialogHost, choose: Callable[[Symbol], None]) -> None:
        super().__init__(behind, "New order: which symbol?", "takes it")
        self.choose = choose

    def accept(self) -> None:
        symbol, view = self.search.symbol(), self.behind.view
        if not SHARE.fullmatch(symbol):
            self.refuse(f"{symbol or 'nothing'} is not how a share is written")
            return
        is_held = view is not None and any(row.symbol == symbol for row in view.positions)
        if self.search.lacks_it and not is_held:
            self.refuse(not_listed(symbol))
            return
        self.dismiss()
        self.choose(symbol)


def _about(symbol: Symbol, known: SymbolView | None, now: datetime, *, is_unchecked: bool) -> str:
    if not SHARE.fullmatch(symbol):
        return f"{symbol} is not how a share is written"
    if known is not None and known.quote is not None:
        return f"{symbol}  {f.at_tick(known.quote.bid)} × {f.at_tick(known.quote.ask)}  {f.age(known.quote.at, now)}"
    return f"{symbol}: it cannot be checked without the list" if is_unchecked else f"{symbol}: listed, no quote yet"
