"""The end of a desk: whether the operator left, why it ended otherwise, and the time-out for its engine."""

from __future__ import annotations

from collections.abc import Callable

from console.client.access import EngineAccess

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
