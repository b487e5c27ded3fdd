"""Warm up strategies that start late, with past bars whose answers are ignored.

A memory is complete when it has seen as many consecutive bars as its windows are long, or every past bar that exists.
An incomplete one starts fresh: it answers WARMING_UP until it is complete, by history or by new bars.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from core.market.calendar import CalendarRangeError
from core.model.bar import ONE_MINUTE, Bar
from core.model.session import Calendar, Session, Venue
from core.model.signal import EntrySignal, ExitSignal
from core.model.values import ZERO
from core.strategies.base import Strategy
from core.strategies.context import Context
from core.strategies.sma import SmaState
from core.strategies.trade_plan import TradePlan, TradePlanState
from core.strategies.user_strategies import UserStrategyRunning


def bars_needed(strategy: Strategy) -> int:
    """Return how many consecutive bars it needs; zero for one that starts fresh with each session."""
    return int(getattr(strategy, "bars_needed", 0))


def shown(strategy: Strategy, bars: Iterable[Bar], calendar: Calendar) -> int:
    """Show it past bars with a context without entries or position; return how many it saw."""
    if isinstance(strategy, UserStrategyRunning):
        return strategy.shown(_in_sessions(bars, calendar))
    seen = 0
    for bar, context in _in_sessions(bars, calendar):
        strategy.on_bar(bar, context)
        seen += 1
    return seen


def keep_plan(strategy: Strategy, before: Any) -> None:
    """Copy the plan of its trades into a new memory, because bars cannot restore it."""
    if isinstance(strategy.state, TradePlanState) and isinstance(before, TradePlanState):
        strategy.state.plan = before.plan
    if isinstance(strategy.state, SmaState) and isinstance(before, SmaState):
        strategy.state.entered_on = before.entered_on


def keep_said(strategy: Strategy, said: EntrySignal | ExitSignal) -> None:
    """Restore the recorded plan of its signalled entry, whatever it would answer to that bar today."""
    if isinstance(said, EntrySignal) and isinstance(strategy.state, TradePlanState):
        strategy.state.plan = TradePlan(said.stop_price, said.target_price, said.reference)


def first_minute(calendar: Calendar, at: datetime) -> datetime:
    """Return the first minute that a desk receives if it starts now: the day's open once it has passed, or
    this minute.
    """
    session = calendar.session_on(calendar.trading_day(at))
    is_on = isinstance(session, Session) and session.open <= at
    return session.open if is_on and isinstance(session, Session) else at.replace(second=0, microsecond=0)


def has_missed_bars(calendar: Calendar, heard: datetime, at: datetime) -> bool:
    """Return whether session minutes lie between the last received bar and those that a start now receives.

    True if the calendar does not reach back to that bar.
    """
    try:
        return _has_missed_bars(calendar, heard, at)
    except CalendarRangeError:
        return True


def _has_missed_bars(calendar: Calendar, heard: datetime, at: datetime) -> bool:
    begin, missed_from = first_minute(calendar, at), heard + ONE_MINUTE
    if begin <= missed_from:
        return False
    session = calendar.session_on(calendar.trading_day(heard))
    if not isinstance(session, Session) or missed_from >= session.close:
        session = calendar.next_session(missed_from - timedelta(microseconds=1))
    return max(missed_from, session.open) < begin


def _in_sessions(bars: Iterable[Bar], calendar: Calendar) -> Iterator[tuple[Bar, Context]]:
    for bar in bars:
        session = calendar.session_at(bar.start)
        if isinstance(session, Session):
            yield bar, _quiet(session, calendar.venue)


def _quiet(session: Session, venue: Venue) -> Context:
    return Context(session, session.open, session.close, session.close, 0, venue, is_enabled=False, min_notional=ZERO)
