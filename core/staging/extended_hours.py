"""Which typed orders are marked to act before the open and after the close (RK-20).

Only a simple limit order for the day is, and only where it is typed in extended hours: an exit under either policy,
for an exit always has a way; an entry where the settings include those hours. Strategies propose in the regular session
alone, and what they made is never marked.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from core.model.calendar import Calendar
from core.model.order import OrderClass, OrderRequest, TimeInForce
from core.settings.portfolio import SessionSettings


def marked_for(at: datetime, order: OrderRequest, calendar: Calendar, settings: SessionSettings) -> OrderRequest:
    """The order as it was typed at `at` (UTC): marked where it may act in the extended hours that go on then."""
    if calendar.venue.extended_until(at, calendar.session_on(calendar.trading_day(at))) is None or not can_act(order):
        return order
    is_wanted = order.effect.only_reduces or settings.policy == "include_extended"
    return replace(order, extended_hours=True) if is_wanted else order


def can_act(order: OrderRequest) -> bool:
    """Whether the broker lets such an order act outside the regular session, and this desk sends it there."""
    is_simple = order.order_class is OrderClass.SIMPLE
    return order.type.rests and order.time_in_force is TimeInForce.DAY and is_simple
