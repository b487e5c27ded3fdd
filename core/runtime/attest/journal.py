"""What a journal says of its account's controls: when each last tripped, and how many messages its busiest day had."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from core.facts import BarClosed, CancelRequested, Fact, OrderCreated, OrderFilled, OrderStateChanged
from core.ports import Recorded
from core.post_mortem.control_trips import Trip, TripKind, said_in

QUOTES_A_BAR = 60
"""Of each recorded minute of a symbol: a journal keeps no quotes, and a desk looks at one a second (MD-02)."""
SIX_MONTHS = timedelta(days=183)
"""Over which RTS 6 looks for the busiest day (article 10(a))."""
COUNTED: tuple[type[Fact], ...] = (BarClosed, OrderCreated, CancelRequested, OrderStateChanged, OrderFilled)
"""What was a message from or to a broker."""


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
        for name, kind, words in said_in(fact):
            of_its_kind = reading.warnings if kind is TripKind.WARNED else reading.trips
            of_its_kind[name] = Trip(record.at, kind, words)
    return reading


def _messages(counted: Counter[type[Fact]]) -> int:
    return counted.total() + QUOTES_A_BAR * counted[BarClosed]
