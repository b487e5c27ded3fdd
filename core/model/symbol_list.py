"""Lists of symbols without entries: never trade, close only, restricted until a day (RK-26)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from core.model.values import Symbol

LONGEST_REASON = 80
"""Characters."""


class ListKind(Enum):
    """The lists; one symbol may be on several. All of them block entries alone."""

    NEVER = "never trade"
    CLOSE_ONLY = "close only"
    RESTRICTED = "restricted"


@dataclass(frozen=True, slots=True)
class ListedSymbol:
    """A symbol on a list.

    Attributes
    ----------
    since, at
        The trading day, and the instant, at which it was added.
    until
        For a restriction, the first trading day on which entries pass again; else None: the operator ends it.
    """

    symbol: Symbol
    kind: ListKind
    reason: str
    since: date
    at: datetime
    until: date | None = None

    def holds(self, day: date) -> bool:
        return self.until is None or day < self.until

    @property
    def words(self) -> str:
        """As in `never trade since 2026-11-19: no borrow`; `restricted until 2026-12-01, since 2026-11-19:
        earnings`.
        """
        until = "" if self.until is None else f" until {self.until},"
        return f"{self.kind.value}{until} since {self.since}: {self.reason}"
