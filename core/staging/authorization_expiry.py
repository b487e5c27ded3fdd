"""Up to when what a key signs beside its own order may be asked for (OP-02)."""

from __future__ import annotations

from datetime import datetime, timedelta

from core.model.calendar import Calendar
from core.model.order import OrderRequest, TimeInForce
from core.model.session import NoSession, Session

UNTIL_CANCELLED = timedelta(days=90)
"""So long a broker works what is good until it is cancelled."""
A_SESSION_MORE = timedelta(days=5)
"""Holds a session whatever weekend and holidays lie before it."""


def end_of_session(calendar: Calendar, order: OrderRequest, at: datetime) -> datetime:
    """The close of the session in which it acts. An order that acts in extended hours may fill after the close of its
    day: the session that follows is meant then.
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
    """When the stops end that follow an order which is signed at `at`: with it, and a session more.

    As long as it works it may fill, and what it filled may be heard late, or after a start only.
    """
    if order.time_in_force is TimeInForce.GTC:
        return at + UNTIL_CANCELLED + A_SESSION_MORE
    close = end_of_session(calendar, order, at)
    return close if order.extended_hours else calendar.next_session(close).close
