"""What comes in from streams and threads, until the engine's thread takes it: by priority, and of quotes the newest."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

from core.market.port import Heard
from core.messages.inputs import BrokerUpdated, ConnectionChanged, Input, Priority, QuoteArrived
from core.model.broker import OrderUpdate
from core.model.connection import Channel, ConnectionState, ConnectionStatus
from core.model.values import Symbol


class Inbox:
    """Any thread puts; one takes. `wake` tells that one, never waits and never raises."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._waiting: dict[Priority, deque[Input]] = {priority: deque() for priority in Priority}
        self._quotes: dict[Symbol, QuoteArrived] = {}
        self._lamps: dict[Channel, ConnectionStatus] = {}
        self._lock = threading.Lock()

    def put(self, priority: Priority, message: Input) -> None:
        self._waiting[priority].append(message)
        self._wake()

    def put_quietly(self, priority: Priority, message: Input) -> None:
        """Nobody is told: whoever puts it sees to it that it is looked at."""
        self._waiting[priority].append(message)

    def hear_update(self, update: OrderUpdate) -> None:
        self.put(Priority.BROKER, BrokerUpdated(update))

    def hear_market(self, heard: Heard) -> None:
        """Of quotes the newest of each symbol is kept; bars are never left out."""
        if isinstance(heard, QuoteArrived):
            with self._lock:
                is_known = heard.quote.symbol in self._quotes
                self._quotes[heard.quote.symbol] = heard
            if not is_known:
                self._wake()
            return
        self.put(Priority.MARKET, heard)

    def hear_news(self, message: Input) -> None:
        """A regime, earlier days, an adviser's word."""
        self.put(Priority.MARKET, message)

    def show(self, lamp: ConnectionStatus) -> None:
        """A connection changed."""
        with self._lock:
            self._lamps[lamp.line] = lamp = steady(self._lamps.get(lamp.line), lamp)
        self.put(Priority.BROKER, ConnectionChanged(lamp))

    def take_from(self, priority: Priority) -> Iterator[Input]:
        """One by one, with what comes in meanwhile."""
        waiting = self._waiting[priority]
        while waiting:
            yield waiting.popleft()

    def depth(self) -> int:
        """How much waits, quotes included. Any thread."""
        return len(self._quotes) + sum(len(waiting) for waiting in self._waiting.values())

    def take_quotes(self) -> tuple[QuoteArrived, ...]:
        with self._lock:
            quotes, self._quotes = self._quotes, {}
        return tuple(quotes.values())


def steady(before: ConnectionStatus | None, after: ConnectionStatus) -> ConnectionStatus:
    """A line that is only tried again is still what it was, and since then: a lamp that blinks tells nothing."""
    if before is None:
        return after
    if after.state is ConnectionState.CONNECTING and before.state is not ConnectionState.UP:
        heard_at = after.heard_at or before.heard_at
        return replace(before, tries=max(before.tries, after.tries), heard_at=heard_at)
    return replace(after, since=before.since) if after.state is before.state else after
