"""The strategies' rows: what each last answered, why it did nothing, and what it measures."""

from __future__ import annotations

from datetime import date

from core.desk import Desk
from core.model.signal import NoTradeReason
from core.model.values import Symbol, plain, to_nearest_tick
from core.risk.allocation import capital_of
from core.strategies.base import Figures
from core.strategies.orchestrator import Runner
from core.strategies.own import MissingStrategy
from core.views import StrategyRow


def strategy_rows(desk: Desk, today: date) -> tuple[StrategyRow, ...]:
    return tuple(
        _row(desk, runner, today) for runners in desk.orchestrator.runners.values() for runner in runners
    )  # fmt: skip


def _row(desk: Desk, runner: Runner, today: date) -> StrategyRow:
    state, is_missing = runner.state, isinstance(runner.strategy, MissingStrategy)
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
