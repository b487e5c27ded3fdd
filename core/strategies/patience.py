"""How long the desk waits for code that is not its own, and how it breaks off what does not end (ST-07).

The engine shows bars in its own thread: a loop without an end in a user's file would stop it from hearing fills and
from cancelling after a kill. A keeper, one thread a process, looks at what is being waited for, and breaks off what it
has seen through `LOOKS` looks. Looks are counted and no clock is read, so that a machine that slept, or a process that
was stopped, costs one look. Python alone is broken off: one huge number inside of a library ends when it ends.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from itertools import count
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
Answer = TypeVar("Answer")

LOOK = 0.25
"""Seconds between two looks."""
LOOKS = 8
"""Looks that find the same call still open, until it is broken off: two seconds."""
PATIENCE = LOOK * LOOKS
"""Seconds that one call may take."""


class OverdueError(Exception):
    """A call was broken off: it had not ended after `PATIENCE` seconds."""

    def __init__(self) -> None:
        super().__init__(f"no answer in {PATIENCE:g} s; it was broken off")


class _BrokenOff(BaseException):
    """What the keeper raises inside of the call: an `except Exception` in there does not catch it."""


class _Keeper:
    """Looks at open calls, and breaks off those that stay.

    A call is closed by whoever takes it out of `open` first: its own thread when it ends, or the keeper when it is
    overdue. So a call that has ended is never broken off afterwards, and no lock stands in the way of one that ends.
    """

    def __init__(self) -> None:
        self.open: dict[int, int] = {}
        """The thread of each call, by the call's number."""
        self.numbers = count()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def opened(self) -> int:
        if self._thread is None or not self._thread.is_alive():  # a process that was forked has none
            self._thread = threading.Thread(target=self._look, name="patience", daemon=True)
            self._thread.start()
        number = next(self.numbers)
        self.open[number] = threading.get_ident()
        return number

    def ended(self, number: int) -> bool:
        """Whether the call ended by itself. Called in its thread."""
        return self.open.pop(number, None) is not None

    def settle(self) -> None:
        """Nothing that this thread was to be interrupted by comes later. Called in the thread of a call broken off.

        What may still come is called for, and met here. To take it back instead would leave the interpreter looking for
        it at each step from then on: CPython clears that mark only when the error is raised.
        """
        try:
            with self._lock:
                _interrupt(threading.get_ident(), _BrokenOff)
            while True:
                pass
        except _BrokenOff:
            return

    def _look(self) -> None:
        looks: dict[int, int] = {}
        waiting = threading.Event()
        while not waiting.wait(LOOK):
            looks = {number: looks.get(number, 0) + 1 for number in tuple(self.open)}
            for number, seen in looks.items():
                if seen > LOOKS:
                    with self._lock:
                        thread = self.open.pop(number, None)
                        if thread is not None:
                            _interrupt(thread, _BrokenOff)


KEEPER = _Keeper()


def within_patience(call: Callable[P, Answer], *args: P.args, **kwargs: P.kwargs) -> Answer:
    """What the call returns. Raises what it raises; `OverdueError` where it did not end in `PATIENCE` seconds."""
    try:
        number = KEEPER.opened()
        try:
            return call(*args, **kwargs)
        finally:
            if not KEEPER.ended(number):
                KEEPER.settle()
                raise _BrokenOff
    except _BrokenOff:
        raise OverdueError from None


def _interrupt(thread: int, error: type[BaseException]) -> None:
    """Have a thread raise at its next step."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))
