"""`g` on a symbol in Watch: lists that block its entries. Adding is immediate, removing needs a typed word (RK-26)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

from console.list_words import EXAMPLES, TakeOff, read_list
from console.screens.dialog_host import DialogHost
from console.screens.limits import LOOSEN
from console.screens.override import WordScreen
from console.screens.question import WIDTH
from console.screens.text_fields import FieldsScreen, TextField
from core.messages.commands import ListSymbol, UnlistSymbol
from core.model.symbols import ListedSymbol, ListKind
from core.model.values import Symbol
from core.views import DeskView
from widgets.lines import Cell, TextLine
from widgets.ticket import wrapped

SHOWN = 6
"""Number of listed symbols other than this one."""
INSIDE = 74


class ListsScreen(FieldsScreen):
    def __init__(self, behind: DialogHost, symbol: Symbol) -> None:
        self.symbol = symbol
        super().__init__(behind, f"Lists ─ {symbol}", [TextField("Put it on", "")], "does it")

    def update_view(self, _view: DeskView, _now: datetime) -> None:
        self.draw()

    def preview(self) -> Sequence[TextLine]:
        own = [listed for listed in self._listed() if listed.symbol == self.symbol]
        others = [listed for listed in self._listed() if listed.symbol != self.symbol]
        heading = f"{self.symbol} is on:" if own else f"{self.symbol} is on no list: its entries pass."
        lines: list[TextLine] = [*self._meaning(), (), (Cell(heading, "muted"),)]
        lines += [line for listed in own for line in wrapped("  ", listed.words, INSIDE, "warning")]
        if others:
            lines += [(Cell("Others:", "muted"),)]
            lines += [(Cell(f"  {listed.symbol} {listed.words}"[:INSIDE]),) for listed in others[:SHOWN]]
        if len(others) > SHOWN:
            lines.append((Cell(f"  and {len(others) - SHOWN} more, in Protections", "muted"),))
        return lines

    def accept(self) -> None:
        meant = self._meant()
        if isinstance(meant, str):
            self.refuse(meant)
            return
        self.dismiss()
        if isinstance(meant, ListSymbol):
            self.behind.handle.send(meant)
            self.behind.say(f"{self.symbol}: to be on {meant.kind.value}; its exits go on")
            return
        kind = meant.kind
        self.behind.ask(TakeOffScreen(self.symbol, kind, self._on(kind), lambda: self._take_off(kind)))

    def _take_off(self, kind: ListKind) -> None:
        self.behind.handle.send(UnlistSymbol(self.symbol, kind, LOOSEN))
        self.behind.say(f"{self.symbol}: taking it off {kind.value}")

    def _meaning(self) -> Sequence[TextLine]:
        """Return the effect of Enter."""
        if not self.fields[0].text:
            return ((Cell(EXAMPLES, "muted"),),)
        meant = self._meant()
        if isinstance(meant, str):
            return ((Cell(meant, "warning"),),)
        if isinstance(meant, TakeOff):
            return ((Cell(f"Enter asks for {LOOSEN}, which takes it off {meant.kind.value}"),),)
        until = "" if meant.until is None else f" until {meant.until}"
        says = f"Enter: {meant.kind.value}{until}, at once; what of it waits or works to open goes, exits stay"
        return wrapped("", says, INSIDE, "strong")

    def _meant(self) -> ListSymbol | TakeOff | str:
        """Return the list change, or the reason for which the engine would reject it."""
        meant = read_list(self.symbol, self.fields[0].text, self._today())
        if isinstance(meant, TakeOff) and self._on(meant.kind) is None:
            return f"{self.symbol} is not on {meant.kind.value}"
        return meant

    def _on(self, kind: ListKind) -> ListedSymbol | None:
        return next((one for one in self._listed() if (one.symbol, one.kind) == (self.symbol, kind)), None)

    def _listed(self) -> Sequence[ListedSymbol]:
        return () if self.behind.view is None else self.behind.view.lists

    def _today(self) -> date:
        """Return the date of the view; the engine uses its exchange's date."""
        view = self.behind.view
        return date.min if view is None else view.status.at.date()


class TakeOffScreen(WordScreen):
    """Remove a symbol from a list by a word typed in full."""

    def __init__(self, symbol: Symbol, kind: ListKind, listed: ListedSymbol | None, act: Callable[[], None]) -> None:
        said = f"{symbol} is on {listed.words}." if listed is not None else ""
        lines = [
            *wrapped("", said, WIDTH, "warning"),
            *wrapped("", "Off that list its entries pass again. It is recorded.", WIDTH),
        ]
        super().__init__(f"Take {symbol} off {kind.value}?", lines, LOOSEN, "to let entries pass", act)
