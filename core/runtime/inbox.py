"""Inputs from streams and threads, queued for the engine's thread by priority; of quotes only the newest is kept."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

from core.market.port import Heard
from core.messages.inputs import BrokerUpdated, BrokerUpdateUnread, ConnectionChanged, Input, Priority, QuoteArrived
from core.model.broker import OrderUpdate, UnreadUpdate
from core.model.connection import Channel, ConnectionState, ConnectionStatus
from core.model.values import Symbol


class Inbox:
    """Any thread puts, one thread takes. `wake` notifies that thread; it never waits and never raises."""

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
        """Put without waking the engine's thread; the caller makes sure that it wakes up."""
        self._waiting[priority].append(message)

    def hear_update(self, update: OrderUpdate | UnreadUpdate) -> None:
        read = BrokerUpdated(update) if isinstance(update, OrderUpdate) else BrokerUpdateUnread(update)
        self.put(Priority.BROKER, read)

    def hear_market(self, heard: Heard) -> None:
        """Put market data. Only the newest quote of each symbol is kept; no bar is dropped."""
        if isinstance(heard, QuoteArrived):
            with self._lock:
                is_known = heard.quote.symbol in self._quotes
                self._quotes[heard.quote.symbol] = heard
            if not is_known:
                self._wake()
            return
        self.put(Priority.MARKET, heard)

    def hear_news(self, message: Input) -> None:
        """Put a regime, earlier days, or an adviser's answer."""
        self.put(Priority.MARKET, message)

    def show(self, lamp: ConnectionStatus) -> None:
        """Put a changed connection status."""
        with self._lock:
            self._lamps[lamp.line] = lamp = steady(self._lamps.get(lamp.line), lamp)
        self.put(Priority.BROKER, ConnectionChanged(lamp))

    def take_from(self, priority: Priority) -> Iterator[Input]:
        """Yield the messages, including those that arrive meanwhile."""
        waiting = self._waiting[priority]
        while waiting:
            yield waiting.popleft()

    def depth(self) -> int:
        """The number of waiting inputs, including quotes. Any thread."""
        return len(self._quotes) + sum(len(waiting) for waiting in self._waiting.values())

    def take_quotes(self) -> tuple[QuoteArrived, ...]:
        with self._lock:
            quotes, self._quotes = self._quotes, {}
        return tuple(quotes.values())


def steady(before: ConnectionStatus | None, after: ConnectionStatus) -> ConnectionStatus:
    """Return the status to show: while a lost connection reconnects, keep the last status and its time."""
    if before is None:
        return after
    if after.state is ConnectionState.CONNECTING and before.state is not ConnectionState.UP:
        heard_at = after.heard_at or before.heard_at
        return replace(before, tries=max(before.tries, after.tries), heard_at=heard_at)
    return replace(after, since=before.since) if after.state is before.state else after
