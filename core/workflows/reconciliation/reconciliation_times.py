"""Schedule requests for the broker's books: one at a time, with a minimum distance."""

from __future__ import annotations

from datetime import datetime, timedelta

from core.model.account import Channel, ConnectionState
from core.model.session import NoSession, Session
from core.trading_state.state import TradingState


class ReconciliationTimes:
    """Remembers the last request of the books, and computes the next."""

    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._asked_at: datetime | None = None
        self._ask_at: datetime | None = None
        self._is_waiting = False
        self._is_wanted_again = False

    def asks(self) -> None:
        """Note that the books are requested now."""
        self._asked_at = self.state.at
        self._ask_at = self.state.at + self._seconds("again_seconds")
        self._is_waiting, self._is_wanted_again = True, False

    def answered(self) -> None:
        """Note the answer, and schedule requests that came meanwhile."""
        wanted_again = self._is_wanted_again
        self._is_waiting = self._is_wanted_again = False
        self._ask_at = self._earliest() if wanted_again else None

    def may_ask_now(self) -> bool:
        """Whether to request the books at once; if not, they are scheduled."""
        if self._is_waiting:
            self._is_wanted_again = True
            return False
        earliest = self._earliest()
        if self.state.at >= earliest:
            return True
        self._ask_at = earliest if self._ask_at is None else min(self._ask_at, earliest)
        return False

    def next(self) -> datetime | None:
        return self._ask_at if self._ask_at is not None else self._next_round()

    def again(self, limited_seconds: float | None = None) -> None:
        """Schedule another request, not before the end of a rate limit."""
        pause = max(self._seconds("again_seconds"), timedelta(seconds=limited_seconds or 0))
        later = self.state.at + pause
        self._ask_at = later if self._ask_at is None else min(self._ask_at, later)

    def _earliest(self) -> datetime:
        return self.state.at if self._asked_at is None else self._asked_at + self._seconds("apart_seconds")

    def _next_round(self) -> datetime | None:
        """Return the next regular request: each minute of a session, and of the extended hours while needed.

        Outside them it is their next start. While orders work without an order stream the requests are frequent
        (EX-17).
        """
        every = self._every()
        if self._asked_at is None or not every:
            return None
        calendar, at = self.state.calendar, max(self._asked_at + every, self.state.at)
        if not isinstance(calendar.session_at(at), NoSession) or self._watches_others():
            return at
        following = calendar.next_session(at)
        if not self._minds_extended_hours():
            return following.open
        today = calendar.session_on(calendar.trading_day(at))
        if isinstance(today, Session) and at < calendar.venue.extended_span(today)[1]:
            return max(at, calendar.venue.extended_span(today)[0])
        return calendar.venue.extended_span(following)[0]

    def _watches_others(self) -> bool:
        """Whether killed with external orders left to cancel: the books are watched at any hour then (OP-07)."""
        is_killed = self.state.control.killed_by is not None
        return is_killed and any(other.may_open and not other.is_unread for other in self.state.sightings.all_others)

    def _minds_extended_hours(self) -> bool:
        """Whether the policy has entries in extended hours, or an order or position of ours may be affected (RK-20)."""
        ledger = self.state.ledger
        is_included = self.state.control.settings.risk.session.policy == "include_extended"
        return is_included or next(ledger.working(), None) is not None or bool(ledger.positions())

    def _every(self) -> timedelta:
        """Return the interval. Without an order stream the books replace it: often while orders work.

        While an entry's ticket is open it is shorter than the silence that sends the entry back to review (OP-04).
        """
        lamp = self.state.sightings.lamps.get(Channel.TRADES)
        every = self._seconds("every_seconds")
        if lamp is None or lamp.state is ConnectionState.UP:
            return every
        tickets = self.state.stage.state.tickets.values()
        if any(not ticket.order.effect.only_reduces for ticket in tickets):
            silence = timedelta(seconds=float(self.state.control.settings.confirm.silent_seconds))
            return min(self._seconds("poll_seconds"), silence / 2)
        return self._seconds("poll_seconds") if next(self.state.ledger.working(), None) is not None else every

    def _seconds(self, name: str) -> timedelta:
        return timedelta(seconds=float(getattr(self.state.control.settings.reconciliation, name)))
