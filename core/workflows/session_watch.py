"""Re-read the broker's sessions: each hour, and at once when its clock contradicts the calendar (MD-10).

Only the days that the answer spans are judged, from today to its last row: an answer that ends early closes nothing.

On today the broker's clock decides. While it says that the market is open a session holds, whatever the calendar says;
the earlier close of the two counts, also where the calendar gives no answer, and what is over is not lengthened. If it
says for a minute that the market is closed within a session, that session is over. At a start, before the clock is
known, only a session that holds now, or one that closes earlier, is taken from the calendar.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from core.facts import MarketDataQuarantined, SessionsAnnounced
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
MOST_SHUT = 5
"""Days of one answer that may be closed: in September 2001 there were four. An answer with more is odd."""
A_DAY = timedelta(days=1)
AT_THE_EDGE = timedelta(minutes=1)
"""Around an open or a close the broker's clock may be a moment apart from its calendar."""


def announced(calendar: Calendar, today: date, told: Sequence[Session | date]) -> tuple[AnnouncedDay, ...]:
    """Return the days on which the broker's sessions differ from the calendar, from today to the last row it gave.

    Of several sessions of a day the last counts. A day alone, whose times could not be read, stays as it is; so does
    every day beyond those that were asked for.
    """
    rows = {row.day if isinstance(row, Session) else row: row for row in told}
    last = min(max(rows, default=today - A_DAY), today + AHEAD)
    found = []
    for number in range((last - today).days + 1):
        day = today + number * A_DAY
        row, known = rows.get(day), _session_of(calendar, day)
        session = row if isinstance(row, Session) else None
        if (row is None or session is not None) and session != known:
            found.append(AnnouncedDay(day, session))
    return tuple(found)


def _session_of(calendar: Calendar, day: date) -> Session | None:
    session = calendar.session_on(day)
    return session if isinstance(session, Session) else None


class SessionWatch:
    """Attributes `_hours` and `_hours_at` are the broker's last word on the market; since `_shut_since` it says closed
    within our session.
    """

    ACTS_BY_TIME = True

    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._asked_at: datetime | None = None
        self._again_at: datetime | None = None
        self._hours: MarketHours | None = None
        self._hours_at: datetime | None = None
        self._shut_since: datetime | None = None

    @answers(Start)
    def on_start(self, _command: Start) -> Iterable[Effect]:
        return self._ask() if self.state.sightings.has_own_clock and self._asked_at is None else ()

    @answers(ClockFetched)
    def on_clock(self, reply: ClockFetched) -> Iterable[Effect]:
        if isinstance(reply.answer, NoAnswer):
            return ()
        self._hours, self._hours_at = reply.hours, self.state.at
        is_contradicted = self._is_contradicted()
        if not is_contradicted or reply.hours is None or reply.hours.is_open:
            self._shut_since = None
        elif self._shut_since is None:
            self._shut_since = self.state.at
        if not is_contradicted or (self._asked_at is not None and self.state.at < self._asked_at + AGAIN):
            return ()
        return self._ask()

    @answers(SessionsFetched)
    def on_sessions(self, reply: SessionsFetched) -> Iterable[Effect]:
        if isinstance(reply.answer, NoAnswer):
            self._again_at = self.state.at + AGAIN
        self.follow(() if isinstance(reply.answer, NoAnswer) else reply.answer)
        return ()

    def follow(self, told: Sequence[Session | date] | NoAnswer) -> None:
        """Record what the broker's sessions and its clock change; without an answer what its clock alone does."""
        rows = () if isinstance(told, NoAnswer) else told
        calendar, today = self.state.calendar, self.state.calendar.trading_day(self.state.at)
        days = {each.day: each for each in announced(calendar, today, rows)}
        if rows:
            self._asked_at = self._asked_at or self.state.at
        if len(shut := [str(each.day) for each in days.values() if each.session is None]) > MOST_SHUT:
            odd = f"it closes {len(shut)} days, {shut[0]} to {shut[-1]}: not believed"
            self.state.record(MarketDataQuarantined("the broker's calendar", odd))
            days = {}
        known = _session_of(calendar, today)
        session = self._of_today(known, days[today].session if today in days else known)
        days.pop(today, None)
        if session != known:
            days[today] = AnnouncedDay(today, session)
        if days:
            self.state.record(SessionsAnnounced(tuple(days[day] for day in sorted(days))))

    # ── today ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _of_today(self, known: Session | None, told: Session | None) -> Session | None:
        """Return today's session by what is known, the broker's calendar, and its clock, which decides on now."""
        at, hours = self.state.at, self._recent()
        runs = known is not None and known.holds(at)
        if hours is None:
            return self._without_a_clock(known, told)
        if hours.is_open and at < hours.next_close:
            return self._while_open(known, told, hours)
        if told is None or not told.holds(at):
            return replace(known, close=at) if runs and known is not None and told is None else told
        if not runs:
            return known  # it is over already, and the clock says the same
        is_lasting = self._shut_since is not None and at - self._shut_since >= AGAIN
        return replace(told, close=at) if is_lasting and at > told.open else told

    def _while_open(self, known: Session | None, told: Session | None, hours: MarketHours) -> Session | None:
        """The clock says that the market is open: a session holds now, and the earlier close of the two counts."""
        at, venue = self.state.at, self.state.calendar.venue
        session = next((each for each in (told, known) if each is not None and each.holds(at)), None)
        is_of_today = venue.day_of(hours.next_close) == venue.day_of(at)
        if session is None:
            opens = min(venue.at(venue.day_of(at), venue.opens), at)
            return Session(venue.day_of(at), opens, hours.next_close) if is_of_today else known
        is_early = is_of_today and hours.next_close < session.close
        return replace(session, close=hours.next_close) if is_early else session

    def _without_a_clock(self, known: Session | None, told: Session | None) -> Session | None:
        """At a start the clock is not known: what holds now or closes earlier is believed, the rest waits for it."""
        was_announced = self.state.calendar.trading_day(self.state.at) in self.state.announced.state.days
        if told is None or (known is not None and was_announced and told.close > known.close):
            return known
        is_earlier = known is not None and known.open == told.open and told.close < known.close
        return told if told.holds(self.state.at) or is_earlier or known is None else known

    def _recent(self) -> MarketHours | None:
        is_recent = self._hours_at is not None and self.state.at - self._hours_at <= 2 * AGAIN
        return self._hours if is_recent else None

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
