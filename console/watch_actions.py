"""Actions of keys on a watchlist: add a symbol, reorder, change lists, add an alert (MD-06), block entries (RK-26)."""

from __future__ import annotations

from console.keymap import written
from console.screens.dialog import DialogHost
from console.screens.limits import ListsScreen
from console.screens.watchlist import AddSymbolScreen, AlertScreen, WatchlistScreen
from core.messages.commands import KeepWatchlist
from core.model.symbols import HELD, MAIN
from core.model.values import Symbol
from core.views import DeskView


class WatchActions:
    def __init__(self, behind: DialogHost) -> None:
        self.behind = behind

    def add(self, view: DeskView, name: str) -> None:
        """Add to the list that is shown, or to the main list while the list of what is held is shown."""
        mine = MAIN if name == HELD else name
        self.behind.ask(AddSymbolScreen(self.behind, mine, _symbols_of(view, mine)))

    def edit(self, view: DeskView, name: str) -> None:
        if name == HELD:
            self.behind.say(
                f"{HELD} is what is held, ordered and proposed; {written('watch.list_after')} is the next list"
            )
            return
        self.behind.ask(WatchlistScreen(self.behind, name, _symbols_of(view, name)))

    def remove(self, view: DeskView, key: str) -> None:
        """Remove one symbol from its list. The last one stays: an empty list would be removed."""
        name, _, symbol = key.partition(" ")
        left = tuple(each for each in _symbols_of(view, name) if each != symbol)
        if name == HELD:
            self.behind.say(f"{symbol} is listed while it is held, ordered or proposed")
        elif not left:
            self.behind.say(f"{symbol} is the last one of {name}; {written('watch.edit')} removes the list", "warning")
        else:
            self.behind.handle.send(KeepWatchlist(name, left))
            self.behind.step_off("watch", symbol)
            self.behind.say(f"removing {symbol} from {name}; {written('watch.add')} adds it again")

    def ring(self, _view: DeskView, symbol: str) -> None:
        self.behind.ask(AlertScreen(self.behind, Symbol(symbol)))

    def put_on_list(self, _view: DeskView, symbol: str) -> None:
        """Open the lists of the selected symbol."""
        if symbol:
            self.behind.ask(ListsScreen(self.behind, Symbol(symbol)))


def _symbols_of(view: DeskView, name: str) -> tuple[Symbol, ...]:
    return next((each.symbols for each in view.watch.lists if each.name == name), ())
