"""`e` on a watchlist: its symbols as a line, in their order; Enter keeps it as it stands (MD-06)."""

from __future__ import annotations

from datetime import datetime

from console.keymap import KeyScope, bindings_for
from console.screens.dialog_host import DialogHost
from console.screens.form import Form, FormField
from core.messages.commands import KeepWatchlist
from core.model.values import Symbol
from core.model.watchlist import Watchlist, fault_of
from core.views import DeskView

FIELDS = (
    FormField("name", "List", "another name is another list"),
    FormField("symbols", "Symbols", ""),
)
GONE = "Enter removes this list"


class WatchlistScreen(Form):
    """Order, removal and further symbols are what is typed; an empty line removes the list."""

    CSS = """
    WatchlistScreen {
        .form Input { width: 60; }
        .form .beside { display: none; }
    }
    """
    PLACE = KeyScope.WATCHLIST
    NEEDS_KEY = True
    BINDINGS = bindings_for(PLACE)
    CAPITALS = frozenset({"symbols"})

    def __init__(self, behind: DialogHost, name: str, symbols: tuple[Symbol, ...]) -> None:
        super().__init__(behind, "Watchlist", FIELDS, {"name": name, "symbols": " ".join(symbols)})

    def first(self) -> str:
        return "symbols"

    def typed(self) -> Watchlist:
        words = self.inputs["symbols"].value.replace(",", " ").split()
        return Watchlist(self.inputs["name"].value.strip(), tuple(map(Symbol, words)))

    def fault(self) -> str | None:
        view = self.behind.view
        lists = {each.name: each.symbols for each in view.watch.lists} if view is not None else {}
        return fault_of(self.typed(), lists)

    def describe(self) -> None:
        fault, many = self.fault(), len(self.typed().symbols)
        if fault is not None:
            self.show_answer(fault, "warning")
        else:
            what = f"{many} symbols; Enter keeps them" if many else GONE
            self.show_answer(f"{what}  {self.keys_in_words()}")

    def update_view(self, view: DeskView, now: datetime) -> None:
        super().update_view(view, now)

    def submit(self) -> None:
        fault, wanted = self.fault(), self.typed()
        if fault is not None:
            self.answered(fault)
            return
        self.dismiss()
        self.behind.handle.send(KeepWatchlist(wanted.name, wanted.symbols))
        self.behind.say(f"keeping the list {wanted.name}" if wanted.symbols else f"removing the list {wanted.name}")
