"""Read an account's journal: when each control last tripped, and how many messages the busiest day had."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from core.facts import BarClosed, CancelRequested, Fact, OrderCreated, OrderFilled, OrderStateChanged
from core.ports import Recorded
from core.post_mortem.control_trips import Trip, TripKind, said_in

QUOTES_A_BAR = 60
"""Quotes assumed per recorded minute of a symbol: a journal has none, and a desk reads one a second (MD-02)."""
SIX_MONTHS = timedelta(days=183)
"""The period over which RTS 6 looks for the busiest day (article 10(a))."""
COUNTED: tuple[type[Fact], ...] = (BarClosed, OrderCreated, CancelRequested, OrderStateChanged, OrderFilled)
"""Facts that each count as one message from or to a broker."""


@dataclass(frozen=True, slots=True)
class BusiestDay:
    """The day with the most messages in six months; `recorded` counts those in the journal."""

    day: date
    messages: int
    recorded: int


@dataclass(slots=True)
class Reading:
    """The controls' trips and the message counts read so far.

    Attributes
    ----------
    trips, warnings
        The newest of each control, by its name; a warning never replaces a trip.
    days
        Message counts by day.
    last
        The time of the newest record.
    """

    trips: dict[str, Trip] = field(default_factory=dict)
    warnings: dict[str, Trip] = field(default_factory=dict)
    days: dict[date, Counter[type[Fact]]] = field(default_factory=dict)
    last: datetime | None = None

    def busiest(self) -> BusiestDay | None:
        """Return the busiest day, or None if no day has a bar."""
        if self.last is None:
            return None
        since = self.last.date() - SIX_MONTHS
        found = [(_messages(n), day, n.total()) for day, n in self.days.items() if day >= since and n[BarClosed]]
        if not found:
            return None
        messages, day, recorded = max(found)
        return BusiestDay(day, messages, recorded)


def read_of(records: Iterable[Recorded], day_of: Callable[[datetime], date]) -> Reading:
    """Read the trips, warnings and message counts of a journal.

    Parameters
    ----------
    day_of
        Maps an instant to its exchange day.
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
