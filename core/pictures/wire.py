"""The way of the orders to the broker and back: how long each part took, what was refused, what was asked for."""

from __future__ import annotations

from datetime import datetime

from core.desk import Desk
from core.views import WireView


def wire_view(desk: Desk, at: datetime) -> WireView:
    """Figures of today's orders; the calls are those since the start."""
    tally = desk.tally.state
    is_todays = tally.day == desk.calendar.trading_day(at)
    return WireView(
        spans=desk.latencies.spans() if desk.latencies.state.day == desk.calendar.trading_day(at) else (),
        sent=tally.sent if is_todays else 0,
        invalid=tally.invalid if is_todays else 0,
        rejected=tally.rejected if is_todays else 0,
        calls=desk.sightings.calls,
        breaker=desk.breaker.phase(at).value,
        breaker_reason=desk.breaker.refusal(at),
    )
