"""The base of protections: they fold facts, lock entries of a scope, and report their measures.

A lock ends a stated time after the last trade that counted for it (as in freqtrade); one without an end holds until its
protection lifts it. A lock that is tripped again keeps its first start. Queries read the locks in force and never scan
the past (RK-09).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import field, replace
from datetime import date, datetime
from decimal import Decimal

from core.model.bar import Bar
from core.model.lazy_dataclass import dataclass
from core.model.session import Venue
from core.model.values import Symbol, percent, plain
from core.risk.protections.closed_trades import ClosedTrade, Direction


@dataclass(frozen=True, slots=True)
class Scope:
    """The scope of a lock or an entry; a part that is None means all."""

    symbol: Symbol | None = None
    direction: Direction | None = None
    strategy: str | None = None

    def covers(self, entry: Scope) -> bool:
        return (
            self.symbol in (None, entry.symbol)
            and self.direction in (None, entry.direction)
            and self.strategy in (None, entry.strategy)
        )

    def __str__(self) -> str:
        """As in `SPY`, `SPY long`, `short`, `vwap`; `global` if nothing is named."""
        return " ".join(part for part in (self.symbol, self.direction, self.strategy) if part) or GLOBAL


GLOBAL = "global"
EVERYTHING = Scope()


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock on entries of a scope.

    Attributes
    ----------
    until
        None if no time ends it: its protection lifts it.
    measure, limit
        The measure that tripped it and the limit, in the same unit.
    again_at
        When it tripped again while it held; None if it did not.
    reason
        The reason with the limit, as text.
    """

    scope: Scope
    since: datetime
    until: datetime | None
    measure: Decimal
    limit: Decimal
    reason: str
    again_at: datetime | None = None

    @property
    def tripped_at(self) -> datetime:
        """When it tripped last."""
        return self.again_at or self.since

    def holds(self, at: datetime) -> bool:
        return self.until is None or at < self.until

    def end(self, venue: Venue) -> str:
        """As in `until 10:30 London`; with the day if it is another one: `until Mon 11 Mar 11:06 London`."""
        if self.until is None:
            return "until it recovers"
        return f"until {venue.dated(self.until, self.tripped_at)}"


@dataclass(frozen=True, slots=True)
class Measure:
    """A protection's current measure in one scope, with its text.

    `figure` is None before there is one; `progress` tells how far it is from one: `3 of 20 trades`.
    """

    scope: Scope
    figure: Decimal | None
    limit: Decimal
    words: str
    progress: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The status of a protection in one scope.

    Attributes
    ----------
    measure, limit
        In the same unit: a fraction, or a count if `is_count`; None if there is nothing to measure yet.
    since, tripped_at
        When it locked, and when it tripped last; None while it is open.
    """

    name: str
    scope: Scope
    is_tripped: bool
    measure: Decimal | None
    limit: Decimal | None
    reason: str
    since: datetime | None = None
    until: datetime | None = None
    is_count: bool = False
    tripped_at: datetime | None = None
    progress: str = ""

    @property
    def used(self) -> Decimal | None:
        """Measure over limit, 0 to 1; None if the limit is zero, or nothing is measured."""
        if not self.limit or self.measure is None:
            return None
        return min(max(self.measure / self.limit, Decimal(0)), Decimal(1))

    @property
    def figures(self) -> str:
        """As in `2 of 3`, `1.20 % of 1.50 %`; before there is a figure `3 of 20 trades`, or `unknown; limit 1.50 %`."""
        limit = self._in_words(self.limit)
        return self.progress or (
            f"unknown; limit {limit}" if self.measure is None else f"{self._in_words(self.measure)} of {limit}"
        )

    def _in_words(self, number: Decimal | None) -> str:
        if number is None:
            return "unknown"
        return plain(number) if self.is_count else percent(number)


@dataclass(slots=True)
class Locks:
    """The locks of one protection, by their scope's text."""

    by_scope: dict[str, Lock] = field(default_factory=dict)

    def shut(self, lock: Lock) -> None:
        """Lock a scope. If it is locked already, keep its start and the later end."""
        held = self.by_scope.get(str(lock.scope))
        if held is not None and held.holds(lock.since):
            until = None if held.until is None or lock.until is None else max(held.until, lock.until)
            lock = replace(lock, since=held.since, until=until, again_at=lock.since)
        self.by_scope[str(lock.scope)] = lock

    def lift(self, scope: Scope) -> bool:
        """Unlock a scope before its time. Return whether it was locked."""
        return self.by_scope.pop(str(scope), None) is not None

    def holding(self, at: datetime) -> Iterator[Lock]:
        return (lock for lock in self.by_scope.values() if lock.holds(at))

    def on(self, scope: Scope, at: datetime) -> Lock | None:
        lock = self.by_scope.get(str(scope))
        return lock if lock is not None and lock.holds(at) else None

    def forget_before(self, at: datetime) -> None:
        """Remove expired locks."""
        self.by_scope = {key: lock for key, lock in self.by_scope.items() if lock.holds(at)}


class Protection(ABC):
    """A protection. Its state is plain data, folded from facts alone, and survives a restart."""

    name: str
    is_count = False
    """Whether it measures a count; else a fraction."""

    @property
    @abstractmethod
    def locks(self) -> Locks: ...

    @abstractmethod
    def measures(self, at: datetime) -> Iterator[Measure]:
        """Yield its current measures per scope; at least one if no lock holds."""

    def answers(self, at: datetime) -> Iterator[Answer]:
        """Yield its status per scope, including locked scopes without a current measure."""
        told: set[str] = set()
        for measure in self.measures(at):
            scope = str(measure.scope)
            told.add(scope)
            lock = self.locks.by_scope.get(scope)
            yield self._free(measure) if lock is None or not lock.holds(at) else self._shut(lock)
        for lock in self.locks.holding(at):
            if str(lock.scope) not in told:
                yield self._shut(lock)

    def _free(self, measure: Measure) -> Answer:
        return Answer(
            self.name,
            measure.scope,
            False,
            measure.figure,
            measure.limit,
            measure.words,
            is_count=self.is_count,
            progress=measure.progress,
        )

    def _shut(self, lock: Lock) -> Answer:
        return Answer(
            self.name,
            lock.scope,
            True,
            lock.measure,
            lock.limit,
            lock.reason,
            lock.since,
            lock.until,
            self.is_count,
            lock.tripped_at,
        )


class TradeProtection(Protection):
    """A protection that counts closed trades."""

    @abstractmethod
    def take(self, trade: ClosedTrade) -> None:
        """Add a closed trade. Times never go back: a late one counts at the newest time."""


class BarProtection(Protection):
    """A protection that watches the market."""

    @abstractmethod
    def take_bar(self, bar: Bar, day: date) -> bool:
        """Add a complete minute of this trading day. Return whether it tripped something."""
