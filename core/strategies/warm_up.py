"""Strategies that begin late: what they lack, and how bars of the past make it good without a word said on them.

A memory is whole when it has seen as many bars in a row as its windows are long, or every bar of the past that there
is. One that is not begins anew: it answers WARMING_UP until it is whole, by history or by the bars that come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from core.market.calendar import CalendarRangeError
from core.model.bar import ONE_MINUTE, Bar
from core.model.calendar import Calendar
from core.model.session import Session
from core.model.signal import EntrySignal, ExitSignal
from core.model.values import ZERO
from core.model.venue import Venue
from core.strategies.base import Strategy
from core.strategies.context import Context
from core.strategies.sma import SmaState
from core.strategies.trade_plan import TradePlan, TradePlanState
from core.strategies.user_strategies import UserStrategyRunning


def bars_needed(strategy: Strategy) -> int:
    """How many bars in a row make its measures what they are; zero for one that begins with each session."""
    return int(getattr(strategy, "bars_needed", 0))


def shown(strategy: Strategy, bars: Iterable[Bar], calendar: Calendar) -> int:
    """Show it bars of the past, as one that may open nothing and holds nothing; how many it saw."""
    if isinstance(strategy, UserStrategyRunning):
        return strategy.shown(_in_sessions(bars, calendar))
    seen = 0
    for bar, context in _in_sessions(bars, calendar):
        strategy.on_bar(bar, context)
        seen += 1
    return seen


def keep_plan(strategy: Strategy, before: Any) -> None:
    """What a memory knows of its own trades goes over into a new one: no bar could tell it."""
    if isinstance(strategy.state, TradePlanState) and isinstance(before, TradePlanState):
        strategy.state.plan = before.plan
    if isinstance(strategy.state, SmaState) and isinstance(before, SmaState):
        strategy.state.entered_on = before.entered_on


def keep_said(strategy: Strategy, said: EntrySignal | ExitSignal) -> None:
    """The plan of an entry that it signalled stands as it was told, whatever it would say of that bar today."""
    if isinstance(said, EntrySignal) and isinstance(strategy.state, TradePlanState):
        strategy.state.plan = TradePlan(said.stop_price, said.target_price, said.reference)


def first_minute(calendar: Calendar, at: datetime) -> datetime:
    """From where on a desk that starts now hears its bars: the day's open once it has been, or this minute."""
    session = calendar.session_on(calendar.trading_day(at))
    is_on = isinstance(session, Session) and session.open <= at
    return session.open if is_on and isinstance(session, Session) else at.replace(second=0, microsecond=0)


def has_missed_bars(calendar: Calendar, heard: datetime, at: datetime) -> bool:
    """Whether minutes of sessions lie between the last bar that was heard and those that a start now brings.

    So it is where the calendar does not reach back to that bar.
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
