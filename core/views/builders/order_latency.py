"""The way of the orders to the broker and back: how long each part took, what was refused, what was asked for."""

from __future__ import annotations

from datetime import datetime

from core.trading_state.state import TradingState
from core.views import WireView


def wire_view(state: TradingState, at: datetime) -> WireView:
    """Figures of today's orders; the calls are those since the start."""
    tally = state.tally.state
    is_todays = tally.day == state.calendar.trading_day(at)
    return WireView(
        spans=state.latencies.spans() if state.latencies.state.day == state.calendar.trading_day(at) else (),
        sent=tally.sent if is_todays else 0,
        invalid=tally.invalid if is_todays else 0,
        rejected=tally.rejected if is_todays else 0,
        calls=state.sightings.calls,
        breaker=state.breaker.phase(at).value,
        breaker_reason=state.breaker.refusal(at),
    )
