"""Threads that are started on demand, so that hanging work delays no other work and no process exit.

Idle threads take any work; without an idle one, another is started. They are daemons: the exit waits for none.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any

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
