"""Build the strategies' rows, and their results by day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from core.execution.fee_days import FeeDays
from core.model.instrument import STOCK_TICKS
from core.model.kept_rows import KeptRows
from core.model.lazy_dataclass import dataclass
from core.model.position import Position, Trade
from core.model.signal import NoTradeReason, SuspensionCause
from core.model.thesis import Status, TradeKind
from core.model.values import ZERO, Money, Price, Symbol, exact_percent, percent
from core.risk.capital_allocation import Allocations, capital_of
from core.risk.shadow_trades import NOT_FOLLOWED, ShadowCourse, ShadowTrade
from core.risk.strategy_evaluation import (
    RESUMED,
    EvaluationBook,
    Proposed,
    figures_in_words,
    missing_in_words,
    shut_in_words,
)
from core.risk.strategy_limits import own_limits
from core.settings.changes import in_words
from core.settings.strategies import StrategyLimits
from core.strategies.base import Figures
from core.strategies.builtin import MissingStrategy
from core.strategies.runner import Runner
from core.trading_state.account_history import Closed, DayResultsState
from core.trading_state.state import TradingState
from core.views import ClosedRow, DayRow, ResultRow, ShadowRow, StrategyRow, TradeRow

THESIS = "thesis"


class DayRows:
    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._made_of = -1, -1
        self._rows: tuple[DayRow, ...] = ()

    def rows(self) -> tuple[DayRow, ...]:
        """Return the rows, oldest first."""
        known, fees = self.state.results.state, self.state.fee_days
        if (changes := (known.changes, fees.state.changes)) != self._made_of:
            self._made_of = changes
            self._rows = day_rows(known, fees)
        return self._rows


def day_rows(results: DayResultsState, fees: FeeDays) -> tuple[DayRow, ...]:
    """Return the rows, oldest first."""
    return tuple(
        DayRow(
            day,
            None if result.equity is None else Money(result.equity + fees.owed_at(result.close_of)),
            tuple(
                ClosedRow(name, c.trades, c.wins, c.realised, c.failed, c.failed_realised)
                for name, c in result.closed.items()
            ),
            fees.charged_on(day),
        )
        for day, result in sorted(results.days.items())
    )


def shadow_rows(state: TradingState, today: date, kept: KeptRows[ShadowRow] | None = None) -> tuple[ShadowRow, ...]:
    """Return the rows, newest first."""
    row = (kept or KeptRows()).begin(shadow_row)
    shadows = reversed(state.shadows.of_day(today))
    return tuple(row(s.key, s, (s.entry_price, s.course, s.last, s.left_at)) for s in shadows)


@dataclass(slots=True)
class TradeTally:
    """Today's closed trades of a strategy; `failed` are those that failed in execution, which are in no other count."""

    trades: int = 0
    wins: int = 0
    failed: int = 0

    def count(self, trade: Trade) -> None:
        self.trades += not trade.is_failed
        self.failed += trade.is_failed
        self.wins += trade.profit > 0 and not trade.is_failed


def result_rows(
    state: TradingState,
    today: date,
    closed: Mapping[str, TradeTally],
    parts: Iterable[TradeRow],
    prices: Iterable[tuple[Position, Price]],
    declined: Sequence[ShadowRow],
) -> tuple[ResultRow, ...]:
    """Return a row per strategy: running ones, then all that traded, hold or declined today.

    `closed`, `parts` of open positions and `declined`, newest first, are today's; `prices` is the current price per
    share of each position, USD.
    """
    held = list(prices)
    shadows: dict[str, list[ShadowRow]] = {}
    for shadow in reversed(declined):
        shadows.setdefault(shadow.strategy, []).append(shadow)
    in_part = Counter(strategy for strategy, _ in {(part.strategy, part.symbol) for part in parts})
    of_today = state.results.state.days.get(today)
    realised = {} if of_today is None else of_today.closed
    names = dict.fromkeys(runner.strategy.name for runners in state.orchestrator.runners.values() for runner in runners)
    names |= dict.fromkeys(realised) | dict.fromkeys(closed) | dict.fromkeys(p.strategy for p, _ in held)
    names |= dict.fromkeys(shadows)
    return tuple(
        _result(
            name,
            closed.get(name, NO_TRADES),
            realised.get(name, NOTHING_CLOSED),
            [(p, price) for p, price in held if p.strategy == name],
            shadows.get(name, []),
            in_part[name],
        )
        for name in names
    )


NO_TRADES, NOTHING_CLOSED = TradeTally(), Closed()


def _result(
    name: str,
    closed: TradeTally,
    made: Closed,
    held: list[tuple[Position, Price]],
    shadows: list[ShadowRow],
    in_part: int,
) -> ResultRow:
    known = [shadow.result for shadow in shadows if shadow.result is not None]
    return ResultRow(
        strategy=name,
        trades=closed.trades,
        wins=closed.wins,
        realised=made.realised,
        unrealised=_sum(position.profit(price) for position, price in held),
        declined=len(shadows),
        shadow=_sum(known) if known else None,
        failed=closed.failed,
        in_part=in_part,
        left_out=sum(shadow.state in NOT_FOLLOWED for shadow in shadows),
        failed_realised=made.failed_realised,
    )


def _sum(amounts: Iterable[Decimal]) -> Money:
    return Money(sum(amounts, ZERO))


def shadow_row(key: str, shadow: ShadowTrade, _changing: tuple[Price | ShadowCourse | None, ...]) -> ShadowRow:
    """Return the row of a shadow trade; the last argument has all that a bar changes of the row."""
    return ShadowRow(
        key=key,
        strategy=shadow.strategy,
        symbol=shadow.symbol,
        side=shadow.side,
        quantity=shadow.quantity,
        entry_price=shadow.entry_price or None,
        end=shadow.end,
        state=shadow.course.value,
        result=shadow.result,
    )


@dataclass(frozen=True, slots=True)
class OfStrategy:
    """The part of a row that a strategy has on each of its symbols: its permissions, its evaluation and its theses."""

    is_on: bool
    shut: str
    may_be_resumed: bool
    evaluation: tuple[tuple[str, str], ...]
    proposed: str
    needs_word: bool
    proposed_pause: str


def _of_strategy(state: TradingState, name: str, at: datetime) -> OfStrategy:
    book = state.evaluation
    shut, proposed = book.shut(name, at), book.state.proposed.get(name)
    causes = {each.cause for each in book.shuts_of(name)}
    return OfStrategy(
        is_on=state.control.settings.strategies.of(name).enabled,
        shut="" if shut is None else f"{shut_in_words(shut.cause, shut.scope)}: {shut.reason}",
        may_be_resumed=not causes.isdisjoint(RESUMED),
        evaluation=(*evaluation_lines(book, name), *thesis_lines(state, name)),
        proposed="" if proposed is None else _proposed(state.allocations, name, proposed),
        needs_word=SuspensionCause.THESIS in causes,
        proposed_pause=state.theses.proposed(name),
    )


def strategy_rows(
    state: TradingState, today: date, at: datetime, kept: KeptRows[StrategyRow] | None = None
) -> tuple[StrategyRow, ...]:
    """Return a row per strategy and symbol."""
    runners = [runner for each in state.orchestrator.runners.values() for runner in each]
    of_strategy = {name: _of_strategy(state, name, at) for name in dict.fromkeys(runner.name for runner in runners)}

    row = (kept or KeptRows()).begin(strategy_row)
    return tuple(
        row(
            (runner.name, runner.symbol),
            of_strategy[runner.name],
            is_missing=isinstance(runner.strategy, MissingStrategy),
            last_answer=runner.memory.last_answer,
            reasons=tuple(runner.memory.reasons.items()),
            anomaly=runner.state.anomaly,
            is_paused=runner.state.paused_at is not None,
            figures=runner.strategy.figures(today),
            mark=state.orchestrator.state.marks.get(runner.symbol),
            capital=(*_capital(state, runner, today), *_limits(state, runner.name)),
            trouble=_trouble(runner),
        )
        for runner in runners
    )


def strategy_row(
    of: tuple[str, Symbol],
    of_strategy: OfStrategy,
    *,
    is_missing: bool,
    last_answer: str,
    reasons: tuple[tuple[str, int], ...],
    anomaly: str,
    is_paused: bool,
    figures: Figures,
    mark: Price | None,
    capital: Figures,
    trouble: str,
) -> StrategyRow:
    """Return the row of one strategy on one symbol. `mark` is the close of its last bar, USD."""
    strategy, symbol = of
    last_close = "none yet" if mark is None else str(STOCK_TICKS.nearest(mark))
    return StrategyRow(
        key=f"{strategy}/{symbol}",
        strategy=strategy,
        symbol=symbol,
        last_answer=NoTradeReason.MISSING if is_missing else str(last_answer),
        times=dict(reasons).get(last_answer, 0),
        anomaly=anomaly,
        is_paused=is_paused,
        reasons=tuple((str(reason), bars) for reason, bars in Counter(dict(reasons)).most_common()),
        figures=(*figures, ("last close", last_close), *capital),
        trouble=trouble,
        is_off=not is_missing and not of_strategy.is_on,
        is_missing=is_missing,
        shut=of_strategy.shut,
        may_be_resumed=of_strategy.may_be_resumed,
        evaluation=of_strategy.evaluation,
        proposed=of_strategy.proposed,
        needs_word=of_strategy.needs_word,
        proposed_pause=of_strategy.proposed_pause,
    )


def _proposed(allocations: Allocations, strategy: str, proposed: Proposed) -> str:
    """Return the proposed growth, its range, its reason, and any refusal."""
    share, to = allocations.state.wanted.get(strategy), allocations.grown(strategy, proposed.step)
    words = f"{percent(proposed.step, 0)} more of its allocation"
    if share is not None and to is not None:
        words += f", {exact_percent(share.allocation)} → {exact_percent(to)} of equity from the next trading day"
    refusal = allocations.refusal_to_grow(strategy, proposed.step)
    return f"{words}: {proposed.reason}" + (f"; not now: {refusal}" if refusal is not None else "")


def _capital(state: TradingState, runner: Runner, today: date) -> Figures:
    """Return the allocation, if the strategy has its own (ST-08)."""
    name, equity = runner.name, state.opening.opening_equity(today)
    share, later = state.allocations.of(name), state.allocations.from_tomorrow(name)
    if share is None:
        return ()
    words = f"{exact_percent(share.allocation)} of equity"
    if equity is not None:
        capital = capital_of(share, name, runner.symbol, state.ledger, equity)
        words = f"{capital.taken:,.2f} of {capital.allocated:,.2f} USD"
    if later is not None:
        words += f", {exact_percent(later.allocation)} from the next trading day"
    if (raised := state.allocations.raised(name)) is not None:
        words += f"; {exact_percent(raised.to)} adopted, {exact_percent(raised.of)} in the settings"
    return (("allocation", words),)


def _limits(state: TradingState, strategy: str) -> Figures:
    """Return the strategy's own limits, as in its table; the account's hold beside them (RK-07)."""
    own, usual = own_limits(state.control.settings, strategy), StrategyLimits()
    named = ((key, getattr(own, key)) for key in type(own).model_fields if getattr(own, key) != getattr(usual, key))
    return tuple((key.replace("_", " "), in_words(value)) for key, value in named)


def _trouble(runner: Runner) -> str:
    if isinstance(runner.strategy, MissingStrategy):
        return runner.strategy.reason
    state = runner.state
    forgot = f"starts without memory, {state.forgot}" if state.forgot else ""
    return state.paused_because or state.fault or forgot


def evaluation_lines(book: EvaluationBook, strategy: str) -> tuple[tuple[str, str], ...]:
    """Return the last night's figures and verdict, and everything recorded against the strategy."""
    last = book.state.last.get(strategy)
    lines = [] if last is None else [("evaluated", figures_in_words(last.figures)), ("verdict", last.verdict)]
    if last is not None:
        lines += [("not known", reason) for reason in missing_in_words(last.figures)]
    for shut in book.shuts_of(strategy):
        lines.append(("shut", f"{shut_in_words(shut.cause, shut.scope)}: {shut.reason}"))
    return tuple(lines)


def thesis_lines(state: TradingState, strategy: str) -> tuple[tuple[str, str], ...]:
    """Return the state of each of its theses with the evidence, as of the last night; nothing without a file."""
    book, theses = state.theses, [each for each in state.sightings.theses if each.strategy == strategy]
    known = {(verdict.thesis.name, verdict.kind): verdict for verdict in book.state.last}
    lines = []
    for thesis in theses:
        verdicts = [found for kind in TradeKind if (found := known.get((thesis.name, kind))) is not None]
        if not verdicts:
            lines.append((THESIS, f"{thesis.name}: not checked yet, it is after the close"))
        for verdict in verdicts:
            if verdict.status is not Status.INVALIDATED:
                trades = "" if verdict.kind is TradeKind.CLOSED else f" by {verdict.kind} trades"
                told = "; ".join(each.in_words for each in verdict.evidence)
                lines.append((THESIS, f"{thesis.name} is {verdict.status}{trades}: {told}"))
    lines += [(Status.INVALIDATED.lower(), each.in_words) for each in book.of_strategy(strategy)]
    if state.sightings.theses and not theses:
        lines.append((THESIS, "none names it; add one to theses.toml"))
    return tuple(lines)
