"""`e` on a watchlist: edit its symbols as a line, in order; Enter saves it (MD-06)."""

from __future__ import annotations

from console.keymap import KeyScope, bindings_for
from console.screens.brokers_list import BrokersList, not_listed
from console.screens.dialog_host import DialogHost
from console.screens.form import Form, FormField
from console.screens.question import WIDTH, ArmedQuestion
from core.messages.commands import KeepWatchlist
from core.model.symbols import MAIN, Watchlist, fault_of
from core.model.values import Symbol
from core.views import WatchlistRow
from widgets.ticket import wrapped

FIELDS = (
    FormField("name", "List", "another name is another list"),
    FormField("symbols", "Symbols", ""),
)
GONE = "Enter asks whether this list is removed"


class WatchlistScreen(Form):
    """The text defines the order, removals and additions; an empty line removes the list."""

    PLACE = KeyScope.WATCHLIST
    NEEDS_KEY = True
    BINDINGS = bindings_for(PLACE)
    CAPITALS = frozenset({"symbols"})

    def __init__(self, behind: DialogHost, name: str, symbols: tuple[Symbol, ...]) -> None:
        self.edits = name
        self.brokers = BrokersList(behind)
        super().__init__(behind, "Watchlist", FIELDS, {"name": name, "symbols": " ".join(symbols)})

    def first(self) -> str:
        return "symbols"

    def typed(self) -> Watchlist:
        words = self.inputs["symbols"].value.replace(",", " ").split()
        return Watchlist(self.inputs["name"].value.strip(), tuple(map(Symbol, words)))

    def lists(self) -> dict[str, WatchlistRow]:
        view = self.behind.view
        return {} if view is None else {each.name: each for each in view.watch.lists}

    def fault(self) -> str | None:
        wanted, lists = self.typed(), self.lists()
        if (fault := fault_of(wanted, {each.name: each.symbols for each in lists.values()})) is not None:
            return fault
        there = lists.get(wanted.name)
        if not wanted.symbols and there is None:
            return f"there is no list {wanted.name}: nothing is removed"
        if not wanted.symbols and there is not None and not there.is_kept:
            return f"{wanted.name} are the symbols of the settings: it stays; type others in their place"
        known = {symbol for each in lists.values() for symbol in each.symbols}
        lacking = self.brokers.lacks(symbol for symbol in wanted.symbols if symbol not in known)
        return None if lacking is None else not_listed(lacking)

    def describe(self) -> None:
        fault, wanted = self.fault(), self.typed()
        if fault is not None:
            self.show_answer(fault, "warning")
            return
        many = len(wanted.symbols)
        keeps = "Enter asks whether they take its place" if self._takes_anothers_place(wanted) else "Enter keeps them"
        self.show_answer(f"{f'{many} symbols; {keeps}' if many else GONE}  {self.keys_in_words()}")

    def action_clear(self) -> None:
        self.inputs[self.focused_field()].clear()

    def submit(self) -> None:
        """Save the list; ask before it is removed or replaces another, because that cannot be undone."""
        fault, wanted = self.fault(), self.typed()
        if fault is not None:
            self.answered(fault)
            return
        self.dismiss()
        there = self.lists().get(wanted.name)
        if there is None or (wanted.symbols and not self._takes_anothers_place(wanted)):
            self._keep(wanted)
            return
        verb = "Replace" if wanted.symbols else "Remove"
        lines = wrapped("", f"It has {', '.join(there.symbols)}.", WIDTH)
        if wanted.symbols:
            lines += wrapped("", f"From then on: {', '.join(wanted.symbols)}.", WIDTH)
        elif wanted.name == MAIN:
            lines += wrapped("", "From then on it has the symbols of the settings again.", WIDTH)
        question = f"{verb} the list {wanted.name}?"
        does = "replace it" if wanted.symbols else "remove it"
        self.behind.ask(ArmedQuestion(self.behind, question, lines, does, lambda: self._keep(wanted)))

    def _takes_anothers_place(self, wanted: Watchlist) -> bool:
        there = self.lists().get(wanted.name)
        return there is not None and wanted.name != self.edits and there.symbols != wanted.symbols

    def _keep(self, wanted: Watchlist) -> None:
        self.behind.handle.send(KeepWatchlist(wanted.name, wanted.symbols))
        self.behind.show_list(wanted.name)
        self.behind.say(f"keeping the list {wanted.name}" if wanted.symbols else f"removing the list {wanted.name}")
