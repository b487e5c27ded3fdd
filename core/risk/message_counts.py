"""Count messages and requests to the broker, and compute each kind's share of the limit (RK-24).

Messages are submissions, replacements and cancels, per second, minute and day, against `risk.messages`. They are folded
from records written before sending, so a restart forgets none. A recorded message that was never sent counts too, which
errs on the safe side.

Requests are all calls of the broker's trading API, per minute, against the broker's own limit: messages, figures for
tickets, and queries (books, look-ups, account, activities, properties of assets). No fact holds a query, so requests
are counted in memory as they are sent. If an earlier run stopped within the minute, or without a clean stop, its
requests are assumed: as many as keep both runs within the limit, if both leave the reserve unused (100 of Alpaca's
200), or the recorded messages and a few queries beside them if these are more.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum
from functools import lru_cache
from typing import Any, NamedTuple

from core.facts import CancelRequested, EngineStarted, EngineStopped, OrderCreated, OtherTakenBack
from core.model.lazy_dataclass import dataclass
from core.settings.risk import MessageSettings, beside_the_reserve

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
QUERIES = 12
"""Unrecorded requests of an earlier run beside its recorded messages: two copies of the books."""
KEPT = MINUTE + SECOND
"""Time for which sent requests are counted."""


def limit_wait(seconds: float) -> timedelta:
    """Return how long to wait after a stated 429: as long as it says, a minute at the most.

    The limit is one of a minute. A longer wait, which a wrong clock can make of it, would keep exits from the broker.
    """
    return timedelta(seconds=min(max(seconds, 0.0), MINUTE.total_seconds()))


class Sent(NamedTuple):
    """Messages of the last second, of the last minute, and of the trading day."""

    second: int
    minute: int
    day: int


class MessageLimits(NamedTuple):
    """The limits of each."""

    second: int
    minute: int
    day: int


class Share(IntEnum):
    """Thirds of a minute's limit less the reserve that a query may use.

    Entries may use all of it, exits and cancels the reserve too. A query that has waited gets a larger share.
    """

    LEAST = 1
    """The account, activities, properties of symbols that are only watched."""
    USUAL = 2
    """Comparisons of the books, look-ups."""
    AWAITED = 3
    """Queries that an exit, a kill or the operator waits for."""


@dataclass(slots=True)
class MessageCountsState:
    """Recorded messages.

    `recent` are the times of the last minute, oldest first. `stopped_at` is the clean stop of the last run; `before` is
    the latest time at which the run before this one may have sent a request.
    """

    recent: list[datetime] = field(default_factory=list)
    day: date | None = None
    of_day: int = 0
    is_running: bool = False
    stopped_at: datetime | None = None
    before: datetime | None = None


class MessageCounts:
    """Folds messages and counts requests. `day_of` returns the trading day of a time."""

    name = "message_counts"

    def __init__(self, day_of: Callable[[datetime], date]) -> None:
        self.day_of = day_of
        self.state = MessageCountsState()
        self._requests: list[tuple[datetime, int]] = []
        self._is_begun = False
        self._assumed_until: datetime | None = None
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            OrderCreated: self._created,
            CancelRequested: self._sent,
            OtherTakenBack: self._sent,
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
        """Count requests that are sent now; `assumed` is how many a run that stopped just before may have sent."""
        if not self._is_begun:
            self._is_begun = True
            self._requests = [(sent_at, 1) for sent_at in self.state.recent if sent_at < at]
            before = self.state.before
            if before is not None and assumed:
                unrecorded = max(assumed - len(self._requests), min(assumed, QUERIES))
                self._requests.append((before, unrecorded))
                self._assumed_until = before + MINUTE
                self._requests.sort(key=lambda one: one[0])
        del self._requests[: self._over(at, KEPT)]
        self._requests.append((at, requests))

    def requests(self, at: datetime, window: timedelta = MINUTE) -> int:
        """Return the requests of the last minute, or of another time up to `KEPT`."""
        return sum(requests for _, requests in self._requests[self._over(at, window) :])

    def assumed_until(self, at: datetime) -> datetime | None:
        """Return until when requests of the run before are assumed; None if none are, or no more."""
        until = self._assumed_until
        return until if until is not None and at < until else None

    def room_from(self, at: datetime, requests: int, allowed: int, window: timedelta = MINUTE) -> datetime:
        """Return when so many requests fit into the limit of their minute, or of another time up to `KEPT`.

        At the latest when all earlier ones have expired.
        """
        left = self._requests[self._over(at, window) :]
        total = sum(count for _, count in left)
        for sent_at, count in left:
            if total + requests <= allowed:
                break
            at, total = sent_at + window, total - count
        return at

    def _over(self, at: datetime, window: timedelta) -> int:
        return bisect_right(self._requests, at - window, key=lambda one: one[0])

    def is_quiet(self, limits: MessageLimits, reserve: Decimal) -> bool:
        """Return whether all remembered messages together stay below every limit, so that no count is needed."""
        smallest = limits.second if limits.second < limits.minute else limits.minute
        is_short = len(self.state.recent) < for_entries(smallest, reserve)
        return is_short and self.state.of_day < for_entries(limits.day, reserve)

    def _created(self, at: datetime, fact: OrderCreated) -> None:
        if fact.role is None:  # the broker itself sends legs
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
    """Return the settings' limits, with at most the broker's limit per minute."""
    minute = terms.per_minute
    if broker_a_minute is not None and broker_a_minute < minute:
        minute = broker_a_minute
    return MessageLimits(terms.per_second, minute, terms.per_day)


def of_an_earlier_run(limit: int, reserve: Decimal) -> int:
    """Return the requests to assume of an earlier run: so many that it and this run, both without the reserve, fill the
    limit.
    """
    return max(0, 2 * for_entries(limit, reserve) - limit)


def for_queries(limit: int, reserve: Decimal, share: Share) -> int:
    """Return the limit on all requests of a minute, this query included, for a query of this share."""
    return max(1, for_entries(limit, reserve) * share // Share.AWAITED)


@lru_cache(maxsize=64)
def for_entries(limit: int, reserve: Decimal) -> int:
    """Return the part of a limit that entries may use; the rest is reserved for exits and cancels.

    At least 1, so that a limit is never full before anything was sent, even if older settings reserve all of it or the
    broker allows hardly any.
    """
    return max(1, beside_the_reserve(limit, reserve))
