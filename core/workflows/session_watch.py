"""Re-read the broker's sessions: each hour, and at once when its clock contradicts the calendar (MD-10).

Only the days that the answer spans are judged, from today to its last row: an answer that ends early closes nothing. A
closure of today is not believed while the broker's own clock says that the market is open. If the clock names an
earlier close of the running session than the answer does, the earlier one counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from core.facts import SessionsAnnounced
from core.messages.effects import Effect, FetchSessions
from core.messages.inputs import ClockFetched, SessionsFetched, Start
from core.model.broker import MarketHours, NoAnswer
from core.model.session import AnnouncedDay, Calendar, NoSession, Session
from core.trading_state.state import TradingState
from core.workflows.workflow import answers

EACH = timedelta(hours=1)
"""A day may change on its own morning. One request an hour is little beside the clock's sixty."""
AGAIN = timedelta(minutes=1)
"""Time after which a request is repeated that has no answer, or whose answer left the contradiction."""
AHEAD = timedelta(days=45)
"""Alpaca announces closures weeks before at the most; the time in which a signed stop ends is far shorter."""
AT_THE_EDGE = timedelta(minutes=1)
"""Around an open or a close the broker's clock may be a moment apart from its calendar."""


def announced(calendar: Calendar, today: date, told: Sequence[Session | date]) -> tuple[AnnouncedDay, ...]:
    """Return the days from today to the last row on which the broker's sessions differ from the calendar.

    Of several sessions of a day the last counts. A day alone, whose times could not be read, stays as it is.
    """
    rows = {row.day if isinstance(row, Session) else row: row for row in told}
    found = []
    day = today
    while rows and day <= max(rows):
        row, known = rows.get(day), calendar.session_on(day)
        session = row if isinstance(row, Session) else None
        is_readable = row is None or session is not None
        if is_readable and session != (known if isinstance(known, Session) else None):
            found.append(AnnouncedDay(day, session))
        day += timedelta(days=1)
    return tuple(found)


class SessionWatch:
    """`_hours` is the last word of the broker's clock, at `_hours_at`."""

    ACTS_BY_TIME = True

    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._asked_at: datetime | None = None
        self._again_at: datetime | None = None
        self._hours: MarketHours | None = None
        self._hours_at: datetime | None = None

    @answers(Start)
    def on_start(self, _command: Start) -> Iterable[Effect]:
        return self._ask() if self.state.sightings.has_own_clock and self._asked_at is None else ()

    @answers(ClockFetched)
    def on_clock(self, reply: ClockFetched) -> Iterable[Effect]:
        if isinstance(reply.answer, NoAnswer):
            return ()
        self._hours, self._hours_at = reply.hours, self.state.at
        if not self._is_contradicted() or (self._asked_at is not None and self.state.at < self._asked_at + AGAIN):
            return ()
        return self._ask()

    @answers(SessionsFetched)
    def on_sessions(self, reply: SessionsFetched) -> Iterable[Effect]:
        if isinstance(reply.answer, NoAnswer):
            self._again_at = self.state.at + AGAIN
        else:
            self.follow(reply.answer)
        return ()

    def follow(self, told: Sequence[Session | date] | NoAnswer) -> None:
        """Record what the broker's sessions change."""
        if isinstance(told, NoAnswer) or not told:
            return
        self._asked_at = self._asked_at or self.state.at
        calendar, today = self.state.calendar, self.state.calendar.trading_day(self.state.at)
        days = {each.day: each for each in announced(calendar, today, told)}
        if today in days and days[today].session is None and self._is_open():
            del days[today]
        if (early := self._early(days.get(today))) is not None:
            days[today] = early
        if days:
            self.state.record(SessionsAnnounced(tuple(days[day] for day in sorted(days))))

    # ── the broker's clock ───────────────────────────────────────────────────────────────────────────────────────

    def _recent(self) -> MarketHours | None:
        is_recent = self._hours_at is not None and self.state.at - self._hours_at <= 2 * AGAIN
        return self._hours if is_recent else None

    def _is_open(self) -> bool:
        hours = self._recent()
        return hours is not None and hours.is_open

    def _early(self, day: AnnouncedDay | None) -> AnnouncedDay | None:
        """Return today's session with the close that the clock names, if that is the earlier one."""
        hours, now = self._recent(), self.state.calendar.session_at(self.state.at)
        session = day.session if day is not None else now
        if hours is None or not hours.is_open or not isinstance(session, Session):
            return None
        is_early = session.open < hours.next_close < session.close
        return AnnouncedDay(session.day, replace(session, close=hours.next_close)) if is_early else None

    def _is_contradicted(self) -> bool:
        """Whether the broker's clock names another state, open or close than the calendar; not at the edge of one."""
        hours, at, calendar = self._hours, self.state.at, self.state.calendar
        if hours is None:
            return False
        session, following = calendar.session_at(at), calendar.next_session(at)
        is_open = isinstance(session, Session)
        closes = session.close if isinstance(session, Session) else following.close
        edges = (following.open, closes, hours.next_open, hours.next_close, *self._begun(at))
        if any(abs(at - edge) < AT_THE_EDGE for edge in edges):
            return False
        return (is_open, following.open, closes) != (hours.is_open, hours.next_open, hours.next_close)

    def _begun(self, at: datetime) -> tuple[datetime, ...]:
        today = self.state.calendar.session_on(self.state.calendar.trading_day(at))
        return () if isinstance(today, NoSession) else (today.open, today.close)

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        if self._asked_at is not None:
            yield self._again_at or self._asked_at + EACH

    def due(self) -> Iterable[Effect]:
        return self._ask() if any(self.state.at >= at for at in self.next_due()) else ()

    def _ask(self) -> Iterable[Effect]:
        self._asked_at, self._again_at = self.state.at, None
        today = self.state.calendar.trading_day(self.state.at)
        return (FetchSessions(today, today + AHEAD),)
