"""Ask strategies and exit rules for signals, after a warm-up (ST-01, ST-03).

Ask the strategies for signals and watch their health (ST-07).
Each signal is recorded as given; a strategy that fails is reported and finally paused; a conflicting signal blocks the
entry. A crash between a bar and its signals leaves that bar unanswered: a start asks nothing about past bars, and an
exit whose condition holds signals again on the next one.

Run the exit rules: after each bar they evaluate every position in its symbol and signal like strategies (ST-09).
They propose, like all others (OP-01). A strategy's own exit takes precedence: the rules are silent then.

The request ends where the bars begin that this desk receives, or has received today, so each bar is seen once from
either source. Until the answer arrives a strategy warms up on live bars, and proposes nothing before its windows are
full.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from core import facts
from core.execution.ledger_state import UNKNOWN_OWNER
from core.exit_rules import Due, ExitPosition, exit_due, watching
from core.market.calendar import CalendarRangeError
from core.market.normaliser import COMPLETE, Normaliser
from core.messages.commands import ChooseExitRules
from core.messages.effects import Effect, FetchHistory
from core.messages.inputs import HistoryFetched
from core.model.bar import ONE_MINUTE, Bar
from core.model.broker import NoAnswer
from core.model.holding import RulesChoice
from core.model.position import Position
from core.model.session import Session
from core.model.signal import EntrySignal, ExitReason, ExitSignal
from core.model.text_sanitizer import is_news
from core.model.values import ZERO, Quantity, Symbol
from core.settings.settings import Settings
from core.settings.strategies import OF_NO_STRATEGY, ExitSettings
from core.strategies.memory import RunnerState
from core.strategies.orchestrator import Signals, kept, opposed
from core.strategies.questions import first_minute
from core.trading_state.state import TradingState
from core.workflows.staging.proposal_lifecycle import Proposals
from core.workflows.workflow import answers, follows


class StrategyHealth:
    def __init__(self, state: TradingState, proposals: Proposals) -> None:
        self.state = state
        self.proposals = proposals

    def ask(self, bar: Bar) -> Signals:
        """Return the strategies' signals for a recorded bar."""
        state, signals = self.state, []
        for said in state.orchestrator.ask(bar):
            if isinstance(said, facts.StrategyFailed):
                self._tell_of(said)
            else:
                state.record(facts.SignalRaised(said))
                signals.append(said)
        return signals

    def _tell_of(self, failed: facts.StrategyFailed) -> None:
        """Record a failure; too many in a row pause the strategy, counted over restarts, until it is resumed."""
        state = self.state
        state.record(failed)
        runner = state.orchestrator.state.runners[f"{failed.strategy}/{failed.symbol}"]
        if runner.faults >= state.control.settings.strategies.faults:
            is_slow = failed.milliseconds is not None
            state.record(facts.StrategyPaused(failed.strategy, failed.symbol, _why(runner, is_slow=is_slow), is_slow))

    def agreed(self, bar: Bar, answers: Signals) -> Signals:
        """Return the signals of a bar without conflicting ones; a conflict is recorded."""
        found = opposed(answers, bar)
        if found is not None:
            self.state.record(found)
        return kept(answers, found)

    def begin_with(self, _settings: Settings, _installation: str) -> None:
        self._tell_of_missing()
        self._tell_of_forgotten()

    def _tell_of_missing(self) -> None:
        """Record changes in which of the user's strategies load."""
        told, found = dict(self.state.orchestrator.state.missing), self.state.orchestrator.missing()
        for name, reason in sorted(found.items()):
            if is_news(reason, told.get(name)):
                self.state.record(facts.StrategyMissing(name, reason))
        for name in sorted(told.keys() - found.keys()):
            self.state.record(facts.StrategyFound(name))

    def _tell_of_forgotten(self) -> None:
        """Record, once, strategies whose saved memory did not fit."""
        for (name, symbol), reason in tuple(self.state.orchestrator.forgot.items()):
            self.state.record(facts.StrategyForgot(name, symbol, reason))


def _why(state: RunnerState, *, is_slow: bool) -> str:
    rests = "; it is shown no bar while it holds nothing, and starts again" if is_slow else ""
    return f"{state.faults} bars in a row it {state.fault}{rests}; fix it, then resume it"


YOURS, ITS_OWN = "none: yours", "its strategy's own"
"""In the place of the rules of a position that none watches."""


class ExitRules:
    def __init__(self, state: TradingState) -> None:
        self.state = state

    def signals(self, bar: Bar, said: Iterable[EntrySignal | ExitSignal]) -> list[ExitSignal]:
        """Return the rules' signals at this bar's close; `said` holds the strategies' signals."""
        own = {answer.strategy for answer in said if isinstance(answer, ExitSignal)}
        found = []
        for position in self.state.ledger.positions_in(bar.symbol):
            terms = self.terms(position)
            if bar.end <= position.opened_at or position.strategy in own:
                continue
            if terms is not None:
                due = exit_due(terms, self.standing(position, bar.start), bar.close)
            else:
                due = self._flat_without_its_strategy(position, bar)
            if due is not None and due.quantity > ZERO:
                found.append(_signal(position, bar, due))
        return found

    def terms(self, position: Position) -> ExitSettings | None:
        """Return the rules that watch a position; None if none of them does."""
        mark = self.state.exits.mark(position)
        exits = self.state.control.settings.exits
        return exits.of(position.strategy, is_stop_ours=mark.is_stop_ours, is_watched=mark.is_watched)

    def choice(self, position: Position, standing: ExitPosition) -> RulesChoice:
        """Return which rules watch it, and what the operator may choose of it."""
        exits, terms = self.state.control.settings.exits, self.terms(position)
        is_nobodys, is_chosen = position.strategy in OF_NO_STRATEGY, self.state.exits.mark(position).is_watched
        rules = YOURS if is_nobodys else ITS_OWN
        if terms is not None:
            rules = ", ".join(watching(terms, standing))
        if not is_nobodys:
            return RulesChoice(rules)
        if exits.guards(position.strategy, is_watched=is_chosen):
            return RulesChoice(rules, is_watched=True)
        may_watch = exits.guards(position.strategy, is_watched=True)
        offered = ", ".join(watching(exits, standing)) if may_watch else ""
        asks = position.strategy == UNKNOWN_OWNER and is_chosen is None and bool(offered)
        return RulesChoice(rules, is_watched=False, offered=offered, asks=asks)

    @answers(ChooseExitRules)
    def on_choose(self, command: ChooseExitRules) -> Iterable[Effect]:
        """Record the choice; a proposal of a rule that watches no more is withdrawn with the next bar."""
        position = self.state.ledger.position(command.symbol, command.strategy)
        if position is None or position.strategy not in OF_NO_STRATEGY:
            reason = f"{command.symbol}: {command.strategy} holds nothing of it that you opened or took over"
            self.state.record(facts.ProposalSkipped(command.strategy, command.symbol, self.state.at, (reason,)))
        elif self.state.exits.mark(position).is_watched is not command.is_watched:
            self.state.record(facts.ExitRulesChosen(command.symbol, command.strategy, command.is_watched))
        return ()

    def standing(self, position: Position, at: datetime) -> ExitPosition:
        """Return the position as the rules see it; of a bar, `at` is its start."""
        ledger, day_of = self.state.ledger, self.state.calendar.trading_day
        mark, held = self.state.exits.mark(position), abs(position.quantity)
        exits = [o for o in ledger.exits.working(position.symbol, position.strategy) if not ledger.legs.is_held(o)]
        return ExitPosition(
            is_long=position.quantity > 0,
            average_price=mark.average_now(position),
            held=Quantity(held),
            unprotected=Quantity(held - ledger.exits.guarded(position.symbol, position.strategy)),
            best=mark.best,
            days=(day_of(at) - day_of(position.opened_at)).days,
            is_late=self._is_late(position, at),
            own_stop=mark.stop,
            own_target=mark.target,
            is_target_at_broker=any(o.is_target for o in exits),
            is_trailed_at_broker=any(o.request.type.trails for o in exits),
            is_unvalued=mark.is_unvalued,
        )

    def _is_late(self, position: Position, at: datetime) -> bool:
        session = self.state.calendar.session_at(at)
        flat_from = self.flat_from(position, session) if isinstance(session, Session) else None
        return flat_from is not None and at >= flat_from

    def flat_from(self, position: Position, session: Session) -> datetime | None:
        """Return the start of the bar from which a position must be flat; None if it may be held over night.

        If its strategy does not run on the symbol, the strategy's own minutes count as well.
        """
        settings = self.state.control.settings
        if settings.holds_overnight(position.strategy):
            return None
        minutes = settings.exits.flat_minutes
        if not self._is_run(position):
            minutes = max(minutes, settings.flat_minutes(position.strategy))
        return session.close - timedelta(minutes=minutes)

    def _is_run(self, position: Position) -> bool:
        return self.state.orchestrator.roster.runner(position.strategy, position.symbol) is not None

    def _flat_without_its_strategy(self, position: Position, bar: Bar) -> Due | None:
        """Return the end-of-day exit of a position whose strategy no longer follows its symbol (EX-09)."""
        if self._is_run(position) or not self._is_late(position, bar.start):
            return None
        words = "flat before the market closes; its strategy does not follow this symbol any more"
        return Due(Quantity(abs(position.quantity)), ExitReason.FORCE_FLAT, bar.close, words)


def _signal(position: Position, bar: Bar, due: Due) -> ExitSignal:
    return ExitSignal(
        strategy=position.strategy,
        symbol=position.symbol,
        bar_start=bar.start,
        quantity=due.quantity,
        exit_reason=due.reason,
        intended_price=bar.close,
        reference=due.level,
        reason=due.words,
    )


MOST_SESSIONS = 20
"""Maximum sessions requested: the calendar of a live desk begins a month ago."""
SETTLE = timedelta(seconds=5)
"""Time after a minute's end until history has its bar."""
AGAIN = timedelta(seconds=10)
LONGEST = timedelta(seconds=300)
MOST_TRIES = 40
PLACE = "history"


class WarmUp:
    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._sessions = 0
        self._tries = 0
        self._again_at: datetime | None = None
        self._given_up: set[Symbol] = set()

    @follows(facts.EngineStarted)
    def after_start(self, _fact: facts.EngineStarted) -> Iterable[Effect]:
        return self.begin()

    def begin(self) -> Iterator[Effect]:
        """Request as much as the longest window needs, for all lacking symbols at once."""
        self._again_at = None
        symbols = self._wanting()
        if not symbols:
            return
        end = max(self._cut(symbol) for symbol in symbols)
        if self.state.at < end + SETTLE and self._heard_today(symbols):
            self._again_at = end + SETTLE
            return
        longest = max(self.state.orchestrator.history_wanted(symbol) for symbol in symbols)
        self._sessions = self._sessions or -(-longest // self.state.calendar.venue.session_minutes) + 1
        yield FetchHistory(symbols, self._start(end), end)

    @follows(facts.CorporateActionApplied)
    def after_split(self, fact: facts.CorporateActionApplied) -> Iterable[Effect]:
        """Request the past of a symbol whose strategies begin again (MD-09)."""
        self._given_up.discard(fact.symbol)
        return self.begin() if fact.moves_prices else ()

    @answers(HistoryFetched)
    def on_fetched(self, reply: HistoryFetched) -> Iterator[Effect]:
        if isinstance(reply.answer, NoAnswer):
            self._fail(reply.answer.reason)
            return
        is_whole, is_short = True, False
        for symbol in reply.symbols:
            if symbol not in self._wanting():
                continue
            bars = self._sound(symbol, reply.answer)
            last = self.state.normaliser.state.last_starts.get(symbol)
            if not bars:
                self._given_up.add(symbol)
            elif self._cut(symbol) > reply.end or (self._heard_today([symbol]) and bars[-1].start != last):
                is_whole = False
            elif len(bars) < self.state.orchestrator.history_wanted(symbol) and self._sessions < MOST_SESSIONS:
                is_short = True
            else:
                self.state.record(facts.HistoryLoaded(symbol, bars))
        if is_short:
            self._sessions = min(2 * self._sessions, MOST_SESSIONS)
            yield from self.begin()
        elif not is_whole:
            self._later(SETTLE)

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        if self._again_at is not None:
            yield self._again_at

    def due(self) -> Iterable[Effect]:
        return self.begin() if self._again_at is not None and self.state.at >= self._again_at else ()

    # ── helpers ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _wanting(self) -> tuple[Symbol, ...]:
        wanted = self.state.orchestrator.wanting_history()
        return tuple(symbol for symbol in wanted if symbol not in self._given_up)

    def _cut(self, symbol: Symbol) -> datetime:
        """Return the first bar that arrives live and has not arrived yet."""
        begin = first_minute(self.state.calendar, self.state.at)
        last = self.state.normaliser.state.last_starts.get(symbol)
        return begin if last is None else max(begin, last + ONE_MINUTE)

    def _heard_today(self, symbols: Iterable[Symbol]) -> bool:
        begin = first_minute(self.state.calendar, self.state.at)
        return any(self._cut(symbol) > begin for symbol in symbols)

    def _start(self, end: datetime) -> datetime:
        """Return the open of as many sessions before that of `end` as are requested."""
        calendar, found = self.state.calendar, end
        day, left = calendar.trading_day(end), self._sessions
        for _ in range(3 * MOST_SESSIONS):
            try:
                session = calendar.session_on(day)
            except CalendarRangeError:
                break
            if isinstance(session, Session) and session.open < end:
                found, left = session.open, left - 1
            if left < 0:
                break
            day -= timedelta(days=1)
        return found

    def _sound(self, symbol: Symbol, answer: tuple[Bar, ...]) -> tuple[Bar, ...]:
        """Return complete bars of the regular session, each once and in order, up to the live ones.

        Their prices are per share of today.
        """
        normaliser, cut = Normaliser(self.state.calendar), self._cut(symbol)
        bars = []
        for bar in answer:
            if bar.symbol == symbol and bar.start < cut and normaliser.judge(bar, self.state.at) is COMPLETE:
                normaliser.fold(bar)
                bars.append(self.state.splits.bar_now(bar))
        return tuple(bar for bar in bars if bar.low > 0)  # a special dividend was worth more

    def _fail(self, reason: str) -> None:
        if not self._tries:
            self.state.record(
                facts.MarketDataQuarantined(PLACE, f"strategies warm up without it until it comes: {reason}")
            )
        self._later(min(AGAIN * 2 ** min(self._tries, 10), LONGEST))

    def _later(self, wait: timedelta) -> None:
        self._tries += 1
        self._again_at = self.state.at + wait if self._tries < MOST_TRIES else None
