"""How many messages and requests went to the broker, and what each kind of them may use of its limit (RK-24).

Messages are submissions, replacements and cancels, of a second, a minute and a day, against `risk.messages`. They are
folded from what was recorded before it was sent, so that a restart forgets none of them. What was recorded and never
left counts too: it errs against the desk.

Requests are all that go to the broker's trading API, of a minute, against the broker's own limit: messages, figures
for tickets, and queries (books, look-ups, account, activities, properties of assets). No fact holds a query, so
requests are counted in memory as they leave. Of an earlier run that stopped within the minute, or that nobody saw stop,
as many are assumed as keep both within the limit, where the earlier one left the reserve alone and this one does too:
100 of Alpaca's 200; the recorded messages where these were more.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum
from functools import lru_cache
from typing import Any, NamedTuple

from core.facts import CancelRequested, EngineStarted, EngineStopped, OrderCreated
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


class Share(IntEnum):
    """Thirds of what the reserve leaves of a minute that a query may use; entries may use all of it, exits and cancels
    the reserve too. A query that has waited moves up.
    """

    LEAST = 1
    """The account, activities, properties of what is only watched."""
    USUAL = 2
    """Comparisons of the books, look-ups."""
    AWAITED = 3
    """What an exit, a kill or a person waits for."""


@dataclass(slots=True)
class MessageCountsState:
    """`recent` are the times of the last minute, the oldest first. `stopped_at` is the clean stop of the last run,
    `before` when the run before this one may have sent its last request.
    """

    recent: list[datetime] = field(default_factory=list)
    day: date | None = None
    of_day: int = 0
    is_running: bool = False
    stopped_at: datetime | None = None
    before: datetime | None = None


class MessageCounts:
    """`day_of` tells the trading day of a time."""

    name = "message_counts"

    def __init__(self, day_of: Callable[[datetime], date]) -> None:
        self.day_of = day_of
        self.state = MessageCountsState()
        self._requests: list[tuple[datetime, int]] = []
        self._is_begun = False
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            OrderCreated: self._created,
            CancelRequested: self._sent,
            EngineStarted: self._started,
            EngineStopped: self._stopped,
        }

    def restore(self, state: MessageCountsState) -> None:
        self.state = state

    def sent(self, at: datetime, day: date) -> Sent:
        recent = self.state.recent
        in_second = len(recent) - bisect_right(recent, at - SECOND)
        in_minute = len(recent) - bisect_right(recent, at - MINUTE)
        return Sent(in_second, in_minute, self.state.of_day if self.state.day == day else 0)

    def count(self, at: datetime, requests: int, assumed: int = 0) -> None:
        """So many requests leave now; `assumed` is what an earlier run may have sent that stopped just before."""
        if not self._is_begun:
            self._is_begun = True
            self._requests = [(sent_at, 1) for sent_at in self.state.recent if sent_at < at]
            before = self.state.before
            if before is not None and assumed > len(self._requests):
                self._requests.append((before, assumed - len(self._requests)))
                self._requests.sort(key=lambda one: one[0])
        del self._requests[: self._over(at)]
        self._requests.append((at, requests))

    def requests(self, at: datetime) -> int:
        """Of the last minute."""
        return sum(requests for _, requests in self._requests[self._over(at) :])

    def room_from(self, at: datetime, requests: int, allowed: int) -> datetime:
        """When so many go without more than is allowed in their minute; at the latest when none of it counts."""
        left = self._requests[self._over(at) :]
        total = sum(count for _, count in left)
        for sent_at, count in left:
            if total + requests <= allowed:
                break
            at, total = sent_at + MINUTE, total - count
        return at

    def _over(self, at: datetime) -> int:
        return bisect_right(self._requests, at - MINUTE, key=lambda one: one[0])

    def is_quiet(self, limits: MessageLimits, reserve: Decimal) -> bool:
        """Whether not even all that is remembered would fill a limit: nothing need be counted then."""
        smallest = limits.second if limits.second < limits.minute else limits.minute
        is_short = len(self.state.recent) < for_entries(smallest, reserve)
        return is_short and self.state.of_day < for_entries(limits.day, reserve)

    def _created(self, at: datetime, fact: OrderCreated) -> None:
        if fact.role is None:  # a leg is the broker's own
            self._sent(at, fact)

    def _started(self, at: datetime, _fact: EngineStarted) -> None:
        state = self.state
        state.before = at if state.is_running else state.stopped_at
        state.is_running = True

    def _stopped(self, at: datetime, _fact: EngineStopped) -> None:
        self.state.is_running, self.state.stopped_at = False, at

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


def of_an_earlier_run(limit: int, reserve: Decimal) -> int:
    """Requests that are assumed of it: what it may have used beside the reserve, and this run may, is the limit."""
    return max(0, 2 * for_entries(limit, reserve) - limit)


def for_queries(limit: int, reserve: Decimal, share: Share) -> int:
    """What of a minute is used by everything together when a query of this share goes last."""
    return max(1, for_entries(limit, reserve) * share // Share.AWAITED)


@lru_cache(maxsize=64)
def for_entries(limit: int, reserve: Decimal) -> int:
    """What of a limit entries may use: the rest is kept for exits and cancels. Where nothing was sent it is never full,
    though settings of before may keep all of it, or a broker take hardly any.
    """
    return max(1, beside_the_reserve(limit, reserve))
