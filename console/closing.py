"""The end of a desk: whether the operator left, and a halt or kill that the engine has not received (OP-07)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from console.client.access import EngineAccess
from console.host_files import HostFiles
from core.ports import OperatorError

CLOSING_PATIENCE = 3.0
"""Seconds for the engine to close when the operator leaves."""


class Closing:
    """The end of one desk.

    Attributes
    ----------
    failure
        Why the desk ended although nobody left it; None after a normal end.
    """

    def __init__(self, handle: EngineAccess, now: Callable[[], float]) -> None:
        self.was_left = False
        self.failure: str | None = None
        self._handle = handle
        self._now = now
        self._until: float | None = None

    @property
    def is_waiting(self) -> bool:
        return self._until is not None

    def begin(self) -> None:
        """Called when the operator leaves."""
        self.was_left = True
        self._until = self._now() + CLOSING_PATIENCE
        self._handle.leave("left by the operator", on_purpose=True)

    def is_over(self) -> bool:
        """Return whether the engine has closed or timed out."""
        if self._until is None or self._handle.ended.is_set():
            return self._until is not None
        if self._now() <= self._until:
            return False
        if not self._handle.goes_on:
            self.failure = "the engine did not close its journal in time; the next start repairs it"
        return True


def not_heard(handle: EngineAccess) -> str:
    """Return the banner text; empty if nothing is pending."""
    owed = handle.owes_press
    return f"{owed.upper()} NOT HEARD YET: it is sent as soon as an engine hears it." if owed is not None else ""


class OwedPress:
    """The pending press of one desk. A file in the account's folder halts the engine that runs or starts next."""

    def __init__(self, handle: EngineAccess, surroundings: HostFiles) -> None:
        self._handle = handle
        self._surroundings = surroundings
        self._lock = threading.Lock()
        self._left: set[str] = set()

    def leave_behind(self) -> None:
        """Store the press when the desk is left, from any thread. A needless halt costs only a key press."""
        with self._lock:
            owed = self._handle.owes_press
            if owed is not None and owed not in self._left:
                with suppress(OperatorError, OSError):
                    self._surroundings.leave_press(kills=owed == "kill")
                    self._left.add(owed)

    def last_words(self) -> tuple[bool, str]:
        """Return whether everything was or will be received, and the text for stderr."""
        owed = self._handle.owes_press
        if owed is None:
            return True, ""
        if owed in self._left:
            return True, f"the {owed} was not heard yet: it is left for the engine, which takes it as it runs or starts"
        place = self._handle.place
        way = f"ssh {place} keyturn kill" if place else "keyturn kill"
        return False, f"THE {owed.upper()} WAS NOT HEARD by any engine, and is lost: run `{way}`"
