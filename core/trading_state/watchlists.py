"""The slice of the watchlists: the operator's named lists of symbols (MD-06)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.facts import WatchlistKept
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
