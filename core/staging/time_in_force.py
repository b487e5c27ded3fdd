"""How long an order and its stop last: the end of a session, a time to live, extended hours (EX-07, RK-20).

Manual orders are marked to act before the open and after the close. Only a simple limit order for the day is marked,
and only if it is typed in extended hours: an exit under either policy, because exits are never blocked; an entry if the
settings include those hours. Strategies propose in the regular session alone, and their orders are never marked.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from core.model.order import OrderClass, OrderRequest, TimeInForce
from core.model.session import Calendar, NoSession, Session
from core.model.staging import Proposal
from core.settings.risk import SessionSettings
from core.settings.settings import Settings

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


def marked_for(at: datetime, order: OrderRequest, calendar: Calendar, settings: SessionSettings) -> OrderRequest:
    """Return the order typed at `at` (UTC), marked if it may act in the current extended hours."""
    if calendar.venue.extended_until(at, calendar.session_on(calendar.trading_day(at))) is None or not can_act(order):
        return order
    is_wanted = order.effect.only_reduces or settings.policy == "include_extended"
    return replace(order, extended_hours=True) if is_wanted else order


def can_act(order: OrderRequest) -> bool:
    """Return whether the broker accepts such an order outside the regular session, and this desk sends it there."""
    is_simple = order.order_class is OrderClass.SIMPLE
    return order.type.rests and order.time_in_force is TimeInForce.DAY and is_simple


def time_to_live(proposal: Proposal, settings: Settings) -> timedelta | None:
    """Return how long an entry may work at the broker: its own time, else the settings' for limits (EX-07)."""
    if proposal.only_reduces:
        return None
    if proposal.ttl_seconds is not None:
        return timedelta(seconds=proposal.ttl_seconds)
    seconds = settings.orders.ttl_seconds if proposal.order.type.rests else Decimal(0)
    return timedelta(seconds=float(seconds)) if seconds else None
