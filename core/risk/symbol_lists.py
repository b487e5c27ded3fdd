"""The slice of the lists: symbols without entries, with author, reason and end (RK-26)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from core.facts import DayStarted, SymbolListed, SymbolUnlisted
from core.model.symbol_list import ListedSymbol, ListKind
from core.model.values import Symbol


@dataclass(slots=True)
class SymbolListsState:
    """By symbol, and by the list's own word."""

    by_symbol: dict[Symbol, dict[str, ListedSymbol]] = field(default_factory=dict)


class SymbolLists:
    name = "symbol_lists"

    def __init__(self) -> None:
        self.state = SymbolListsState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            SymbolListed: self._listed,
            SymbolUnlisted: self._unlisted,
            DayStarted: self._day_started,
        }

    def restore(self, state: SymbolListsState) -> None:
        self.state = state

    def on(self, symbol: Symbol, day: date) -> tuple[ListedSymbol, ...]:
        """Return the list entries that block the symbol on a trading day."""
        found = self.state.by_symbol.get(symbol)
        return () if found is None else tuple(each for each in found.values() if each.holds(day))

    def entry(self, symbol: Symbol, kind: ListKind) -> ListedSymbol | None:
        return self.state.by_symbol.get(symbol, {}).get(kind.value)

    def holding(self, day: date) -> Iterator[ListedSymbol]:
        """Yield all entries in force, by symbol."""
        for symbol in sorted(self.state.by_symbol):
            yield from self.on(symbol, day)

    def _listed(self, at: datetime, fact: SymbolListed) -> None:
        listed = ListedSymbol(fact.symbol, fact.kind, fact.reason, fact.day, at, fact.until)
        self.state.by_symbol.setdefault(fact.symbol, {})[fact.kind.value] = listed

    def _unlisted(self, _at: datetime, fact: SymbolUnlisted) -> None:
        found = self.state.by_symbol.get(fact.symbol, {})
        found.pop(fact.kind.value, None)
        if not found:
            self.state.by_symbol.pop(fact.symbol, None)

    def _day_started(self, _at: datetime, fact: DayStarted) -> None:
        """Remove restrictions whose end day has come."""
        for symbol, found in list(self.state.by_symbol.items()):
            kept = {kind: listed for kind, listed in found.items() if listed.holds(fact.day)}
            if kept:
                self.state.by_symbol[symbol] = kept
            else:
                del self.state.by_symbol[symbol]
