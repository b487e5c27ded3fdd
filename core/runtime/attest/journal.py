"""What a journal says of its account's controls: when each last tripped, and how many messages its busiest day had."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum

from core.facts import (
    BarClosed,
    BasketOpened,
    BasketOrderSkipped,
    BasketRefused,
    BasketSigned,
    BreakerOpened,
    CancelRequested,
    ConfirmationRefused,
    Halted,
    Killed,
    OrderApproved,
    OrderCreated,
    OrderFilled,
    OrderStateChanged,
    ProposalEdited,
    ProposalSkipped,
    ProposalStaged,
    ProtectionTripped,
    TicketOpened,
)
from core.facts.registry import Fact
from core.model.codes import CancelCode
from core.model.staging import CheckResult, Verdict
from core.ports import Recorded
from core.risk.checks.verdicts import UNMEASURED
from core.risk.controls import BY_NAME

QUOTES_A_BAR = 60
"""Of each recorded minute of a symbol: a journal keeps no quotes, and a desk looks at one a second (MD-02)."""
SIX_MONTHS = timedelta(days=183)
"""Over which RTS 6 looks for the busiest day (article 10(a))."""
COUNTED: tuple[type[Fact], ...] = (BarClosed, OrderCreated, CancelRequested, OrderStateChanged, OrderFilled)
"""What was a message from or to a broker."""
TAKES_BACK: Mapping[CancelCode, str] = {
    CancelCode.KILLED: "kill switch",
    CancelCode.LISTED: "lists",
    CancelCode.REPEATED: "repeated execution",
}
"""Whose cancel it is that is asked for with such a code."""


class TripKind(Enum):
    REFUSED = "refused"
    TRIPPED = "tripped"
    """It shut: a halt, a kill, an opening of the breaker, a protection."""
    TOOK_BACK = "took back"
    """An order that worked is cancelled."""
    WARNED = "warned"
    """Of its own limit: the order went all the same."""


@dataclass(frozen=True, slots=True)
class Trip:
    """When a control acted, or warned, and in which words; `at` in UTC."""

    at: datetime
    kind: TripKind
    words: str


Said = tuple[str, TripKind, str]
"""By which control, what it did, in which words."""


@dataclass(frozen=True, slots=True)
class BusiestDay:
    """The day with the most messages of six months; `recorded` are those that the journal holds."""

    day: date
    messages: int
    recorded: int


@dataclass(slots=True)
class Reading:
    """What was read so far.

    Attributes
    ----------
    trips, warnings
        The newest of each control, by its name; no warning takes the place of a trip.
    days
        With their messages.
    last
        When the newest record was.
    """

    trips: dict[str, Trip] = field(default_factory=dict)
    warnings: dict[str, Trip] = field(default_factory=dict)
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
            of_its_kind = reading.warnings if kind is TripKind.WARNED else reading.trips
            of_its_kind[name] = Trip(record.at, kind, words)
    return reading


def _messages(counted: Counter[type[Fact]]) -> int:
    return counted.total() + QUOTES_A_BAR * counted[BarClosed]


def _said(fact: Fact) -> Iterator[Said]:
    """Each control that acted in a fact, or warned. An order that only reduces is warned of, never refused."""
    match fact:
        case Halted():
            yield "kill switch", TripKind.TRIPPED, f"halted: {fact.reason}"
        case Killed():
            yield "kill switch", TripKind.TRIPPED, f"killed by {fact.by}"
        case BreakerOpened():
            yield "breaker", TripKind.TRIPPED, fact.reason
        case ProtectionTripped():
            yield fact.name.replace("_", " "), TripKind.TRIPPED, f"{fact.scope}: {fact.reason}"
        case CancelRequested(code=code) if code in TAKES_BACK:
            yield TAKES_BACK[code], TripKind.TOOK_BACK, fact.reason
        case ProposalSkipped() | ConfirmationRefused():
            for name, reason in zip(fact.checks, fact.reasons, strict=False):
                yield name, TripKind.REFUSED, reason.removeprefix(f"{name}: ")
        case BasketOpened():
            for line in fact.plan.lines:
                yield from _refused(line.refusals)
        case BasketSigned():
            for _, reasons in fact.left_out:
                yield from _refused(reasons)
        case BasketRefused() | BasketOrderSkipped():
            yield from _refused(fact.reasons)
        case ProposalStaged() | ProposalEdited() | OrderApproved():
            yield from _judged(fact.review.verdicts)
        case TicketOpened():
            yield from _judged(fact.ticket.review.verdicts)


def _refused(reasons: Iterable[str]) -> Iterator[Said]:
    """Of a basket's row: its reasons begin with the name of the check, where one gave them."""
    for reason in reasons:
        name, _, words = reason.partition(": ")
        if name in BY_NAME:
            yield name, TripKind.REFUSED, words


def _judged(verdicts: Iterable[Verdict]) -> Iterator[Said]:
    """What measured nothing, as no figure was there yet, is no warning of a limit."""
    for verdict in verdicts:
        standing = verdict.standing
        if standing is CheckResult.WARNS and not any(words in verdict.reason for words in UNMEASURED):
            yield verdict.check, TripKind.WARNED, verdict.reason
        elif standing is CheckResult.REFUSES:
            yield verdict.check, TripKind.REFUSED, verdict.reason
