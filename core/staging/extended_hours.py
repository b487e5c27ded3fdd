"""Mark manual orders to act before the open and after the close (RK-20).

Only a simple limit order for the day is marked, and only if it is typed in extended hours: an exit under either policy,
because exits are never blocked; an entry if the settings include those hours. Strategies propose in the regular session
alone, and their orders are never marked.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from core.model.calendar import Calendar
from core.model.order import OrderClass, OrderRequest, TimeInForce
from core.settings.portfolio import SessionSettings


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
