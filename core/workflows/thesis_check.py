"""Check each thesis of `theses.toml` by its strategy's trades, once per trading day after the close (AN-07).

It records an invalidation once and proposes a pause of the strategy. Only the operator's answer pauses anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

from core import facts
from core.messages.desk_commands import DecidePause, ThesesFileSeen
from core.messages.effects import Effect
from core.model.session import Session
from core.model.signal import SuspensionCause
from core.model.thesis import Status, Thesis, TradeKind, Verdict
from core.risk.theses import judged
from core.trading_state.state import TradingState
from core.workflows.strategy_evaluation import LOOKED_BACK, night_of
from core.workflows.workflow import answers

LATE = timedelta(days=LOOKED_BACK)
"""A trade may be reported so long after its exit."""


class ThesisCheck:
    ACTS_BY_TIME = True

    def __init__(self, state: TradingState) -> None:
        self.state = state

    @answers(ThesesFileSeen)
    def on_seen(self, message: ThesesFileSeen) -> Iterable[Effect]:
        self.state.sightings.theses = message.theses
        self.state.sightings.deadline_moved = True
        return ()

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        if (session := self._session()) is not None:
            yield night_of(self.state, session)

    def due(self) -> Iterable[Effect]:
        session = self._session()
        if session is not None and self.state.at >= night_of(self.state, session):
            self._check(session.day)
        return ()

    def _session(self) -> Session | None:
        """Return the session whose night is next, a missed one first; None without a thesis."""
        state = self.state
        if not state.sightings.theses:
            return None
        missed = self._missed()
        if missed is not None:
            return missed
        today = state.calendar.session_on(state.calendar.trading_day(state.at))
        if isinstance(today, Session) and state.at < night_of(state, today):
            return today
        return state.calendar.next_session(state.at)

    def _missed(self) -> Session | None:
        """Return the last session on which the desk ran and whose night has begun, unless it was checked."""
        state, checked_on = self.state, self.state.theses.state.checked_on
        for day in reversed(state.evaluation.state.days[-2:]):
            if checked_on is not None and day <= checked_on:
                return None
            session = state.calendar.session_on(day)
            is_recent = (state.calendar.trading_day(state.at) - day).days <= LOOKED_BACK
            if is_recent and isinstance(session, Session) and night_of(state, session) <= state.at:
                return session
        return None

    # ── a night ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _check(self, day: date) -> None:
        """Check all theses, then record the night. After a crash in between, the rest is checked again."""
        found = (self._verdict(each, kind, day) for each in self.state.sightings.theses for kind in TradeKind)
        verdicts = tuple(verdict for verdict in found if verdict is not None)
        self.state.record(facts.ThesesChecked(day, verdicts))

    def _verdict(self, thesis: Thesis, kind: TradeKind, day: date) -> Verdict | None:
        """Return the verdict, after recording it if it is a new invalidation; None without a paper trade."""
        book, earlier = self.state.theses, ""
        if (known := book.on_record(thesis, kind)) is not None:
            return Verdict(thesis, Status.INVALIDATED, (known.evidence,), kind)
        if (other := book.of_another(thesis, kind)) is not None:
            verdict = Verdict(thesis, Status.INVALIDATED, (other.evidence,), kind)
            earlier = f"{other.thesis.name} ({other.thesis.strategy})"
        else:
            trades = book.trades(thesis.strategy, kind, day)
            if kind is TradeKind.PAPER and not trades:
                return None
            verdict = judged(thesis, trades, kind, book.judged_until(thesis, kind) - LATE)
        if verdict.met is not None:
            self.state.record(facts.ThesisInvalidated(thesis, kind, verdict.met, earlier))
        return verdict

    # ── the operator ─────────────────────────────────────────────────────────────────────────────────────────────

    @answers(DecidePause)
    def on_decide(self, command: DecidePause) -> Iterable[Effect]:
        """Pause the strategy until the typed word, or let it go on; without a proposal nothing happens."""
        state, strategy = self.state, command.strategy
        reason = state.theses.proposed(strategy)
        if not reason:
            return ()
        if command.is_adopted:
            state.record(facts.StrategySuspended(strategy, SuspensionCause.THESIS, "", reason, None))
        else:
            state.record(facts.ThesisPauseDeclined(strategy))
        return ()
