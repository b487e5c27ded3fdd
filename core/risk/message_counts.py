"""How many messages went to the broker: submissions, replacements and cancels, of a second, a minute and a day (RK-24).

A slice: folded from what was recorded before it was sent, so that a restart forgets none of them. What was recorded and
never left counts too: it errs against the desk.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from core.facts import CancelRequested, OrderCreated
from core.settings.conduct import MessageSettings, beside_the_reserve

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


class Sent(NamedTuple):
    """Messages of the last second, of the last minute, and of the trading day."""

    second: int
    minute: int
    day: int


class MessageLimits(NamedTuple):
    """The same, as they may be at most."""

    second: int
    minute: int
    day: int


@dataclass(slots=True)
class MessageCountsState:
    """`recent` are the times of the last minute, the oldest first."""

    recent: list[datetime] = field(default_factory=list)
    day: date | None = None
    of_day: int = 0


class MessageCounts:
    """`day_of` tells the trading day of a time."""

    name = "message_counts"

    def __init__(self, day_of: Callable[[datetime], date]) -> None:
        self.day_of = day_of
        self.state = MessageCountsState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            OrderCreated: self._created,
            CancelRequested: self._sent,
        }

    def restore(self, state: MessageCountsState) -> None:
        self.state = state

    def sent(self, at: datetime, day: date) -> Sent:
        recent = self.state.recent
        in_second = len(recent) - bisect_right(recent, at - SECOND)
        in_minute = len(recent) - bisect_right(recent, at - MINUTE)
        return Sent(in_second, in_minute, self.state.of_day if self.state.day == day else 0)

    def is_quiet(self, limits: MessageLimits, reserve: Decimal) -> bool:
        """Whether not even all that is remembered would fill a limit: nothing need be counted then."""
        smallest = limits.second if limits.second < limits.minute else limits.minute
        is_short = len(self.state.recent) < for_entries(smallest, reserve)
        return is_short and self.state.of_day < for_entries(limits.day, reserve)

    def _created(self, at: datetime, fact: OrderCreated) -> None:
        if fact.role is None:  # a leg is the broker's own
            self._sent(at, fact)

    def _sent(self, at: datetime, _fact: object) -> None:
        state, day = self.state, self.day_of(at)
        del state.recent[: bisect_right(state.recent, at - MINUTE)]
        state.recent.append(at)
        if state.day != day:
            state.day, state.of_day = day, 0
        state.of_day += 1


def limits_of(terms: MessageSettings, broker_a_minute: int | None) -> MessageLimits:
    """What the settings let go, and no more in a minute than the broker takes."""
    minute = terms.per_minute
    if broker_a_minute is not None and broker_a_minute < minute:
        minute = broker_a_minute
    return MessageLimits(terms.per_second, minute, terms.per_day)


@lru_cache(maxsize=64)
def for_entries(limit: int, reserve: Decimal) -> int:
    """What of a limit entries may use: the rest is kept for exits and cancels. Where nothing was sent it is never full,
    though settings of before may keep all of it, or a broker take hardly any.
    """
    return max(1, beside_the_reserve(limit, reserve))
