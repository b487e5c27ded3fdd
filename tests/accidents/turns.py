"""Threads that take turns: each runs until it would wait, and then it is the next one's turn.

The service's threads and a link's are the real ones, with all that they do. What they wait for is a selector or a
sleep; there they stop, and go on when something is ready or their time has come by the test's clock. Never do two run
at once, so that the same seed gives the same run.
"""

from __future__ import annotations

import selectors
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.accidents.clock import Clock

ROUNDS = 200
"""In which everything at one instant is done."""


class SteppedThread(threading.Thread):
    def __init__(self, clock: Clock, target: Callable[[], None], name: str) -> None:
        super().__init__(target=target, name=name, daemon=True)
        self._clock = clock
        self._go, self._waits = threading.Semaphore(0), threading.Semaphore(0)
        self._selector: SteppedSelector | None = None
        self._due: float | None = None
        self.is_over = False

    def start(self) -> None:
        """As far as its first wait."""
        super().start()
        self._waits.acquire()

    def run(self) -> None:
        try:
            super().run()
        finally:
            self.is_over = True
            self._waits.release()

    def wait(self, selector: SteppedSelector | None, until: float | None) -> None:
        """In this thread."""
        self._selector, self._due = selector, until
        self._waits.release()
        self._go.acquire()

    def turn(self) -> bool:
        """In the test's thread: it goes on where there is something to do. Whether there was."""
        is_due = self._due is not None and self._clock.at >= self._due
        if self.is_over or not (is_due or (self._selector is not None and self._selector.is_ready())):
            return False
        self._go.release()
        self._waits.acquire()
        return True

    def join(self, timeout: float | None = None) -> None:
        """What it can do at this instant."""
        del timeout
        for _ in range(ROUNDS):
            if not self.turn():
                return


class SteppedSelector(selectors.DefaultSelector):
    """In a thread that takes turns, a wait is the end of one; elsewhere it is the real one."""

    clock: Clock

    def is_ready(self) -> bool:
        return bool(super().select(0))

    def select(self, timeout: float | None = None) -> Any:
        thread = threading.current_thread()
        if not isinstance(thread, SteppedThread):
            return super().select(timeout)
        until = None if timeout is None else self.clock.at + timeout
        while not (ready := super().select(0)) and (until is None or self.clock.at < until):
            thread.wait(self, until)
        return ready


@contextmanager
def threads_take_turns(clock: Clock) -> Iterator[None]:
    """What is opened while it lasts waits by this clock."""
    real, sleep = selectors.DefaultSelector, time.sleep

    class OnThisClock(SteppedSelector):
        pass

    def sleeps(seconds: float) -> None:
        thread = threading.current_thread()
        if isinstance(thread, SteppedThread):
            thread.wait(None, clock.at + seconds)
        else:
            sleep(seconds)

    OnThisClock.clock = clock
    selectors.DefaultSelector, time.sleep = OnThisClock, sleeps  # type: ignore[assignment, misc]
    try:
        yield
    finally:
        selectors.DefaultSelector, time.sleep = real, sleep  # type: ignore[misc]
