"""End of the authorizations that a confirmation gives beside its own order (OP-02)."""

from __future__ import annotations

from datetime import datetime, timedelta

from core.model.calendar import Calendar
from core.model.order import OrderRequest, TimeInForce
from core.model.session import NoSession, Session

UNTIL_CANCELLED = timedelta(days=90)
"""How long a broker keeps a good-till-cancelled order working."""
A_SESSION_MORE = timedelta(days=5)
"""Includes a session, whatever weekend and holidays come before it."""


def end_of_session(calendar: Calendar, order: OrderRequest, at: datetime) -> datetime:
    """Return the close of the session in which it acts.

    An order in extended hours may fill after its day's close: then it is the close of the following session.
    """
    today = calendar.session_on(calendar.trading_day(at))
    if order.extended_hours:
        if not isinstance(today, Session) or at >= calendar.venue.extended_span(today)[1]:
            today = calendar.next_session(at)
        return calendar.next_session(max(at, today.open)).close
    session = calendar.session_at(at)
    if isinstance(session, NoSession):
        session = calendar.next_session(at)
    return session.close


def end_of_stops(calendar: Calendar, order: OrderRequest, at: datetime) -> datetime:
    """Return when the stops of an order confirmed at `at` end: with the order, plus one session.

    A working order may fill, and its fill may be received late, or only after a start.
    """
    if order.time_in_force is TimeInForce.GTC:
        return at + UNTIL_CANCELLED + A_SESSION_MORE
    close = end_of_session(calendar, order, at)
    return close if order.extended_hours else calendar.next_session(close).close
