"""Build a protection row, with helpers: used share of a limit, next session, time of day."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from core.model.session import Session
from core.risk.protections.protection_registry import Override
from core.trading_state.state import TradingState
from core.views import OverrideView, ProtectionRow, SuspensionView

ALL_OF_IT = Decimal(1)


def row(
    key: str,
    name: str,
    measure: str,
    shut_because: str | None,
    watches: str = "",
    *,
    used: Decimal | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    override: str = "",
    overridden: Override | None = None,
    word: SuspensionView = SuspensionView.TRIPPED,
) -> ProtectionRow:
    return ProtectionRow(
        key=key,
        name=name,
        measure=measure,
        used=used,
        is_tripped=shut_because is not None,
        reason=shut_because or watches,
        since=since,
        until=until,
        override=override,
        overridden=OverrideView(overridden.at, overridden.begins, overridden.until) if overridden else None,
        word=word,
    )


def used_of(measure: Decimal, limit: Decimal) -> Decimal:
    return min(ALL_OF_IT, measure / limit) if limit > 0 else ALL_OF_IT


def next_session(state: TradingState, at: datetime, today: date) -> Session:
    """Return the first session of a later day."""
    session = state.calendar.session_on(today)
    return state.calendar.next_session(max(at, session.open) if isinstance(session, Session) else at)


def clock(state: TradingState, at: datetime, today: date) -> str:
    """Return a time of day at the venue, with the weekday if it is not today."""
    return state.calendar.venue.told(at, "%H:%M" if state.calendar.venue.day_of(at) == today else "%a %H:%M")
