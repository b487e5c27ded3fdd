"""When the broker's books are asked for: one question at a time, never two close together."""

from __future__ import annotations

from datetime import datetime, timedelta

from core.model.connection import Channel, ConnectionState
from core.model.session import NoSession, Session
from core.trading_state.state import TradingState


class ReconciliationTimes:
    """Remembers when the books were asked for, and says when they are next."""

    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._asked_at: datetime | None = None
        self._ask_at: datetime | None = None
        self._is_waiting = False
        self._is_wanted_again = False

    def asks(self) -> None:
        """The books are asked for now."""
        self._asked_at = self.state.at
        self._ask_at = self.state.at + self._seconds("again_seconds")
        self._is_waiting, self._is_wanted_again = True, False

    def answered(self) -> None:
        """What was wanted meanwhile is asked for after this answer."""
        wanted_again = self._is_wanted_again
        self._is_waiting = self._is_wanted_again = False
        self._ask_at = self._earliest() if wanted_again else None

    def may_ask_now(self) -> bool:
        """Whether what is wanted is asked for at once; where not, it is asked for later."""
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
        """Later, and not before the broker takes requests again."""
        pause = max(self._seconds("again_seconds"), timedelta(seconds=limited_seconds or 0))
        later = self.state.at + pause
        self._ask_at = later if self._ask_at is None else min(self._ask_at, later)

    def _earliest(self) -> datetime:
        return self.state.at if self._asked_at is None else self._asked_at + self._seconds("apart_seconds")

    def _next_round(self) -> datetime | None:
        """Every minute of a session, and of the extended hours while anything may happen in them; else when those next
        begin. Often, where the books tell what the order stream does not while orders work (EX-17).
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
        """Killed, and what a kill takes back of others is not gone yet: it is watched at any hour (OP-07)."""
        is_killed = self.state.control.killed_by is not None
        return is_killed and any(other.may_open and not other.is_unread for other in self.state.sightings.all_others)

    def _minds_extended_hours(self) -> bool:
        """Whether the policy has entries in them, or an order or a position of ours may meet them (RK-20)."""
        ledger = self.state.ledger
        is_included = self.state.control.settings.risk.session.policy == "include_extended"
        return is_included or next(ledger.working(), None) is not None or bool(ledger.positions())

    def _every(self) -> timedelta:
        """Where nothing comes over the order stream, the books tell in its place: often while orders work, and within
        the silence that sends an entry back to review while the ticket of one is open (OP-04).
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
