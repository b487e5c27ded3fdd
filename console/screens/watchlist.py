"""Dialogs of a watchlist: add a symbol, edit the list, add an alert (MD-06)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from console.keymap import KeyScope, bindings_for
from console.order_form.draft import TOO_LARGE, WHOLE, is_too_large, number_in
from console.screens.dialog import WIDTH, ArmedQuestion, DialogHost
from console.screens.find_symbol import BrokersList, SymbolScreen, not_listed
from console.screens.form import FieldsScreen, Form, FormField, TextField
from core.messages.desk_commands import DropAlert, KeepAlert, KeepWatchlist
from core.model.alert import EVENTS, Alert, AlertKind, AlertTerms, in_words
from core.model.alert import fault_of as alert_fault_of
from core.model.bar import on_one_exchange
from core.model.instrument import MAIN, Watchlist, fault_of, small_letters
from core.model.lazy_dataclass import dataclass
from core.model.values import Price, Symbol
from core.views import DeskView, WatchlistRow, WatchRow
from widgets import format as f
from widgets.lines import Cell, TextLine
from widgets.ticket_text import wrapped

SIDES = {">": True, "<": False}
SIGNS = {"+": True, "-": False, "−": False}
WORDS = {
    "spread": AlertKind.SPREAD,
    "volume": AlertKind.VOLUME,
    "fill": AlertKind.FILL,
    "halt": AlertKind.HALT,
    "news": AlertKind.NEWS,
}
DROP = "drop"
MANY = {"k": 1_000, "m": 1_000_000}
WORD = re.compile(r"([a-z]+)\s*(.*)")
EXAMPLES = "182.50  <180  +2%  spread 0.1%  volume 5m  fill  halt  news"


@dataclass(frozen=True, slots=True)
class Drop:
    """Drop an alert, by the number beside it."""

    number: int


def read_alert(symbol: Symbol, text: str, last: Price | None) -> AlertTerms | Drop | str:
    """Return the alert, or the error text; `last` tells on which side of the market a bare price is."""
    typed = small_letters(text.strip())
    if found := WORD.fullmatch(typed):
        return _named(symbol, found[1], found[2])
    if typed.endswith("%") or typed[:1] in SIGNS:
        return _change(symbol, typed)
    side = SIDES.get(typed[:1])
    price = number_in(typed if side is None else typed[1:])
    if price is None and is_too_large(typed if side is None else typed[1:]):
        return TOO_LARGE
    if price is None:
        return f"one of: {EXAMPLES}  drop and a number"
    if side is None and last is None:
        return "no price of it is known yet: type > or < before the level"
    return AlertTerms(symbol, AlertKind.PRICE, price, side if side is not None else price > (last or price))


def _named(symbol: Symbol, word: str, rest: str) -> AlertTerms | Drop | str:
    """Parse a word, recognised by its beginning."""
    if DROP.startswith(word):
        is_number = rest.isascii() and rest.isdecimal() and len(rest) < len("1000")
        return Drop(int(rest)) if is_number else "drop which? its number"
    kind = next((kind for name, kind in WORDS.items() if name.startswith(word)), None)
    if kind is None:
        return f"one of: {EXAMPLES}"
    if kind in EVENTS:
        return AlertTerms(symbol, kind) if not rest else f"{kind} has no level"
    level = _shares(rest) if kind is AlertKind.VOLUME else _percent(rest)
    if level is None:
        return f"a {kind} needs its level: {'volume 5m' if kind is AlertKind.VOLUME else 'spread 0.1%'}"
    return AlertTerms(symbol, kind, level)


def _change(symbol: Symbol, typed: str) -> AlertTerms | str:
    """Up without a sign; behind a sign a bare number is percent too."""
    is_up = SIGNS.get(typed[:1])
    fraction = _percent(typed if is_up is None else f"{typed[1:].removesuffix('%')}%")
    if fraction is None:
        return "a change is typed as +2% or -2%"
    return AlertTerms(symbol, AlertKind.CHANGE, fraction if is_up is not False else -fraction, is_up is not False)


def _percent(text: str) -> Decimal | None:
    number = number_in(text.removesuffix("%"))
    return None if number is None or not text.endswith("%") else number / WHOLE


def _shares(text: str) -> Decimal | None:
    bare = text.replace(",", "")
    number = number_in(bare[:-1] if bare[-1:] in MANY else bare)
    return None if number is None else number * MANY.get(bare[-1:], 1)


SHOWN = 6
"""Number of alerts listed at a time."""


class AlertScreen(FieldsScreen):
    def __init__(self, behind: DialogHost, symbol: Symbol) -> None:
        self.symbol = symbol
        self._top = 0
        """Index of the first listed alert."""
        super().__init__(behind, f"Alert on {symbol}", [TextField("Alert when", "")], "adds it")

    def update_view(self, _view: DeskView, _now: datetime) -> None:
        self.draw()

    def preview(self) -> Sequence[TextLine]:
        kept = self._kept()
        self._top = min(self._top, max(0, len(kept) - 1) // SHOWN * SHOWN)
        shown = kept[self._top : self._top + SHOWN]
        listed = [(Cell(f"  {alert.number}  "), Cell(in_words(alert.terms))) for alert in shown]
        place = f"     {self._top + 1} to {self._top + len(shown)} of {len(kept)}; ↓ ↑ the others, drop and a number"
        more = [(Cell(place, "muted"),)] if len(kept) > SHOWN else []
        heading = "Alerts:" if kept else "No alerts."
        return (*self._meaning(), (), (Cell(heading, "muted"),), *listed, *more)

    def action_next(self) -> None:
        """Show the next page of alerts; after the last, the first one."""
        self._turn(SHOWN)

    def action_previous(self) -> None:
        self._turn(-SHOWN)

    def _turn(self, by: int) -> None:
        pages = max(1, -(-len(self._kept()) // SHOWN))
        self._top = (self._top // SHOWN + by // SHOWN) % pages * SHOWN
        self.draw()

    def accept(self) -> None:
        meant = self._meant()
        if isinstance(meant, str):
            self.refuse(meant)
            return
        if isinstance(meant, Drop):
            self.dismiss()
            self.behind.handle.send(DropAlert(meant.number))
            self.behind.say(f"dropping alert {meant.number}")
            return
        self.dismiss()
        self.behind.handle.send(KeepAlert(meant))
        self.behind.say(f"{self.symbol}: alert when {in_words(meant)}")

    def _meaning(self) -> Sequence[TextLine]:
        meant, row = self._meant(), self._row()
        price = "no price yet" if row is None or row.last is None else f"last {f.at_tick(row.last)}"
        change = None if row is None else row.change_fraction
        now = (Cell(price if change is None else f"{price}, {f.signed_percent(change)} today", "muted"),)
        if not self.fields[0].text:
            kept = self._kept()
            return (now, (Cell(f"{EXAMPLES}  drop {kept[0].number}" if kept else EXAMPLES, "muted"),))
        if isinstance(meant, str):
            return (now, (Cell(meant, "warning"),))
        if isinstance(meant, Drop):
            return (now, (Cell(f"Enter drops alert {meant.number}"),))
        of = on_one_exchange(row.quote) if row is not None and meant.kind is AlertKind.VOLUME else ""
        return (now, (Cell(f"Enter: alert when {in_words(meant)}{of}", "strong"),))

    def _meant(self) -> AlertTerms | Drop | str:
        """Return the alert as it would be kept, or the reason for which the engine would reject it."""
        row = self._row()
        meant = read_alert(self.symbol, self.fields[0].text, None if row is None else row.last)
        if isinstance(meant, Drop):
            known = any(alert.number == meant.number for alert in self._kept())
            return meant if known else f"there is no alert {meant.number} on {self.symbol}"
        if isinstance(meant, str):
            return meant
        view, seen = self.behind.view, None if row is None else _seen(row, meant.kind)
        if view is not None and meant.kind is AlertKind.NEWS and not view.news.is_asked_for:
            return view.news.note
        return alert_fault_of(meant, [alert.terms for alert in view.alerts] if view is not None else [], seen) or meant

    def _kept(self) -> list[Alert]:
        view = self.behind.view
        return [] if view is None else [alert for alert in view.alerts if alert.terms.symbol == self.symbol]

    def _row(self) -> WatchRow | None:
        view = self.behind.view
        return None if view is None else next((row for row in view.watch.rows if row.symbol == self.symbol), None)


def _seen(row: WatchRow, kind: AlertKind) -> Decimal | None:
    """Return the current value that the alert would watch."""
    match kind:
        case AlertKind.PRICE:
            return row.last
        case AlertKind.CHANGE:
            return row.change_fraction
        case AlertKind.SPREAD:
            return row.quote.spread if row.quote is not None else None
        case AlertKind.VOLUME:
            return row.volume or None
        case AlertKind.FILL | AlertKind.HALT | AlertKind.NEWS:
            return None


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
