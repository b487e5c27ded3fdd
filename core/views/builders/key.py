"""Build the view of desk control and of the attached desks."""

from __future__ import annotations

from datetime import datetime

from core.trading_state.desks import Desk
from core.trading_state.state import TradingState
from core.views import DeskRow, KeyView
from core.workflows.operator.desk_control import is_holder_active


def key_view(state: TradingState, at: datetime) -> KeyView:
    holder, kept = state.desks.holder, state.desks.state.kept
    if holder is not None or (kept is not None and at >= kept.until):
        kept = None
    away_until = holder.away_until if holder is not None else kept.until if kept is not None else None
    return KeyView(
        hold=state.desks.hold,
        holder=None if holder is None else _row(state, holder.desk),
        since=None if holder is None else holder.since,
        away_until=away_until,
        kept_for=None if kept is None else kept.seat,
        takes_word=is_holder_active(state, at),
        desks=tuple(_row(state, desk) for _, desk in sorted(state.desks.state.attached.items())),
    )


def _row(state: TradingState, desk: Desk) -> DeskRow:
    return DeskRow(desk.number, desk.seat, desk.since, state.sightings.heard_from.get(desk.number))
