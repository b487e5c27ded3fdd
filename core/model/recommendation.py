"""Advice: the messages of advisers, who may only advise, and the recommendations that the operator adopts (OP-09,
ST-04).

While an adviser runs, its name is in the context of its thread. Every way to trading checks that and refuses: the
command inbox, the engine, the journal and the gateway. So an adviser cannot use any handle that it gets hold of.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.model.values import ZERO, Price, Quantity, Symbol, is_number

AN_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class TradeIdea:
    """A suggested long trade.

    Attributes
    ----------
    strategy
        Built-in strategy whose rules should judge it; empty if the operator decides alone.
    entry, stop, target
        USD.
    """

    strategy: str
    symbol: Symbol
    entry: Price
    stop: Price
    target: Price
    quantity: Quantity

    @property
    def is_sound(self) -> bool:
        """Whether its figures are numbers in the right order, with a quantity to buy."""
        figures = (self.stop, self.entry, self.target, self.quantity)
        return all(is_number(f) and f > ZERO for f in figures) and self.stop < self.entry < self.target


@dataclass(frozen=True, slots=True)
class Advice:
    """One message of an adviser, valid for `valid_for` from when the desk receives it."""

    text: str
    idea: TradeIdea | None = None
    valid_for: timedelta = AN_HOUR


@dataclass(frozen=True, slots=True)
class AdviserFault:
    """An adviser raised, hung, or returned something unreadable."""

    reason: str


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


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A long trade.

    Attributes
    ----------
    strategy
        The strategy whose rules judge it.
    entry, stop, target
        USD: the limit to buy at, and the exit prices.
    expires_at
        UTC; a bar that ends later ignores it.
    source
        The source as shown to the operator.
    """

    strategy: str
    symbol: Symbol
    entry: Price
    stop: Price
    target: Price
    quantity: Quantity
    expires_at: datetime
    source: str

    @property
    def is_sound(self) -> bool:
        """Whether its figures are numbers in the right order, with a quantity to buy."""
        figures = (self.stop, self.entry, self.target, self.quantity)
        return all(f.is_finite() and f > 0 for f in figures) and self.stop < self.entry < self.target
