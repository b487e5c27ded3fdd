"""What the simulated exchange does when other sessions are announced: orders for the day end with their session."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from core.brokers.simulated.exchange import SimulatedExchange
from core.model.order import TimeInForce
from core.model.session import AnnouncedDay, Session


def announces(exchange: SimulatedExchange, at: datetime, days: Iterable[AnnouncedDay]) -> None:
    """From here on its calendar and its clock say so; an order for a day that is closed acts on the next one."""
    exchange.advance(at)
    calendar, book = exchange._calendar, exchange._book
    calendar.follow(days)
    for order in list(book.all_working()):
        if order.expires_at is None or order.request.time_in_force is not TimeInForce.DAY:
            continue
        found = calendar.session_on(calendar.trading_day(order.expires_at))
        session = found if isinstance(found, Session) else calendar.next_session(order.expires_at)
        ends = calendar.venue.extended_span(session)[1] if order.request.extended_hours else session.close
        order.expires_at = max(ends, at)
    exchange._matching.schedule()
