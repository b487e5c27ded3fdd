"""What the operator watches."""

from __future__ import annotations

from dataclasses import dataclass

from core.facts.registry import Fact, fact
from core.model.values import Symbol


@fact(version=2)
@dataclass(frozen=True, slots=True)
class WatchlistKept(Fact):
    """The list is this from here on; without symbols it is none any more (MD-06).

    Attributes
    ----------
    is_filed
        Whether its file, or that there is none any more, says the same.
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
