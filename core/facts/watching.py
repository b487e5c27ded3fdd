"""The operator's watchlists."""

from __future__ import annotations

from dataclasses import dataclass

from core.facts.registry import Fact, fact
from core.model.values import Symbol


@fact(version=2)
@dataclass(frozen=True, slots=True)
class WatchlistKept(Fact):
    """A watchlist was saved; an empty one is removed (MD-06).

    Attributes
    ----------
    is_filed
        Whether its file, or its absence, says the same.
    """

    name: str
    symbols: tuple[Symbol, ...]
    is_filed: bool = False


@fact()
@dataclass(frozen=True, slots=True)
class WatchlistRefused(Fact):
    """The list stays as it was, and why."""

    name: str
    reason: str
