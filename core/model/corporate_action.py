"""Corporate actions: dividends, splits, and other events that change a price without a trade."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from core.model.calendar import Calendar
from core.model.session import Session
from core.model.values import Symbol, plain

SESSIONS_NEAR = 2
"""Sessions after today within which an action is shown on each row and ticket of its symbol."""


class ActionKind(StrEnum):
    CASH_DIVIDEND = "dividend"
    STOCK_DIVIDEND = "stock dividend"
    SPLIT = "split"
    REVERSE_SPLIT = "reverse split"
    SPIN_OFF = "spin-off"
    MERGER = "merger"
    OTHER = "corporate action"


@dataclass(frozen=True, slots=True)
class CorporateAction:
    """An announced action.

    Attributes
    ----------
    ex_date
        The trading day that begins with it: a buyer on that day, or later, does not take part.
    cash
        USD a share; None if none is paid.
    old_rate, new_rate
        Old shares and the new shares they become; None if the number stays.
    payable
        The day on which it is paid; None if not reported.
    """

    symbol: Symbol
    kind: ActionKind
    ex_date: date
    cash: Decimal | None = None
    old_rate: Decimal | None = None
    new_rate: Decimal | None = None
    payable: date | None = None


def in_words(action: CorporateAction) -> str:
    """As in `dividend 0.25 USD a share`, `split 4 for 1`, `merger`."""
    if action.new_rate is not None and action.old_rate is not None:
        return f"{action.kind.value} {plain(action.new_rate)} for {plain(action.old_rate)}"
    return action.kind.value if action.cash is None else f"{action.kind.value} {plain(action.cash)} USD a share"


def coming(actions: Iterable[CorporateAction], today: date) -> list[CorporateAction]:
    """Return those of today and later, the next one first."""
    return sorted((each for each in actions if each.ex_date >= today), key=lambda each: (each.ex_date, each.kind))


def near_until(calendar: Calendar, at: datetime) -> date:
    """Return the last day that counts as near: the second session after today, as far as the calendar reaches."""
    day = calendar.trading_day(at)
    try:
        for _ in range(SESSIONS_NEAR):
            session = calendar.session_on(day)
            after = calendar.next_session(session.open if isinstance(session, Session) else at)
            day, at = after.day, after.open
    except LookupError:
        return day
    return day
