"""The strategies' rows: what each last answered, why it did nothing, and what it measures."""

from __future__ import annotations

from datetime import date, datetime

from core.desk import Desk
from core.model.signal import NoTradeReason
from core.model.values import Symbol, plain, to_nearest_tick
from core.risk.allocation import capital_of
from core.risk.evaluation.book import RESUMED, EvaluationBook
from core.risk.evaluation.words import figures_in_words, missing_in_words, shut_in_words
from core.strategies.base import Figures
from core.strategies.orchestrator import Runner
from core.strategies.own import MissingStrategy
from core.views import StrategyRow


def strategy_rows(desk: Desk, today: date, at: datetime) -> tuple[StrategyRow, ...]:
    return tuple(
        _row(desk, runner, today, at) for runners in desk.orchestrator.runners.values() for runner in runners
    )  # fmt: skip


def _row(desk: Desk, runner: Runner, today: date, at: datetime) -> StrategyRow:
    state, is_missing, book = runner.state, isinstance(runner.strategy, MissingStrategy), desk.evaluation
    shut = book.shut(runner.strategy.name, at)
    proposed = book.state.proposed.get(runner.strategy.name)
    return StrategyRow(
        key=f"{runner.strategy.name}/{runner.symbol}",
        strategy=runner.strategy.name,
        symbol=runner.symbol,
        last_answer=NoTradeReason.MISSING if is_missing else str(state.last_answer),
        times=state.session_reasons.get(state.last_answer, 0),
        anomaly=state.anomaly,
        is_paused=state.paused_at is not None,
        reasons=tuple((str(reason), bars) for reason, bars in state.session_reasons.most_common()),
        figures=(*runner.strategy.figures(today), *_last_close(desk, runner.symbol), *_capital(desk, runner, today)),
        trouble=_trouble(runner),
        is_missing=is_missing,
        shut="" if shut is None else f"{shut_in_words(shut.cause, shut.scope)}: {shut.reason}",
        may_be_resumed=any(s.cause in RESUMED for s in book.shuts_of(runner.strategy.name)),
        evaluation=evaluation_lines(book, runner.strategy.name),
        proposed="" if proposed is None else f"{proposed.step:.0%} more of its allocation: {proposed.reason}",
    )


def _capital(desk: Desk, runner: Runner, today: date) -> Figures:
    """Only where the strategy has a share of its own (ST-08)."""
    name, equity = runner.strategy.name, desk.opening.opening_equity(today)
    share, later = desk.allocations.of(name), desk.allocations.from_tomorrow(name)
    if share is None:
        return ()
    words = f"{plain(share.allocation * 100)} % of equity"
    if equity is not None:
        capital = capital_of(share, name, runner.symbol, desk.ledger, equity)
        words = f"{capital.taken:,.2f} of {capital.allocated:,.2f} USD"
    if later is not None:
        words += f", {plain(later.allocation * 100)} % from the next trading day"
    return (("allocation", words),)


def _trouble(runner: Runner) -> str:
    if isinstance(runner.strategy, MissingStrategy):
        return runner.strategy.reason
    return runner.state.paused_because or runner.state.fault


def _last_close(desk: Desk, symbol: Symbol) -> Figures:
    mark = desk.orchestrator.state.marks.get(symbol)
    return (("last close", "none yet" if mark is None else str(to_nearest_tick(mark))),)


def evaluation_lines(book: EvaluationBook, strategy: str) -> tuple[tuple[str, str], ...]:
    """What the last night measured of it and said, and everything that is recorded against it."""
    last = book.state.last.get(strategy)
    lines = [] if last is None else [("evaluated", figures_in_words(last.figures)), ("verdict", last.verdict)]
    if last is not None:
        lines += [("not known", reason) for reason in missing_in_words(last.figures)]
    for shut in book.shuts_of(strategy):
        lines.append(("shut", f"{shut_in_words(shut.cause, shut.scope)}: {shut.reason}"))
    return tuple(lines)
