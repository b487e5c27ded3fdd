"""The engine's connections to the world: inbox by priority, operator, exchange, kill latch, threads."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime, timedelta
from queue import SimpleQueue
from typing import Any, Protocol

from core.market.port import Heard
from core.messages.commands import Command
from core.messages.effects import Effect, ReplaceOrder, SubmitOrder
from core.messages.inputs import BrokerUpdated, BrokerUpdateUnread, ConnectionChanged, Input, Priority, QuoteArrived
from core.model.account import Channel, ConnectionState, ConnectionStatus
from core.model.broker import OrderUpdate, UnreadUpdate
from core.model.lazy_dataclass import dataclass
from core.model.values import Symbol
from core.ports import KillSwitch

# ── threads ──────────────────────────────────────────────────────────────────────────────────────────────────────────
# Threads that are started on demand, so that hanging work delays no other work and no process exit.
#
# Idle threads take any work; without an idle one, another is started. They are daemons: the exit waits for none.

Act = Callable[[], None]


class NoThreadError(RuntimeError):
    """The machine cannot start a thread; the work was not begun."""


class Threads:
    """A pool of daemon threads that grows on demand."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._idle: list[SimpleQueue[Act | None]] = []
        self._made = 0
        self._is_closed = False

    def do(self, act: Act) -> None:
        """Run `act` at once in a thread of the pool; `act` does not raise. Raises NoThreadError."""
        with self._lock:
            work = self._idle.pop() if self._idle else None
            self._made += work is None
            number = self._made
        if work is None:
            work = SimpleQueue()
            name = f"{self._name} {number}"
            try:
                threading.Thread(target=self._serve, args=(work,), name=name, daemon=True).start()
            except RuntimeError as error:
                raise NoThreadError(f"this machine starts no thread for it: {error}") from error
        work.put(act)

    def ask(self, question: Callable[[], Any]) -> Future[Any]:
        """Run `question` in a thread; return the future of its result."""
        future: Future[Any] = Future()

        def act() -> None:
            try:
                future.set_result(question())
            except Exception as error:  # passed to the future
                future.set_exception(error)

        self.do(act)
        return future

    def all_of(self, questions: Iterable[Callable[[], Any]], at_once: int) -> list[Any]:
        """Run the questions, `at_once` at a time, and wait for all results."""
        waiting = deque(enumerate(questions))
        found: dict[int, Any] = {}

        def some() -> None:
            while True:
                try:
                    number, question = waiting.popleft()
                except IndexError:
                    return
                found[number] = question()

        for future in [self.ask(some) for _ in range(min(at_once, len(waiting)))]:
            future.result()
        return [found[number] for number in sorted(found)]

    def close(self) -> None:
        """End the idle threads now, the others after their current work."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for work in idle:
            work.put(None)

    def _serve(self, work: SimpleQueue[Act | None]) -> None:
        while (act := work.get()) is not None:
            act()
            with self._lock:
                if self._is_closed:
                    return
                self._idle.append(work)


# ── the inbox ────────────────────────────────────────────────────────────────────────────────────────────────────────


class Inbox:
    """Any thread puts, one thread takes. `wake` notifies that thread; it never waits and never raises."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._waiting: dict[Priority, deque[Input]] = {priority: deque() for priority in Priority}
        self._quotes: dict[Symbol, QuoteArrived] = {}
        self._connections: dict[Channel, ConnectionStatus] = {}
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
        """Put a regime or earlier days."""
        self.put(Priority.MARKET, message)

    def show(self, connection: ConnectionStatus) -> None:
        """Put a changed connection status."""
        with self._lock:
            self._connections[connection.line] = connection = steady(self._connections.get(connection.line), connection)
        self.put(Priority.BROKER, ConnectionChanged(connection))

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


class Operator(Protocol):
    """A source of key presses. Its commands are processed at once."""

    def next_at(self) -> datetime | None:
        """The time of its next key press."""
        ...

    def press(self, at: datetime) -> Iterable[Command]:
        """Return the commands of the keys that are due."""
        ...


@dataclass(frozen=True, slots=True)
class Link:
    """The link to the exchange, with the delays of requests and answers.

    This link delivers everything once. Simulations replace it by one that loses, delays and repeats messages.

    Attributes
    ----------
    timeout
        The time-out of a request: the total time limit of a client.
    """

    latency: timedelta = timedelta(milliseconds=100)
    answer_delay: timedelta = timedelta(0)
    timeout: timedelta = timedelta(seconds=8)

    def carry(self, effect: Effect) -> Iterable[timedelta]:
        """Return the delays after which a request arrives; empty if it is lost."""
        return (self.latency,)

    def bring(self, effect: Effect, answer: Input) -> Iterable[tuple[timedelta, Input]]:
        """Return the delays of its answer, each with the answer as received."""
        is_order = isinstance(effect, SubmitOrder | ReplaceOrder)
        return ((self.answer_delay if is_order else timedelta(0), answer),)

    def tell(self, update: OrderUpdate) -> Iterable[timedelta]:
        """Return the delays after which a stream update is received."""
        return (self.latency + self.answer_delay,)


class HaltLatch:
    """The latch that the gateway reads: shut by a press, the kill file, the environment or the record (OP-08).

    Each press holds it separately: no other command and no other press releases it. Lanes read only the latch, never
    the desk's state: the engine's thread updates the recorded refusal here whenever it changes.
    """

    def __init__(self, switch: KillSwitch) -> None:
        self.switch = switch
        self._recorded: str | None = None
        self._lock = threading.RLock()  # a signal handler may press during a read
        self._held: dict[int, str] = {}
        self._presses = 0

    @property
    def presses(self) -> int:
        """The number of presses so far."""
        return self._presses

    @property
    def obeyed(self) -> int:
        """The number of presses that the engine has processed: its views include them."""
        with self._lock:
            return min(self._held, default=self._presses + 1) - 1

    def press(self, by: str) -> int:
        """Shut the latch now; return the number of this press, which alone releases it. Any thread."""
        with self._lock:
            self._presses += 1
            self._held[self._presses] = by
            return self._presses

    def let_go(self, press: int) -> None:
        """Release a press after its command was processed: the recorded refusal takes over."""
        with self._lock:
            self._held.pop(press, None)

    def note(self, refusal: str | None) -> None:
        """Set the recorded reason why nothing may open, or None."""
        self._recorded = refusal

    def shut(self) -> str | None:
        with self._lock:
            pressed_by = next(iter(self._held.values()), None)
        if pressed_by is not None:
            return f"halted by {pressed_by}"
        if port := self.switch.is_on():
            return f"killed by {port}"
        return self._recorded
