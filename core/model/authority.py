"""Advisers may speak and nothing else. Whatever they try beyond that is refused here, and remembered (OP-09).

While an adviser is at work its name stands in the context of its thread. Every door to trading asks whether one is at
work and refuses it: a command's way into the inbox, the engine's own, the journal's, and the gateway's. So a handle
that an adviser comes by is of no use to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

MOST_ATTEMPTS = 5
"""Attempts of one consultation that are told; an adviser that tries on and on fills no journal."""


class UnauthorizedAIActionError(PermissionError):
    """An adviser reached for trading. Nothing was done; the operator is told."""


@dataclass(slots=True)
class Watch:
    """One consultation of an adviser, and what it tried in it."""

    adviser: str
    attempts: list[str] = field(default_factory=list)

    def refuse(self, what: str) -> UnauthorizedAIActionError:
        """Remembers the attempt, also where the adviser swallows the error that is to be raised."""
        if len(self.attempts) < MOST_ATTEMPTS:
            self.attempts.append(what)
        return UnauthorizedAIActionError(f"{self.adviser} may advise and not {what}")

    def taken(self) -> tuple[str, ...]:
        """What it tried and was not told yet."""
        attempts, self.attempts = tuple(self.attempts), []
        return attempts


_AT_WORK: ContextVar[Watch | None] = ContextVar("adviser", default=None)

at_work = _AT_WORK.get
"""The consultation that runs in this thread; None in every thread that is no adviser's."""


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """The adviser is at work in here."""
    token = _AT_WORK.set(watch)
    try:
        yield
    finally:
        _AT_WORK.reset(token)


def only_for_people(what: str) -> None:
    """Nothing, unless an adviser is at work in this thread.

    Raises
    ------
    UnauthorizedAIActionError
        One is; `what` names what it tried.
    """
    watch = at_work()
    if watch is not None:
        raise watch.refuse(what)
