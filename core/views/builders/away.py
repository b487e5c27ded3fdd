"""Build the view of the last absence from all desks."""

from __future__ import annotations

from core.trading_state.desks import AwayKind
from core.trading_state.state import TradingState
from core.views import AwayRow, AwayView


def away_view(state: TradingState) -> AwayView | None:
    absence = state.attendance.absence or state.attendance.state.last
    if absence is None:
        return None
    return AwayView(
        absence.since,
        absence.until,
        tuple(AwayRow(event.at, event.kind.value, event.words) for event in absence.events),
        tuple((kind.value, absence.count(kind)) for kind in AwayKind if absence.count(kind)),
    )
