"""What a journal says of its account's controls: when each last tripped, and how many messages its busiest day had."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum

from core.facts import (
    BarClosed,
    CancelRequested,
    ConfirmationRefused,
    OrderApproved,
    OrderCreated,
    OrderFilled,
    OrderStateChanged,
    ProposalSkipped,
    ProposalStaged,
    ProtectionTripped,
    TicketOpened,
)
from core.facts.registry import Fact
from core.model.staging import CheckResult, Verdict
from core.ports import Recorded

QUOTES_A_BAR = 60
"""Of each recorded minute of a symbol: a journal keeps no quotes, and a desk looks at one a second (MD-02)."""
SIX_MONTHS = timedelta(days=183)
"""Over which RTS 6 looks for the busiest day (article 10(a))."""
COUNTED: tuple[type[Fact], ...] = (BarClosed, OrderCreated, CancelRequested, OrderStateChanged, OrderFilled)
"""What was a message from or to a broker."""


class TripKind(Enum):
    REFUSED = "refused"
    WARNED = "warned"
    TRIPPED = "tripped"


@dataclass(frozen=True, slots=True)
class Trip:
    """When a control had something to say, and what; `at` in UTC."""

    at: datetime
    kind: TripKind
    words: str


@dataclass(frozen=True, slots=True)
class BusiestDay:
    """The day with the most messages of six months; `recorded` are those that the journal holds."""

    day: date
    messages: int
    recorded: int


@dataclass(slots=True)
class Reading:
    """What was read so far: `trips` by the name of the check, `days` with their messages, `last` the newest record."""

    trips: dict[str, Trip] = field(default_factory=dict)
    days: dict[date, Counter[type[Fact]]] = field(default_factory=dict)
    last: datetime | None = None

    def busiest(self) -> BusiestDay | None:
        """None where no day has a bar."""
        if self.last is None:
            return None
        since = self.last.date() - SIX_MONTHS
        found = [(_messages(n), day, n.total()) for day, n in self.days.items() if day >= since and n[BarClosed]]
        if not found:
            return None
        messages, day, recorded = max(found)
        return BusiestDay(day, messages, recorded)


def read_of(records: Iterable[Recorded], day_of: Callable[[datetime], date]) -> Reading:
    """Everything that a journal says of the controls.

    Parameters
    ----------
    day_of
        The exchange day of an instant.
    """
    reading = Reading()
    for record in records:
        reading.last = record.at
        fact = record.fact
        if isinstance(fact, COUNTED):
            reading.days.setdefault(day_of(record.at), Counter())[type(fact)] += 1
        for name, kind, words in _said(fact):
            reading.trips[name] = Trip(record.at, kind, words)
    return reading


def _messages(counted: Counter[type[Fact]]) -> int:
    return counted.total() + QUOTES_A_BAR * counted[BarClosed]


def _said(fact: Fact) -> Iterator[tuple[str, TripKind, str]]:
    """Each check that had something to say in a fact. One that only reduces is warned, never refused."""
    match fact:
        case ProtectionTripped():
            yield fact.name.replace("_", " "), TripKind.TRIPPED, f"{fact.scope}: {fact.reason}"
        case ProposalSkipped() | ConfirmationRefused():
            for name, reason in zip(fact.checks, fact.reasons, strict=False):
                yield name, TripKind.REFUSED, reason.removeprefix(f"{name}: ")
        case ProposalStaged() | OrderApproved():
            yield from _warned(fact.review.verdicts)
        case TicketOpened():
            yield from _warned(fact.ticket.review.verdicts)


def _warned(verdicts: Iterable[Verdict]) -> Iterator[tuple[str, TripKind, str]]:
    for verdict in verdicts:
        standing = verdict.standing
        if standing is CheckResult.WARNS:
            yield verdict.check, TripKind.WARNED, verdict.reason
        elif standing is CheckResult.REFUSES:
            yield verdict.check, TripKind.REFUSED, verdict.reason
