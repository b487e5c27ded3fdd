"""Evaluate each strategy by its trades, once per trading day after the close (ST-10). A missed night is made up.

It retires, pauses and proposes, but never re-enables: only the operator resumes a retired strategy. Two pauses do not
wait for the night: that of the VIX starts with its measurement, that of the week with the trade that reaches the limit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import partial

from core import facts
from core.messages.commands import DecidePromotion, ReinstateStrategy
from core.messages.effects import Effect
from core.model.codes import HaltCause
from core.model.session import Session
from core.model.signal import RESUME, Evaluated, SuspensionCause
from core.model.values import Fraction, percent
from core.risk.day import monday_of
from core.risk.strategy_evaluation import (
    EVERY,
    RESUMED,
    Keep,
    Promote,
    Retire,
    bad_regimes,
    judged,
    key_of,
    vix_is_high,
)
from core.settings.strategies import EvaluationSettings
from core.trading_state.state import TradingState
from core.workflows.workflow import answers, follows

LONGEST_BREAK = 5
"""Maximum days to the next session: three closed days beside a weekend."""
LOOKED_BACK = 10
"""Days for which a missed night is made up: the next night covers older ones."""
FRESH = timedelta(days=4)
"""Maximum age of a VIX close."""
ALL_RETIRED = "every strategy that is turned on is retired; Space in Strategies resumes one"


def night_of(state: TradingState, session: Session) -> datetime:
    """Return when the strategies and theses of a session are evaluated, UTC."""
    return session.close + timedelta(minutes=state.control.settings.evaluation.minutes_after_close)


class StrategyEvaluation:
    ACTS_BY_TIME = True

    def __init__(self, state: TradingState) -> None:
        self.state = state

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        yield from (shut.until for shut in self.state.evaluation.state.shut.values() if shut.until is not None)
        if (session := self._session()) is not None:
            yield night_of(self.state, session)

    def due(self) -> Iterable[Effect]:
        for shut in tuple(self.state.evaluation.state.shut.values()):
            if shut.until is not None and self.state.at >= shut.until:
                self.state.record(facts.StrategyReinstated(shut.strategy, shut.cause, shut.scope, "expired"))
        session = self._session()
        if session is not None and self.state.at >= night_of(self.state, session):
            self._evaluate(session.day)
        return ()

    def _session(self) -> Session | None:
        """Return the session to evaluate next, a missed one first; None if no strategy is due then."""
        state = self.state
        day = state.calendar.trading_day(state.at)
        if not self._terms.enabled or not self._may_be_due(day):
            return None
        last = self._last_session()
        if last is not None and self._is_open(last.day):
            return last
        today = state.calendar.session_on(day)
        if isinstance(today, Session) and state.at < night_of(self.state, today):
            return today if self._is_open(today.day) else None
        coming = state.calendar.next_session(state.at)
        return coming if self._is_open(coming.day) else None

    def _may_be_due(self, day: date) -> bool:
        """Whether a strategy can be due on the next night."""
        return self.state.of_all_but_bars(("may be evaluated", day), partial(self._can_be_due, day))

    def _can_be_due(self, day: date) -> bool:
        records = self.state.evaluation.state.records.values()
        oldest = min((record.began_on for record in records), default=day)
        is_old = (day - oldest).days + LONGEST_BREAK >= self._terms.least_days and bool(records)
        return is_old or self._is_vix_paused != self._should_vix_pause(day)

    def _is_open(self, day: date) -> bool:
        """Whether that night has a strategy to evaluate and was not evaluated yet."""
        return self.state.of_all_but_bars(("is to be evaluated", day), partial(self._is_wanted, day))

    def _is_wanted(self, day: date) -> bool:
        book = self.state.evaluation
        told = book.state.evaluated_on
        if told is not None and day <= told:
            return False
        is_someone_due = any(book.is_due(strategy, day) for strategy in self._strategies())
        return is_someone_due or self._is_vix_paused != self._should_vix_pause(day)

    def _last_session(self) -> Session | None:
        """Return the last session on which the desk ran, if its night has begun and is recent."""
        state, days = self.state, self.state.evaluation.state.days
        if not days or (state.calendar.trading_day(state.at) - days[-1]).days > LOOKED_BACK:
            return None
        session = state.calendar.session_on(days[-1])
        return session if isinstance(session, Session) and night_of(self.state, session) <= state.at else None

    # ── at a start ───────────────────────────────────────────────────────────────────────────────────────────────

    @follows(facts.EngineStarted)
    def after_start(self, _fact: facts.EngineStarted) -> None:
        """Halt if the settings turned off all strategies that are not retired."""
        self._halt_without_strategies()

    # ── immediate actions ────────────────────────────────────────────────────────────────────────────────────────────

    @follows(facts.RegimeMeasured)
    def after_measurement(self, _fact: facts.RegimeMeasured) -> None:
        """Update the VIX pause: enough high closes start it, a calm close ends it."""
        if self._terms.enabled:
            self._watch_vix(self.state.calendar.trading_day(self.state.at))

    @follows(facts.TradeClosed)
    def after_trade(self, _fact: facts.TradeClosed) -> None:
        """Pause strategies that lost a week's limit, however new they are."""
        if self._terms.enabled:
            day = self.state.calendar.trading_day(self.state.at)
            for strategy in self._strategies():
                self._pause_for_the_week(strategy, day)

    # ── a night ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _evaluate(self, day: date) -> None:
        """Evaluate all strategies, then record the night. After a crash in between, the rest is evaluated again."""
        state = self.state
        due = [strategy for strategy in self._strategies() if state.evaluation.is_due(strategy, day)]
        figures = {strategy: state.evaluation.figures(strategy, day) for strategy in due}
        verdicts = {strategy: judged(figures[strategy], self._terms) for strategy in due}
        self._watch_vix(day)
        retiring = {s for s, verdict in verdicts.items() if isinstance(verdict, Retire)}
        if retiring:
            self._halt_without_strategies(retiring)
        results = (Evaluated(s, figures[s], self._act_on(s, day, verdicts[s])) for s in due)
        state.record(facts.StrategiesEvaluated(day, tuple(results)))

    def _act_on(self, strategy: str, day: date, verdict: Retire | Promote | Keep) -> str:
        """Act on a verdict and return the result as text."""
        if isinstance(verdict, Retire):
            self.state.record(facts.StrategySuspended(strategy, SuspensionCause.RETIRED, "", verdict.reason, None))
            return f"retired, {verdict.reason}"
        self._pause_in_bad_regimes(strategy, self.state.evaluation.since(strategy, day))
        self._pause_for_the_week(strategy, day)
        return self._promote(strategy, day, verdict) if isinstance(verdict, Promote) else verdict.words

    def _promote(self, strategy: str, day: date, verdict: Promote) -> str:
        """Propose a promotion once until the operator decides, and not again for as long as a new strategy waits."""
        book, terms = self.state.evaluation, self._terms
        decided_on = book.state.records[strategy].decided_on
        if strategy in book.state.proposed:
            return "more of its allocation is proposed already"
        if self.state.allocations.grown(strategy, terms.more) is None:
            return f"does well ({verdict.reason}); it has no allocation of its own that could grow"
        if decided_on is not None and (day - decided_on).days < terms.least_days:
            return f"goes on as it is; more was decided on {decided_on}"
        self.state.record(facts.PromotionProposed(strategy, Fraction(terms.more), verdict.reason))
        return f"{percent(terms.more, 0)} more of its allocation is proposed"

    def _pause_in_bad_regimes(self, strategy: str, since: date) -> None:
        book = self.state.evaluation
        for regime, reason in bad_regimes(book.state.records[strategy].results, since, self._terms):
            if key_of(strategy, SuspensionCause.REGIME, regime) not in book.state.shut:
                self.state.record(facts.StrategySuspended(strategy, SuspensionCause.REGIME, regime, reason, None))

    def _pause_for_the_week(self, strategy: str, day: date) -> None:
        """Pause a strategy until next week that alone lost the account's weekly limit."""
        state, book = self.state, self.state.evaluation
        equity = state.opening.opening_equity_of_week(day)
        limit, lost = state.control.settings.risk.weekly_loss.of(equity), book.lost_since(strategy, monday_of(day))
        is_told, ends = (
            key_of(strategy, SuspensionCause.WEEK, "") in book.state.shut,
            state.calendar.venue.end_of_week(day),
        )
        if limit is None or lost < limit or is_told or state.at >= ends:
            return
        reason = f"{lost:,.2f} USD lost this week, the limit is {limit:,.2f} USD"
        state.record(facts.StrategySuspended(strategy, SuspensionCause.WEEK, "", reason, ends))

    def _watch_vix(self, day: date) -> None:
        book, terms = self.state.evaluation, self._terms
        should, closes = self._should_vix_pause(day), book.state.vix
        if should and not self._is_vix_paused:
            values = ", ".join(f"{value:.2f}" for _, value in closes[-terms.vix_days :])
            days = f"the VIX closed over {terms.vix_over} on {terms.vix_days} days ({values})"
            reason = f"{days}; a close under {terms.vix_under} ends it"
            self.state.record(facts.StrategySuspended(EVERY, SuspensionCause.VIX, "", reason, None))
        elif self._is_vix_paused and not should:
            reason = f"the VIX closed at {closes[-1][1]:.2f}, under {terms.vix_under}"
            self.state.record(facts.StrategyReinstated(EVERY, SuspensionCause.VIX, "", reason))

    @property
    def _is_vix_paused(self) -> bool:
        return key_of(EVERY, SuspensionCause.VIX, "") in self.state.evaluation.state.shut

    def _should_vix_pause(self, day: date) -> bool:
        """Whether the VIX pause applies; it lasts until a lower close, and without a fresh close it does not change."""
        closes, terms = self.state.evaluation.state.vix, self._terms
        if not closes or day - closes[-1][0] > FRESH:
            return self._is_vix_paused
        return closes[-1][1] >= terms.vix_under if self._is_vix_paused else vix_is_high(closes, terms)

    def _halt_without_strategies(self, retiring: Collection[str] = ()) -> None:
        """Halt if every strategy that is turned on is retired, or is about to be."""
        state, strategies = self.state, self._strategies()
        are_all = bool(strategies) and all(s in retiring or state.evaluation.is_retired(s) for s in strategies)
        if are_all and HaltCause.RETIRED not in state.control.halts:
            state.record(facts.Halted(HaltCause.RETIRED, ALL_RETIRED))

    # ── the operator ─────────────────────────────────────────────────────────────────────────────────────────────

    @answers(ReinstateStrategy)
    def on_reinstate(self, command: ReinstateStrategy) -> Iterable[Effect]:
        """End a retirement and the pauses in regimes; pauses that end by time stay.

        If its thesis is invalidated, nothing ends without the typed word (AN-07).
        """
        shuts = tuple(self.state.evaluation.shuts_of(command.strategy))
        if command.word != RESUME and any(shut.cause is SuspensionCause.THESIS for shut in shuts):
            self.state.record(facts.ReinstatementRefused(command.strategy, f"the word is {RESUME}"))
            return ()
        for shut in shuts:
            if shut.cause in RESUMED:
                self.state.record(
                    facts.StrategyReinstated(command.strategy, shut.cause, shut.scope, "resumed by the operator")
                )
        if HaltCause.RETIRED in self.state.control.halts and not self.state.evaluation.is_retired(command.strategy):
            self.state.record(facts.Resumed(HaltCause.RETIRED))
        return ()

    @answers(DecidePromotion)
    def on_decide(self, command: DecidePromotion) -> Iterable[Effect]:
        """Decide a promotion. It takes effect on the next trading day; it is refused if the total is too much."""
        state, strategy = self.state, command.strategy
        proposed = state.evaluation.state.proposed.get(strategy)
        if proposed is None:
            return ()
        if not command.is_adopted:
            state.record(facts.PromotionDecided(strategy, is_adopted=False))
        elif (refusal := state.allocations.refusal_to_grow(strategy, proposed.step)) is not None:
            state.record(facts.PromotionRefused(strategy, refusal))
        else:
            to = state.allocations.grown(strategy, proposed.step)
            state.record(facts.PromotionDecided(strategy, is_adopted=True, allocation=to))
        return ()

    # ── helpers ──────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _terms(self) -> EvaluationSettings:
        return self.state.control.settings.evaluation

    def _strategies(self) -> tuple[str, ...]:
        settings = self.state.control.settings.strategies
        running = {r.strategy.name for runners in self.state.orchestrator.runners.values() for r in runners}
        return tuple(sorted(name for name in running if settings.of(name).enabled))
