"""Fees that the broker takes from the account without an order, on the day that they name (AN-06, AN-09).

A regulatory fee often comes days after its trades: the broker's figure of a close that lies between then lacks it. This
slice follows the broker's lists of activities and says by how much each such figure changes. Every figure of a day, a
week or a longer time that begins or ends at a close takes it from here, so a fee counts on its own day and on no other.

The journal does not say when the cash of a fee moved, only between which two lists. If that may have been on the day
that the fee names, it was: the figure of that close has it. Otherwise the close of the day of the list is the first
that has it. What the first list names was paid before the journal's first figure. A fee that names a later day than its
list was taken already, and counts on the day of the list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from datetime import date, datetime, timedelta
from typing import Any

from core.facts import ActivitiesCompared, CashMoved
from core.model.lazy_dataclass import dataclass
from core.model.reconciliation import ActivityKind
from core.model.session import HOME, NoSession, Session, Venue
from core.model.values import NO_MONEY, Money

A_DAY = timedelta(days=1)
LONGEST_PAUSE = 12
"""Days within which every exchange has a session."""

SessionOn = Callable[[date], Session | NoSession]


@dataclass(frozen=True, slots=True)
class FeeDay:
    """A fee: the session to which it belongs, and the session whose close is the first that the broker took it from.

    Attributes
    ----------
    day
        The day that it names, or the session after it if it has none; at most that of its list.
    amount
        USD, below zero; above it for one that was given back.
    """

    day: date
    moved_on: date
    amount: Money


@dataclass(slots=True)
class FeeDaysState:
    """What is known of fees, USD.

    Attributes
    ----------
    listed
        The time of the last list; None before the first.
    charged
        By the day to which they belong, below zero.
    owed
        By the day of a close: by how much the broker's figure of it changes.
    changes
        Counts changes of both, so that a reader can skip an unchanged state.
    """

    listed: datetime | None = None
    charged: dict[date, Money] = field(default_factory=dict)
    owed: dict[date, Money] = field(default_factory=dict)
    changes: int = 0


class FeeDays:
    """`session_on` returns the session of a day, `kept` is how far back a day can be asked for; None for all."""

    name = "fee_days"

    def __init__(self, session_on: SessionOn, venue: Venue = HOME, kept: timedelta | None = None) -> None:
        self._session_on = session_on
        self._venue = venue
        self._kept = kept
        self.state = FeeDaysState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            CashMoved: self._moved,
            ActivitiesCompared: self._compared,
        }

    def restore(self, state: FeeDaysState) -> None:
        self.state = state

    def take(self, at: datetime, fact: object) -> None:
        """Fold a fact of a journal that is read."""
        if (fold := self.folds.get(type(fact))) is not None:
            fold(at, fact)

    def owed_at(self, close_of: date | None) -> Money:
        """Return by how much the broker's equity at that day's close changes, USD; below zero for a late fee."""
        return NO_MONEY if close_of is None else self.state.owed.get(close_of, NO_MONEY)

    def charged_on(self, day: date) -> Money:
        """Return the fees of that day, USD, below zero."""
        return self.state.charged.get(day, NO_MONEY)

    def belongs_to(self, at: datetime, fact: CashMoved) -> date:
        """Return the day on which a movement counts that is recorded at that time."""
        fee = self.day_of(at, fact)
        return fact.day if fee is None else fee.day

    def day_of(self, at: datetime, fact: CashMoved) -> FeeDay | None:
        """Return the day of a fee that is recorded at that time; None for another movement of cash."""
        if fact.kind is not ActivityKind.FEE:
            return None
        listed = self._session_from(self._venue.day_of(at))
        day, before = min(self._session_from(fact.day), listed), self.state.listed
        may_be_then = before is None or before < self._ends(day)
        return FeeDay(day, day if may_be_then else listed, fact.amount)

    def _moved(self, at: datetime, fact: CashMoved) -> None:
        fee = self.day_of(at, fact)
        if fee is None:
            return
        self.state.changes += 1
        self.state.charged[fee.day] = Money(self.charged_on(fee.day) + fee.amount)
        owed_on = fee.day
        while owed_on < fee.moved_on:
            self.state.owed[owed_on] = Money(self.owed_at(owed_on) + fee.amount)
            owed_on += A_DAY
        if self._kept is not None:
            oldest = fee.moved_on - self._kept
            self.state.charged = _since(oldest, self.state.charged)
            self.state.owed = _since(oldest, self.state.owed)

    def _compared(self, _at: datetime, fact: ActivitiesCompared) -> None:
        self.state.listed = fact.as_of

    def _session_from(self, day: date) -> date:
        """Return the first session from that day on; the day itself if the calendar does not reach that far."""
        for days in range(LONGEST_PAUSE):
            later = day + days * A_DAY
            if isinstance(self._known_session(later), Session):
                return later
        return day

    def _ends(self, day: date) -> datetime:
        """Return the end of that day's trading: the broker books the day's fees then, or later."""
        session = self._known_session(day)
        return self._venue.extended_span(session)[1] if isinstance(session, Session) else self._venue.end_of(day)

    def _known_session(self, day: date) -> Session | NoSession:
        try:
            return self._session_on(day)
        except LookupError:
            return NoSession("the calendar does not reach that far")


def _since(oldest: date, amounts: dict[date, Money]) -> dict[date, Money]:
    return {day: amount for day, amount in amounts.items() if day >= oldest}
