"""Compare the engine's clock with the broker's, open each day, and keep the account of the day (EX-09, RK-20).

If the broker's clock and the desk's differ, or ours jumped, entries wait (EX-23). So does everything that time alone
would trigger, and no figures begin a day. The operator's actions and stops do not depend on the clock. The broker's
clock is read each minute, and every few seconds while ours is in doubt: only agreement with it ends the doubt.

Without orders in extended hours the day's first bar triggers it, for there is none before the open. The figures of a
day that has begun are fetched again: before that the broker may have reported the close of an earlier day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

from core.facts import ClockDiffered, ClockJumped, ClockSettled
from core.messages.effects import Effect, FetchAccount, FetchClock
from core.messages.inputs import (
    AccountFetched,
    BooksFetched,
    ClockFetched,
    ClockRead,
    Start,
)
from core.model.account import Account, NoAccount
from core.model.bar import ONE_MINUTE
from core.model.broker import BrokerBooks, NoAnswer
from core.model.session import Session
from core.model.values import ZERO
from core.risk.day import begun, corrected
from core.trading_state.state import TradingState
from core.workflows.protection.protections import MarginMonitor, ProtectionEvents
from core.workflows.workflow import answers, follows

# ── start, stop and clock ────────────────────────────────────────────────────────────────────────────────────────────


EACH = timedelta(minutes=1)
IN_DOUBT = timedelta(seconds=5)


class ClockWatch:
    """`_asked_at` is the time of the last request; since `_agreed_at` both clocks agree in this doubt."""

    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._asked_at: datetime | None = None
        self._agreed_at: datetime | None = None
        self._is_told = False
        self._step = ZERO

    @answers(Start)
    def on_start(self, _command: Start) -> Iterable[Effect]:
        return self._ask() if self._pause is not None else ()

    @answers(ClockRead)
    def on_read(self, message: ClockRead) -> Iterable[Effect]:
        if message.jumped or not self.state.control.is_clock_in_doubt:
            self.state.record(ClockJumped(message.jumped, message.behind))
            self._is_told = False
        self._agreed_at = None
        return self._ask()

    @answers(ClockFetched)
    def on_clock(self, reply: ClockFetched) -> Iterable[Effect]:
        if isinstance(reply.answer, NoAnswer):
            return ()
        # The broker read its clock before now: the time of its answer's way counts as ours being ahead.
        self.state.sightings.clock_ahead = max(self.state.at - reply.answer, timedelta(0))
        self._step += reply.step
        if reply.is_near:
            self._agreed_at = self._agreed_at or self.state.at
            self._settle()
            return ()
        self._agreed_at = None
        if not self._is_told or not self.state.control.is_clock_in_doubt:
            self._is_told = True
            self.state.record(ClockDiffered(reply.ahead))
        return ()

    def next_due(self) -> Iterator[datetime]:
        if (pause := self._pause) is not None:
            yield self.state.at if self._asked_at is None else self._asked_at + pause
        if (settles_at := self._settles_at()) is not None:
            yield settles_at

    def due(self) -> Iterable[Effect]:
        self._settle()
        pause = self._pause
        is_due = pause is not None and (self._asked_at is None or self.state.at >= self._asked_at + pause)
        return self._ask() if is_due else ()

    @property
    def _pause(self) -> timedelta | None:
        """Return the time between two requests; None if the desk uses the broker's clock."""
        if self.state.control.is_clock_in_doubt:
            return IN_DOUBT
        return EACH if self.state.sightings.has_own_clock else None

    def _ask(self) -> Iterable[Effect]:
        self._asked_at = self.state.at
        return (FetchClock(),)

    def _settles_at(self) -> datetime | None:
        """Return when the doubt ends: both clocks agree, and ours has been steady since."""
        jumped_at = self.state.control.state.clock_jumped_at
        if jumped_at is None or self._agreed_at is None:
            return None
        steady = timedelta(seconds=float(self.state.control.settings.risk.clock_steady_seconds))
        return max(self._agreed_at, jumped_at + steady)

    def _settle(self) -> None:
        settles_at = self._settles_at()
        if settles_at is not None and self.state.at >= settles_at:
            self.state.record(ClockSettled(self._step))
            self._step, self._is_told = ZERO, False


# ── the account of the day ───────────────────────────────────────────────────────────────────────────────────────────

SHORTLY = timedelta(minutes=5)
"""Time before the open of the last update of the day's reference equity."""


class DayOpen:
    """`_again_at` is the time of the next request if no answer gave the day's equity."""

    ACTS_BY_TIME = True

    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._again_at = datetime.min.replace(tzinfo=UTC)

    def next_due(self) -> Iterator[datetime]:
        session = self._next_session()
        if session is not None:
            yield max(self.state.calendar.venue.extended_span(session)[0], self._again_at)
        stale = self._stale_from()
        if stale is not None:
            yield max(stale, self._again_at)

    def due(self) -> Iterable[Effect]:
        if not any(self.state.at >= at for at in self.next_due()):
            return ()
        self._again_at = self.state.at + ONE_MINUTE
        return (FetchAccount(),)

    def _stale_from(self) -> datetime | None:
        """Return when the figures of a day that has begun become too old for its open; None if they do not."""
        state = self.state
        day = state.calendar.trading_day(state.at)
        today = state.calendar.session_on(day)
        if not isinstance(today, Session) or state.at >= today.open or state.opening.opening_equity(day) is None:
            return None
        looks = [today.open - SHORTLY]
        if state.control.settings.risk.session.policy == "include_extended":
            looks.insert(0, state.calendar.venue.extended_span(today)[0])
        seen = state.sightings.account.at if isinstance(state.sightings.account, Account) else None
        return next((look for look in looks if seen is None or seen < look), None)

    def _next_session(self) -> Session | None:
        """Return the next session whose opening equity is unknown; None if no entry may act before an open."""
        state = self.state
        if state.control.settings.risk.session.policy != "include_extended":
            return None
        day = state.calendar.trading_day(state.at)
        today = state.calendar.session_on(day)
        if not isinstance(today, Session):
            return state.calendar.next_session(state.at)
        if state.at < today.open and state.opening.opening_equity(day) is None:
            return today
        return state.calendar.next_session(max(state.at, today.open))


class AccountUpdates:
    def __init__(self, state: TradingState, protection_events: ProtectionEvents, margin_monitor: MarginMonitor) -> None:
        self.state = state
        self.protection_events = protection_events
        self.margin_monitor = margin_monitor

    @answers(AccountFetched)
    def on_account(self, reply: AccountFetched) -> Iterable[Effect]:
        if isinstance(reply.answer, Account):
            self._see(reply.answer)
        elif reply.answer.is_other_account:
            self.state.sightings.account = NoAccount(reply.answer.reason)
            self.state.sightings.books_are_wanted = True
        return ()

    @answers(BooksFetched)
    def on_books(self, reply: BooksFetched) -> Iterable[Effect]:
        """Take the instruments and the account from the broker's books."""
        if isinstance(reply.answer, BrokerBooks):
            self.state.sightings.instruments.update({i.symbol: i for i in reply.answer.instruments})
            self._see(reply.answer.account)
        return ()

    @follows(ClockSettled)
    def after_doubt(self, _fact: ClockSettled) -> Iterable[Effect]:
        """Fetch the figures of a day that did not begin while the clock was in doubt (EX-23)."""
        day = self.state.calendar.trading_day(self.state.at)
        is_begun = self.state.opening.opening_equity(day) is not None
        return (FetchAccount(),) if isinstance(self.state.calendar.session_on(day), Session) and not is_begun else ()

    def _see(self, account: Account) -> None:
        """Keep the figures; the first of a session's day fix the reference for its loss (RK-03).

        No day begins while the clock is in doubt (EX-23).
        """
        before, self.state.sightings.account = self.state.sightings.account, account
        day = self.state.calendar.trading_day(self.state.at)
        self.state.highs.take(day, account.equity, account.at)
        session = self.state.calendar.session_on(day)
        if isinstance(session, Session):
            is_older = isinstance(before, Account) and account.at < before.at
            if self.state.opening.opening_equity(day) is None:
                if not self.state.control.is_clock_in_doubt:
                    self.state.record(begun(day, account, self.state.calendar))
            elif self.state.at < session.open and not is_older:
                self._correct(day, account)
        self.protection_events.see_account(account)
        self.protection_events.look()
        self.margin_monitor.see(account)

    def _correct(self, day: date, account: Account) -> None:
        """Accept the broker's later report of the last close until the open: it may roll after midnight (RK-03)."""
        found = corrected(day, account, self.state.calendar, self.state.opening.state)
        if found is not None:
            self.state.record(found)
            self.protection_events.on_corrected(account)
