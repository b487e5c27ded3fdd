"""Filled entries of one strategy in one symbol, or renewals of its stop, that follow each other too fast (RK-24).

A loop that buys again and again, or asks for the same stop again and again, is stopped by its count. The counts are
folded from every journal; the decision that a count is too high is recorded as a fact, so that journals older than this
protection keep their meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from core.risk.protections.base import EVERYTHING, Lock, Locks, Measure, Protection, Scope
from core.settings.protections import RepeatedExecutionSettings

GOES_ON = "you let it go on: o in Protections"
"""The text of its end."""
FILLS, RENEWALS = "filled entries", "renewals of its stop"


@dataclass(slots=True)
class Repeats:
    """For one strategy in one symbol: the times of its entries' first fills and of its stop's renewals."""

    scope: Scope
    fills: list[datetime] = field(default_factory=list)
    renewals: list[datetime] = field(default_factory=list)


@dataclass(slots=True)
class RepeatedExecutionState:
    """`repeats` are keyed by their scope's text; one without a recent time is not kept."""

    repeats: dict[str, Repeats] = field(default_factory=dict)
    locks: Locks = field(default_factory=Locks)


class RepeatedExecution(Protection):
    """Shuts the strategy's entries in the symbol; ends by a typed override, and by no time."""

    name = "repeated_execution"
    is_count = True

    def __init__(self, terms: Callable[[], RepeatedExecutionSettings]) -> None:
        self.terms = terms
        self.state = RepeatedExecutionState()

    @property
    def locks(self) -> Locks:
        return self.state.locks

    def take_fill(self, at: datetime, scope: Scope) -> None:
        """Count the first fill of an entry."""
        found = self._repeats(scope)
        found.fills = [*self._recent(found.fills, at), at]

    def take_renewal(self, at: datetime, scope: Scope) -> None:
        """Count a renewal of its stop by the desk."""
        found = self._repeats(scope)
        found.renewals = [*self._recent(found.renewals, at), at]

    def exceeded(self, scope: Scope, at: datetime) -> str | None:
        """Return why to lock it now; None if nothing is exceeded, or it is locked already."""
        found = self.state.repeats.get(str(scope))
        if found is None or self.locks.on(scope, at) is not None:
            return None
        terms = self.terms()
        for times, limit, what in ((found.fills, terms.fills, FILLS), (found.renewals, terms.renewals, RENEWALS)):
            count = len(self._recent(times, at))
            if count >= limit:
                return f"{count} {what} within {terms.minutes} min, the limit is {limit}"
        return None

    def shut(self, at: datetime, scope: str, reason: str) -> None:
        """Lock it as recorded."""
        found = self.state.repeats.get(scope)
        if found is not None:
            measure = self._measure(found, at)
            limit = measure.limit
            self.locks.shut(Lock(found.scope, at, None, measure.figure or limit, limit, reason))

    def release(self, scope: str) -> None:
        """Reset the counts after the operator's override."""
        found = self.state.repeats.pop(scope, None)
        if found is not None:
            self.locks.lift(found.scope)

    def forget_before(self, at: datetime) -> None:
        """Remove scopes without recent times or a lock."""
        self.state.repeats = {
            key: found
            for key, found in self.state.repeats.items()
            if self._recent(found.fills, at) or self._recent(found.renewals, at) or self.locks.on(found.scope, at)
        }

    def measures(self, at: datetime) -> Iterator[Measure]:
        found = [self._measure(each, at) for each in self.state.repeats.values()]
        counted = [measure for measure in found if measure.figure]
        yield from counted or [Measure(EVERYTHING, Decimal(0), Decimal(self.terms().fills), self._words(FILLS))]

    def _measure(self, found: Repeats, at: datetime) -> Measure:
        """Return the count that is nearer to its limit."""
        terms = self.terms()
        fills, renewals = len(self._recent(found.fills, at)), len(self._recent(found.renewals, at))
        if renewals * terms.fills > fills * terms.renewals:
            return Measure(found.scope, Decimal(renewals), Decimal(terms.renewals), self._words(RENEWALS))
        return Measure(found.scope, Decimal(fills), Decimal(terms.fills), self._words(FILLS))

    def _words(self, what: str) -> str:
        return f"{what} within {self.terms().minutes} min"

    def _repeats(self, scope: Scope) -> Repeats:
        return self.state.repeats.setdefault(str(scope), Repeats(scope))

    def _recent(self, times: list[datetime], at: datetime) -> list[datetime]:
        since = at - timedelta(minutes=self.terms().minutes)
        return [time for time in times if time > since]
