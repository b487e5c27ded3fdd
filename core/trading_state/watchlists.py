"""The slices of watchlists and alerts, and the known prices of watched symbols (MD-06)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.facts import AlertDropped, AlertKept, AlertRang, WatchlistKept
from core.model.alert import EVENTS, Alert
from core.model.values import Symbol


@dataclass(slots=True)
class WatchlistsState:
    """`lists` in the order of their creation; `filed` are those that equal their file."""

    lists: dict[str, tuple[Symbol, ...]] = field(default_factory=dict)
    filed: tuple[str, ...] = ()


class Watchlists:
    name = "watchlists"

    def __init__(self) -> None:
        self.state = WatchlistsState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {WatchlistKept: self._kept}

    def restore(self, state: WatchlistsState) -> None:
        self.state = state

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """The symbols of all lists, each once."""
        return tuple(dict.fromkeys(symbol for symbols in self.state.lists.values() for symbol in symbols))

    def _kept(self, _at: datetime, fact: WatchlistKept) -> None:
        others = tuple(name for name in self.state.filed if name != fact.name)
        self.state.filed = (*others, fact.name) if fact.is_filed and fact.symbols else others
        if fact.symbols:
            self.state.lists[fact.name] = fact.symbols
        else:
            self.state.lists.pop(fact.name, None)


NONE: tuple[Alert, ...] = ()


@dataclass(slots=True)
class AlertsState:
    """`last` is the last number given; `rung` counts triggered alerts."""

    kept: dict[int, Alert] = field(default_factory=dict)
    last: int = 0
    rung: int = 0


class Alerts:
    name = "alerts"

    def __init__(self) -> None:
        self.state = AlertsState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            AlertKept: self._kept,
            AlertDropped: self._dropped,
            AlertRang: self._rang,
        }
        self._by_symbol: dict[Symbol, tuple[Alert, ...]] = {}

    def restore(self, state: AlertsState) -> None:
        self.state = state
        self._sort()

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """Each symbol once, in the order of their first alert."""
        return tuple(self._by_symbol)

    def of(self, symbol: Symbol) -> tuple[Alert, ...]:
        return self._by_symbol.get(symbol, NONE)

    def _sort(self) -> None:
        self._by_symbol = {}
        for alert in self.state.kept.values():
            self._by_symbol[alert.terms.symbol] = (*self.of(alert.terms.symbol), alert)

    def _kept(self, _at: datetime, fact: AlertKept) -> None:
        self.state.kept[fact.alert.number] = fact.alert
        self.state.last = max(self.state.last, fact.alert.number)
        self._sort()

    def _dropped(self, _at: datetime, fact: AlertDropped) -> None:
        self.state.kept.pop(fact.alert.number, None)
        self._sort()

    def _rang(self, _at: datetime, fact: AlertRang) -> None:
        self.state.rung += 1
        if fact.alert.terms.kind not in EVENTS:
            self.state.kept.pop(fact.alert.number, None)
            self._sort()
