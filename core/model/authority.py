"""Advisers may only give advice. Any other attempt is refused here and recorded (OP-09).

While an adviser runs, its name is in the context of its thread. Every way to trading checks that and refuses: the
command inbox, the engine, the journal and the gateway. So an adviser cannot use any handle that it gets hold of.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

MOST_ATTEMPTS = 5
"""Most reported attempts of one consultation, so that a persistent adviser cannot fill the journal."""


class UnauthorizedAIActionError(PermissionError):
    """An adviser tried to trade. Nothing was done; the operator is notified."""


@dataclass(slots=True)
class Watch:
    """One consultation of an adviser, with its refused attempts."""

    adviser: str
    attempts: list[str] = field(default_factory=list)

    def refuse(self, what: str) -> UnauthorizedAIActionError:
        """Record the attempt, even if the adviser swallows the error, and return the error to raise."""
        if len(self.attempts) < MOST_ATTEMPTS:
            self.attempts.append(what)
        return UnauthorizedAIActionError(f"{self.adviser} may advise and not {what}")

    def taken(self) -> tuple[str, ...]:
        """Return and clear the attempts that are not reported yet."""
        attempts, self.attempts = tuple(self.attempts), []
        return attempts


_AT_WORK: ContextVar[Watch | None] = ContextVar("adviser", default=None)

at_work = _AT_WORK.get
"""Return the consultation that runs in this thread; None in a thread without an adviser."""


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Mark the adviser as running inside this block."""
    token = _AT_WORK.set(watch)
    try:
        yield
    finally:
        _AT_WORK.reset(token)


def only_for_people(what: str) -> None:
    """Raise if an adviser runs in this thread, else do nothing.

    Raises
    ------
    UnauthorizedAIActionError
        An adviser runs; `what` names its attempt.
    """
    watch = at_work()
    if watch is not None:
        raise watch.refuse(what)
