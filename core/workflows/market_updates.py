"""Handle bars, quotes, halts, spreads and measurements of the market (RK-23).

The first quote of a minute represents it, so a burst of quotes has no more weight than a quiet minute.

RK-19, RK-08, RK-16. For a symbol that is only watched, only the last close is kept, and nothing is recorded (MD-06).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import median

from core import facts
from core.market.normaliser import COMPLETE, DayFigures, Quarantined
from core.messages import inputs
from core.messages.effects import Effect, FetchAccount
from core.model.bar import BY_MINUTE, BY_SESSION, ONE_MINUTE, Bar, TradingHalt
from core.model.codes import ProposalEnd
from core.model.position import Position
from core.model.session import Session
from core.model.signal import EntrySignal, ExitSignal
from core.model.sizing import NoVix, VixReading
from core.model.text_sanitizer import is_news
from core.model.values import Fraction, Symbol
from core.risk.regime import (
    VixLevels,
    at_levels,
    by_levels,
    is_of_regular_hours,
    levels_of,
    lowers,
    with_vix,
)
from core.settings.risk import ANY_SPREAD
from core.strategies.orchestrator import Signals
from core.trading_state.state import TradingState
from core.trading_state.watched_symbols import is_only_watched, move_trails
from core.workflows.protection.owed_stops import is_held_over
from core.workflows.protection.protections import ProtectionEvents
from core.workflows.recommendations import Recommendations
from core.workflows.staging.proposal_lifecycle import Proposals
from core.workflows.staging.unattended_exits import AutoExits
from core.workflows.strategy_signals import ExitRules, StrategyHealth
from core.workflows.workflow import answers

NOTHING: tuple[Effect, ...] = ()
HOW_MUCH: tuple[Effect, ...] = (FetchAccount(),)


WITHOUT_A_BAR = timedelta(minutes=2)
"""Delay after the flat time at which the clock stages the exit if no bar arrived."""


class MarketUpdates:
    """Checks market data, passes complete bars to the strategies, and stages their signals."""

    ACTS_BY_TIME = True
    RUNS_WITH_OTHERS = True

    def __init__(
        self,
        state: TradingState,
        proposals: Proposals,
        strategy_health: StrategyHealth,
        exit_rules: ExitRules,
        protection_events: ProtectionEvents,
        recommendations: Recommendations,
        auto_exits: AutoExits,
    ) -> None:
        self.state = state
        self.proposals = proposals
        self.strategy_health = strategy_health
        self.exit_rules = exit_rules
        self.protection_events = protection_events
        self.recommendations = recommendations
        self.auto_exits = auto_exits
        self._day_known_until = datetime.min.replace(tzinfo=UTC)
        self._asked_for = datetime.min.replace(tzinfo=UTC)
        self._flattened: dict[tuple[Symbol, str], datetime] = {}

    @answers(inputs.BarArrived)
    def on_bar(self, message: inputs.BarArrived) -> Iterable[Effect]:
        state = self.state
        bar = message.bar
        judgement = state.normaliser.judge(bar, state.at)
        if judgement is not COMPLETE:
            if isinstance(judgement, Quarantined):
                state.record(facts.MarketDataQuarantined(message.place, f"{bar.symbol} {judgement.reason}"))
            return NOTHING
        self._note(bar)
        if is_only_watched(state, bar.symbol):
            state.tell_watched_bar(bar)
            return NOTHING
        if (counted := state.orchestrator.session_over(bar)) is not None:
            state.record(counted)
        state.record(facts.BarClosed(bar))
        if state.sightings.trails:
            move_trails(state, bar)
        signals = self.strategy_health.ask(bar)
        state.tell_bar(bar)
        if state.normaliser.state.halted:
            # End a halt whose end was not reported when a minute that began after it has traded.
            halt = self.state.normaliser.state.halted.get(bar.symbol)
            if halt is not None and bar.start >= halt.since:
                minute = self.state.calendar.venue.told(bar.start)
                self.state.record(facts.TradingResumed(bar.symbol, f"its minute {minute} has traded"))
        if state.protections.has_news:
            self.protection_events.look()
        if signals or state.ledger.state.positions or state.stage.state.proposals:
            return self._after_busy_bar(message, signals)
        return self._new_day(bar)

    def _note(self, bar: Bar) -> None:
        """Update the day's figures of traded and watched symbols."""
        kept, calendar = self.state.sightings.day_figures, self.state.calendar
        figures = kept.get(bar.symbol)
        if figures is None or bar.start >= figures.until:
            session, before = calendar.session_at(bar.start), None if figures is None else figures.last
            if not isinstance(session, Session):
                return
            if figures is not None and figures.day == session.day:
                figures.until = session.close  # the broker announced a later close
            else:
                figures = kept[bar.symbol] = DayFigures(calendar.trading_day(bar.start), session.close, before)
        figures.take(bar)

    @answers(inputs.QuoteArrived)
    def on_quote(self, message: inputs.QuoteArrived) -> Iterable[Effect]:
        judgement = self.state.normaliser.judge_quote(message.quote, self.state.at)
        if isinstance(judgement, Quarantined):
            self.state.record(facts.MarketDataQuarantined("quote", f"{message.quote.symbol} {judgement.reason}"))
            return NOTHING
        self.state.sightings.quotes[message.quote.symbol] = message.quote
        return NOTHING

    @answers(inputs.TradingHaltHeard)
    def on_status(self, message: inputs.TradingHaltHeard) -> Iterable[Effect]:
        """Record the start and the end of a halt once; ignore a report older than the current one (MD-06)."""
        state, known = self.state, self.state.normaliser.state.halted.get(message.symbol)
        if known is not None and message.at < known.since:
            return NOTHING
        if message.is_halted and is_news(message.words, known.reason if known is not None else None):
            since = min(message.at, state.at) if known is None else known.since
            state.record(facts.TradingHalted(TradingHalt(message.symbol, since, message.words)))
        elif not message.is_halted and known is not None:
            state.record(facts.TradingResumed(message.symbol, message.words))
        return NOTHING

    @answers(inputs.MarketDataBroken)
    def on_broken(self, message: inputs.MarketDataBroken) -> Iterable[Effect]:
        self.state.record(facts.MarketDataQuarantined(message.place, message.reason))
        return NOTHING

    def _after_busy_bar(self, message: inputs.BarArrived, answers: Signals) -> Iterable[Effect]:
        """Handle a bar with signals, positions or proposals."""
        bar, state = message.bar, self.state
        if state.ledger.state.positions:
            answers += self.exit_rules.signals(bar, answers)
        if answers or state.stage.state.proposals:
            return self._after_bar(message, answers)
        return self._new_day(bar) or self._how_much(bar)

    def _after_bar(self, message: inputs.BarArrived, answers: Signals) -> Iterator[Effect]:
        bar = message.bar
        yield from self._new_day(bar)
        self._withdraw_exits(bar, answers)
        lives_until = None if message.whole is None else self._end_of_session()
        timeframe = BY_MINUTE if message.whole is None else BY_SESSION
        for answer in self.strategy_health.agreed(bar, answers):
            if isinstance(answer, EntrySignal):
                self.proposals.stage_entry(answer, lives_until, timeframe)
                self.recommendations.after_entry(answer)
            else:
                self.proposals.stage_exit(answer, timeframe)
        yield from self.auto_exits.look()
        if self.state.ledger.state.positions:
            yield from self._how_much(bar)

    def _end_of_session(self) -> datetime | None:
        """Return when a proposal of a daily bar ends: with the session in which it arrived; None outside a session.

        The broker ends its order at the close; the desk ends only those that the broker has not ended by then.
        """
        session = self.state.calendar.session_at(self.state.at)
        return session.close + ONE_MINUTE if isinstance(session, Session) else None

    def _how_much(self, bar: Bar) -> Iterable[Effect]:
        """Fetch the account once a minute, however many symbols have a bar in it (EX-17)."""
        if bar.start <= self._asked_for:
            return NOTHING
        self._asked_for = bar.start
        return HOW_MUCH

    def _new_day(self, bar: Bar) -> Iterable[Effect]:
        """Fetch the account at the first bar of a day: the reference of the day's loss (RK-03)."""
        if bar.start < self._day_known_until:
            return NOTHING
        session = self.state.calendar.session_at(bar.start)
        if isinstance(session, Session):
            self._day_known_until = session.close
        return HOW_MUCH

    def _withdraw_exits(self, bar: Bar, answers: Signals) -> None:
        """Withdraw a strategy's exit when its condition no longer holds (OP-06)."""
        leaving = {answer.strategy for answer in answers if isinstance(answer, ExitSignal)}
        names = [runner.name for runner in self.state.orchestrator.runners.get(bar.symbol, ())]
        names += [position.strategy for position in self.state.ledger.positions_in(bar.symbol)]
        for name in dict.fromkeys(names):
            waiting = self.state.stage.exit_waiting(bar.symbol, name)
            held = self.state.ledger.position(bar.symbol, name)
            if name in self.state.orchestrator.silent or (held is not None and is_held_over(self.state, held)):
                continue
            if waiting and name not in leaving and not self.state.stage.is_confirming(waiting.id):
                self.state.record(
                    facts.ProposalEnded(waiting.id, ProposalEnd.WITHDRAWN, "its condition holds no longer")
                )

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        for position, at in self._to_flatten():
            if not self.proposals.is_leaving(position):
                yield at

    def due(self) -> Iterable[Effect]:
        """Stage by the clock the exit of a position that must be flat by the close when no bar arrived (ST-02)."""
        for position, at in self._to_flatten():
            if self.state.at < at:
                continue
            self._flattened[position.symbol, position.strategy] = self.state.at
            self.proposals.stage_flat(position, "end-of-day flatten: no bar came before it")
        return self.auto_exits.look()

    def _to_flatten(self) -> Iterator[tuple[Position, datetime]]:
        """Yield positions of strategies that are flat overnight, each with its next try, while the session is open."""
        for position in self.state.ledger.positions():
            hours = self._hours_of(position)
            if hours is None:
                continue
            session, flat_from = hours
            at = flat_from + WITHOUT_A_BAR
            tried = self._flattened.get((position.symbol, position.strategy))
            if tried is not None and tried >= at:
                at = tried + ONE_MINUTE
            if self.state.at < session.close and at < session.close:
                yield position, at

    def _hours_of(self, position: Position) -> tuple[Session, datetime] | None:
        """Return the session and the time from which a position must be flat; None if it need not be."""
        runner = self.state.orchestrator.roster.runner(position.strategy, position.symbol)
        if runner is not None:
            return runner.context.session, runner.context.flat_from
        session = self.state.calendar.session_at(self.state.at)
        if not isinstance(session, Session):
            return None
        flat_from = self.exit_rules.flat_from(position, session)
        return None if flat_from is None else (session, flat_from)


A_QUARTER = 15
"""Minutes that are sampled before their spread is recorded."""
MINUTE = 60


class SpreadSampling:
    """Samples since the last measurement are kept in memory only: a start begins a new quarter of an hour."""

    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._minutes: dict[Symbol, int] = {}
        self._seen: dict[Symbol, list[Fraction]] = {}

    @answers(inputs.QuoteArrived)
    def on_quote(self, message: inputs.QuoteArrived) -> Iterable[Effect]:
        """Sample believable quotes while a collar uses spreads."""
        quote, state = message.quote, self.state
        minute = int(quote.at.timestamp()) // MINUTE
        if self._minutes.get(quote.symbol) == minute or state.sightings.quotes.get(quote.symbol) is not quote:
            return ()
        self._minutes[quote.symbol] = minute
        is_wanted = state.control.settings.risk.collar.spreads < ANY_SPREAD
        if not is_wanted or not isinstance(state.calendar.session_at(quote.at), Session):
            return ()
        seen = self._seen.setdefault(quote.symbol, [])
        seen.append(quote.spread)
        if len(seen) == A_QUARTER:
            del self._seen[quote.symbol]
            state.record(facts.SpreadMeasured(quote.symbol, Fraction(median(seen))))
        return ()


class RegimeUpdates:
    def __init__(self, state: TradingState) -> None:
        self.state = state

    @answers(inputs.PastArrived)
    def on_past(self, message: inputs.PastArrived) -> Iterable[Effect]:
        past = self.state.splits.past_now(message.past)
        days = past.days
        if days and days[-1].close is not None:
            self.state.sightings.closes[message.past.symbol] = (days[-1].day, days[-1].close)
        if days and not is_only_watched(self.state, message.past.symbol):
            self.state.record(facts.PastDaysLoaded(past))
        return ()

    @answers(inputs.RegimeArrived)
    def on_regime(self, message: inputs.RegimeArrived) -> Iterable[Effect]:
        """Values that the measurement lacks keep their last known value."""
        known = self.state.regime.regime
        found = message.regime.after(known)
        if isinstance(found.vix, VixReading):
            levels = levels_of(self.state.control.settings.regime)
            found = replace(found, vix=_levelled(found.vix, known.vix, levels))
        if found == known:
            return ()
        later = _later_vix(found.vix)
        is_alone = later is not None and with_vix(known, later) == found
        self.state.record(later if is_alone and later is not None else facts.RegimeMeasured(found))
        return ()

    def use_levels(self, levels: VixLevels) -> None:
        """Measure the last value by other levels at once; the next measurement has the whole history."""
        known = self.state.regime.regime
        if isinstance(known.vix, VixReading) and (found := at_levels(known.vix, levels)) != known.vix:
            self.state.record(facts.RegimeMeasured(replace(known, vix=found)))


def _levelled(found: VixReading, known: VixReading | NoVix, levels: VixLevels) -> VixReading:
    """Return the reading at its level; outside regular hours a value in the day never lowers it."""
    if isinstance(known, NoVix):
        return by_levels(found, levels)
    levelled = by_levels(found, levels, known.level)
    return known if lowers(levelled, known) and not is_of_regular_hours(levelled) else levelled


def _later_vix(vix: VixReading | NoVix) -> facts.VixMeasured | None:
    """Return the fact of a value in the day; None for a close."""
    if isinstance(vix, NoVix) or vix.measured_at is None:
        return None
    return facts.VixMeasured(vix.value, vix.measured_on, vix.measured_at)
