"""Search for a symbol in the broker's list, with a current quote (MD-06).

The engine has the list and answers asynchronously. An answer to an earlier input is not shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from console.screens.dialog import DialogHost
from console.screens.form import FieldsScreen, TextField
from core.messages.desk_commands import LookAt
from core.model.instrument import SHARE, capitals
from core.model.reference_data import AssetsFound, ListedAsset
from core.model.values import Symbol
from core.views import DeskView, SymbolView
from widgets import format as f
from widgets.lines import Cell, TextLine

EVERY = 3.0
"""Seconds between requests, and the age of a quote that needs none."""
STANDS = 0.7
"""Seconds for which an unknown symbol must be unchanged, so that partial input is not requested."""


class QuoteRefresh:
    """The refresh of one dialog."""

    def __init__(self, behind: DialogHost) -> None:
        self.behind = behind
        self._asked_at = float("-inf")
        self._symbol, self._stands_since = Symbol(""), 0.0

    def look(self, symbol: Symbol, view: DeskView) -> None:
        """Called at each view; sends few requests."""
        now = self.behind.now()
        if symbol != self._symbol:
            self._symbol, self._stands_since = symbol, now
            self._asked_at = float("-inf")
        if now - self._asked_at < EVERY or not SHARE.fullmatch(symbol):
            return
        row = next((row for row in view.symbols if row.symbol == symbol), None)
        if row is None and now - self._stands_since < STANDS:
            return
        quote = None if row is None else row.quote
        if quote is not None and self.behind.engine_now() - quote.at < timedelta(seconds=EVERY):
            return
        self._asked_at = now
        self.behind.handle.send(LookAt(symbol))


AGAIN = 1.0
"""Seconds until a question is repeated: an answer may be under way, or the list missing."""


def not_listed(symbol: Symbol) -> str:
    return f"the broker's list does not have {symbol}"


class BrokersList:
    """The checks of one dialog."""

    def __init__(self, behind: DialogHost) -> None:
        self.behind = behind
        self._said: dict[Symbol, bool] = {}
        self._asked: tuple[Symbol, float] = (Symbol(""), float("-inf"))

    def lacks(self, symbols: Iterable[Symbol]) -> Symbol | None:
        """Return the first symbol that the list does not have; None if it has all, or if that is unknown yet."""
        for symbol in symbols:
            if SHARE.fullmatch(symbol) is None:
                continue
            if symbol not in self._said and not self._look_up(symbol):
                return None
            if not self._said[symbol]:
                return symbol
        return None

    def _look_up(self, symbol: Symbol) -> bool:
        """Return whether the engine has answered; an engine in this process answers at once."""
        if not self._take(symbol) and (symbol != self._asked[0] or self.behind.now() - self._asked[1] >= AGAIN):
            self._asked = symbol, self.behind.now()
            self.behind.handle.search(symbol)
        return self._take(symbol)

    def _take(self, symbol: Symbol) -> bool:
        found = self.behind.handle.found
        if found is None or found.asked != symbol or not found.is_listed:
            return False
        self._said[symbol] = any(match.symbol == symbol for match in found.matches)
        return True


NO_LIST = "The broker's list is not here yet; type a whole symbol"
NOTHING = "Nothing that the broker trades has that symbol or name"
NAME_WIDTH = 44


class SymbolSearch:
    """The search of one dialog."""

    def __init__(self, behind: DialogHost) -> None:
        self.behind = behind
        self.text = ""
        self.at = 0
        self._asked: tuple[str, float] | None = None

    def ask(self, text: str) -> None:
        """Set the input; the request is repeated until its answer arrives, and while there is no list."""
        if text != self.text:
            self.text, self.at = text, 0
        found = self._found()
        if (found is None or not found.is_listed) and self._is_due(text):
            self.behind.handle.search(text)

    def _is_due(self, text: str) -> bool:
        """Return whether to ask: at once for new text, then at intervals."""
        before, now = self._asked, self.behind.now()
        is_due = before is None or before[0] != text or now - before[1] >= AGAIN
        if is_due:
            self._asked = text, now
        return is_due

    @property
    def lacks_it(self) -> bool:
        """Whether the broker's list is loaded and has no match."""
        found = self._found()
        return bool(self.text.strip()) and found is not None and found.is_listed and not found.matches

    @property
    def is_unchecked(self) -> bool:
        """Whether there is no list to search."""
        found = self._found()
        return found is None or not found.is_listed

    def move(self, by: int) -> None:
        """Move the choice in the matches."""
        many = len(self.matches())
        self.at = (self.at + by) % many if many else 0

    def matches(self) -> Sequence[ListedAsset]:
        found = self._found()
        return () if found is None else found.matches

    def symbol(self) -> Symbol:
        """Return the chosen symbol, or the input if nothing matches."""
        matches = self.matches()
        return matches[self.at].symbol if matches and self.text.strip() else Symbol(self.text.strip())

    def lines(self) -> list[TextLine]:
        """Return the matches, or why there are none."""
        found = self._found()
        if found is None or (not self.text.strip() and not found.matches):
            return []
        if not found.is_listed:
            return [(Cell(NO_LIST, "muted"),)]
        if not found.matches:
            return [(Cell(NOTHING, "muted"),)]
        return [self._line(place, match) for place, match in enumerate(found.matches)]

    def _line(self, place: int, match: ListedAsset) -> TextLine:
        is_chosen = place == self.at and bool(self.text.strip())
        return (
            Cell("▸ " if is_chosen else "  "),
            Cell(f"{match.symbol:<8} ", "strong" if is_chosen else ""),
            Cell(f"{match.name[:NAME_WIDTH]:<{NAME_WIDTH}} "),
            Cell(match.exchange, "muted"),
        )

    def _found(self) -> AssetsFound | None:
        found = self.behind.handle.found
        return found if found is not None and found.asked == self.text else None


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
