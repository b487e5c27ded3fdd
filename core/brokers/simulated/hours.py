"""Trading hours of the simulated exchange: sessions, and the extended hours around them."""

from __future__ import annotations

from datetime import datetime

from core.model.calendar import Calendar
from core.model.order import OrderRequest
from core.model.session import Session


class ExchangeHours:
    """Called with times that never go back: the last session is checked first."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._session: Session | None = None
        self._day: Session | None = None

    def session(self, at: datetime) -> Session:
        """Return the session that is open at `at`, or the next one."""
        if self._session is None or at >= self._session.close:
            found = self._calendar.session_at(at)
            self._session = found if isinstance(found, Session) else self._calendar.next_session(at)
        return self._session

    def day_end(self, order: OrderRequest, at: datetime) -> datetime:
        """Return when a day order that arrives at `at` expires."""
        return self._span_of(self._day_of(at))[1] if order.extended_hours else self.session(at).close

    def is_extended(self, at: datetime) -> bool:
        """Return whether it is outside the session, and within its extended hours."""
        session = self._day_of(at)
        first, last = self._span_of(session)
        return first <= at < last and not session.holds(at)

    def extended_span(self, at: datetime) -> tuple[datetime, datetime]:
        """Return the current or next extended hours at `at`: their first instant, and the first after them."""
        return self._span_of(self._day_of(at))

    def _day_of(self, at: datetime) -> Session:
        """Return the session whose extended hours have not ended at `at`: of the same day, or the next one."""
        if self._day is None or at >= self._span_of(self._day)[1]:
            found = self._calendar.session_on(self._calendar.trading_day(at))
            is_on = isinstance(found, Session) and at < self._span_of(found)[1]
            self._day = found if is_on and isinstance(found, Session) else self._calendar.next_session(at)
        return self._day

    def _span_of(self, session: Session) -> tuple[datetime, datetime]:
        return self._calendar.venue.extended_span(session)
