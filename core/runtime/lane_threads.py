"""Threads for requests, made as they are needed: a lane that hangs keeps no other waiting, and no process from ending.

Each lane has its own line of waiting acts, in order, and as many at once as it is wide. Idle threads serve any lane;
where none is idle, one more is made. They are daemons: nothing waits for one at the end.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any

from core.execution.lanes import Lane, waiting_by_kind

Act = Callable[[], None]


class NoThreadError(RuntimeError):
    """The machine starts no thread now; nothing of what was to be done in it was begun."""


class Threads:
    """Idle daemon threads, used again; as many as there are acts at once."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._idle: list[SimpleQueue[Act | None]] = []
        self._made = 0
        self._is_closed = False

    def do(self, act: Act) -> None:
        """At once, in a thread that nobody else uses meanwhile. `act` does not raise.

        Raises NoThreadError.
        """
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
        """What it returns or raises, as soon as it does."""
        future: Future[Any] = Future()

        def act() -> None:
            try:
                future.set_result(question())
            except Exception as error:  # told to whoever waits for it
                future.set_exception(error)

        self.do(act)
        return future

    def all_of(self, questions: Iterable[Callable[[], Any]], at_once: int) -> list[Any]:
        """What each returns, so many at once; waits for all of them."""
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
        """Idle threads end now, the others with what they are at."""
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


class LaneThreads:
    """What waits in each lane, and how many of it are on the wire."""

    def __init__(self) -> None:
        self._threads = Threads("request")
        self._lock = threading.Lock()
        self._waiting: dict[Lane, deque[Act]] = {}
        self._busy: dict[Lane, int] = {}

    def send(self, lane: Lane, act: Act) -> None:
        """Do it when its turn in the lane has come. `act` does not raise.

        Raises NoThreadError: its place in the lane is free again, and it is never done.
        """
        with self._lock:
            if self._busy.get(lane, 0) >= lane.width:
                self._waiting.setdefault(lane, deque()).append(act)
                return
            self._busy[lane] = self._busy.get(lane, 0) + 1
        try:
            self._threads.do(lambda: self._drive(lane, act))
        except NoThreadError:
            with self._lock:
                self._free(lane)
            raise

    def depths(self) -> Counter[str]:
        """How much waits behind what is on the wire, by the kind of its lane. Any thread."""
        with self._lock:
            return waiting_by_kind((lane, len(waiting)) for lane, waiting in self._waiting.items())

    def close(self) -> None:
        """What waits is dropped; what is on the wire is left alone."""
        with self._lock:
            self._waiting.clear()
        self._threads.close()

    def _drive(self, lane: Lane, act: Act) -> None:
        """This act, and what waits behind it, until the lane is empty."""
        following: Act | None = act
        while following is not None:
            following()
            following = self._next(lane)

    def _next(self, lane: Lane) -> Act | None:
        with self._lock:
            waiting = self._waiting.get(lane)
            if waiting:
                return waiting.popleft()
            self._waiting.pop(lane, None)
            self._free(lane)
            return None

    def _free(self, lane: Lane) -> None:
        """One place of it. With the lock held."""
        self._busy[lane] -= 1
        if not self._busy[lane]:
            del self._busy[lane]
