"""The desk's figures of the last minutes: what a fact of an earlier time is compared with (OP-14).

Only in memory: after a start the record is empty, and a fact of before it cannot be checked. What is recorded of a
comparison is its result. Each entry is in force until the next one of its scope; it is dropped `KEPT` after it ended.

Memory is bounded: `MOST_ENTRIES` of a scope and `MOST_IN_ALL`, which are less than 40 MB. A symbol whose quotes change
more than twice a second is kept for less than ten minutes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from core.model.fact_fields import FigureFamily
from core.model.lazy_dataclass import dataclass

KEPT = timedelta(minutes=10)
MOST_ENTRIES = 1_200
MOST_IN_ALL = 20_000
MOST_SCOPES = 512

Figures: TypeAlias = Mapping[str, tuple[Decimal, ...]]
"""By the name of the field. A field of several rows, such as the limits of orders, has one value of each."""


class Scope(NamedTuple):
    """Figures that are read together; `name` is a symbol or an agent, or empty for the account."""

    family: FigureFamily
    name: str


@dataclass(slots=True)
class Entry:
    """Figures, since when they were in force, and when they were last read so."""

    since: datetime
    seen: datetime
    figures: Figures


@dataclass(slots=True)
class FigureRecord:
    entries: dict[Scope, deque[Entry]] = field(default_factory=dict)
    count: int = 0
    guards: set[str] = field(default_factory=set)
    """The names of all guards that were noted: each is a field of facts."""

    def note(self, scope: Scope, at: datetime, figures: Figures, since: datetime | None = None) -> None:
        """Note what the desk reads now; `since` is the figures' own time, if they have one."""
        if scope.family is FigureFamily.GUARDS:
            self.guards.update(figures)
        kept = self.entries.get(scope)
        if kept is None:
            if len(self.entries) >= MOST_SCOPES:
                return
            kept = self.entries[scope] = deque()
        last = kept[-1] if kept else None
        if last is not None and last.figures == figures:
            last.seen = at
            return
        begins = min(since or at, at)
        if last is not None:
            begins = max(begins, last.since)
            old = last.figures  # what did not change is kept once
            figures = {name: old[name] if old.get(name) == each else each for name, each in figures.items()}
        kept.append(Entry(begins, at, figures))
        self.count += 1
        while len(kept) > 1 and (kept[1].since < at - KEPT or len(kept) > MOST_ENTRIES):
            self._drop_oldest(kept)
        if self.count > MOST_IN_ALL:
            self._drop_oldest(max(self.entries.values(), key=len))

    def forget(self) -> None:
        self.entries.clear()
        self.count = 0

    def _drop_oldest(self, kept: deque[Entry]) -> None:
        kept.popleft()
        self.count -= 1

    def newest(self, scope: Scope) -> Entry | None:
        kept = self.entries.get(scope)
        return kept[-1] if kept else None

    def begins_at(self, scope: Scope, at: datetime) -> bool:
        """Whether an entry has exactly this time of its own."""
        return any(entry.since == at for entry in self.entries.get(scope, ()))

    def between(self, scope: Scope, begins: datetime, ends: datetime) -> list[Entry]:
        """Return the entries that were in force in this time, oldest first."""
        found: list[Entry] = []
        until = datetime.max.replace(tzinfo=UTC)
        for entry in reversed(self.entries.get(scope, ())):
            if until <= begins and entry.since < begins:
                break
            if entry.since <= ends:
                found.append(entry)
            until = entry.since
        return found[::-1]
