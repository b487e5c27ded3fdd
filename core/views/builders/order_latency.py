"""Build the order link's view: latencies, refusals and request counts."""

from __future__ import annotations

from datetime import datetime

from core.execution.breaker import BreakerPhase
from core.trading_state.state import TradingState
from core.views.standing import BREAKER_OK, WireView


def wire_view(state: TradingState, at: datetime) -> WireView:
    """Return today's order figures; the calls are counted since the start."""
    tally = state.tally.state
    phase = state.breaker.phase(at)
    is_todays = tally.day == state.calendar.trading_day(at)
    return WireView(
        spans=state.latencies.spans() if state.latencies.state.day == state.calendar.trading_day(at) else (),
        sent=tally.sent if is_todays else 0,
        invalid=tally.invalid if is_todays else 0,
        rejected=tally.rejected if is_todays else 0,
        calls=state.sightings.calls,
        breaker=BREAKER_OK if phase is BreakerPhase.CLOSED else phase.value,
        breaker_reason=state.breaker.refusal(at),
    )
