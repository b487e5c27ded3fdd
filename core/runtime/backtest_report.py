"""The report of a backtest: the replay report with performance figures (AN-04)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from core.analytics.groups import LocalTime, by_groups, rows_of
from core.analytics.metrics import drawdowns, framed, metrics, rolled
from core.model.bar import BY_MINUTE, BY_SESSION
from core.model.values import plain
from core.runtime.backtest import Backtest, Said
from core.runtime.replay_report import Row, iso
from core.runtime.run_caveats import open_positions, tallied


def report_of(backtest: Backtest, fingerprint: str) -> dict[str, object]:
    """Return the replay report with the figures: ratios as fractions, money in USD."""
    settings, report = backtest.runtime.engine.state.control.settings, backtest.report
    left = list(open_positions(backtest.runtime.engine.state, backtest.runtime.exchange, backtest.runtime.at))
    equity = framed(backtest.series)["equity"]
    profits = [float(each["profit"]) for each in (*report.trades, *left) if each["profit"] is not None]
    below = drawdowns(equity)
    return {
        **report.as_json(fingerprint),
        "modelled": tallied(backtest.runtime.exchange),
        "open": left,
        "metrics": {**metrics(backtest.series, profits), **_costs(backtest, left)},
        "groups": by_groups(rows_of(report.closed, report.stops.get, _local(backtest))),
        "rolling": rolled(equity),
        "signals": [_signal(backtest, start, said) for start, said in backtest.signals],
        "reasons": {name: _reasons(backtest, name) for name in _names(backtest)},
        "equity": [
            {"day": each.day.isoformat(), "equity": round(each.equity, 2), "drawdown": round(fall, 6)}
            for each, fall in zip(backtest.series, below, strict=True)
        ],
        "profile": settings.profile,
        "timeframe": BY_SESSION if backtest.is_daily else BY_MINUTE,
    }


def _local(backtest: Backtest) -> LocalTime:
    venue = backtest.runtime.engine.state.calendar.venue
    return lambda at: venue.local(at).time()


def _signal(backtest: Backtest, start: datetime, said: Said) -> Row:
    """Return a signal as a row; a daily bar is named by its day."""
    strategy, symbol, side, confidence = said
    day = backtest.runtime.engine.state.calendar.trading_day(start)
    return {
        "time": day.isoformat() if backtest.is_daily else iso(start),
        "strategy": strategy,
        "symbol": symbol,
        "side": side.value,
        "confidence": None if confidence is None else plain(confidence),
    }


def _costs(backtest: Backtest, left: list[Row]) -> dict[str, object]:
    slips = [float(trade["slippage"]) for trade in backtest.report.trades if trade["slippage"] is not None]
    fees = [float(each["fees"]) for each in (*backtest.report.trades, *left) if each["fees"] is not None]
    statuses = Counter(row["status"] for row in backtest.report.orders.values())
    return {
        "slippage": sum(slips),
        "fees": sum(fees),
        "margin_interest": float(backtest.runtime.exchange.interest),
        "orders": len(backtest.report.orders),
        "orders_rejected": statuses["REJECTED"],
    }


def _names(backtest: Backtest) -> list[str]:
    """Return the names of the enabled strategies."""
    terms = backtest.runtime.engine.state.control.settings.strategies
    return [name for name in terms.names if terms.of(name).enabled]


def _reasons(backtest: Backtest, strategy: str) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for runner in backtest.runtime.engine.state.orchestrator.roster.runners_of(strategy):
        counted.update(runner.reasons())
    return {str(reason): count for reason, count in counted.most_common()}
