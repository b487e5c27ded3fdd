"""Closed trades by strategy, hand, regime, symbol, half-hour of the day and time held (AN-01)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

import pandas as pd

from core.analytics.metrics import expectancy, profit_factor, win_rate
from core.model.position import AnyTrade
from core.model.regime import RegimeLabels
from core.model.staging import MANUAL
from core.model.values import ClientOrderId, Price

NOT_KNOWN = "not known"
HELD: tuple[tuple[timedelta, str], ...] = (
    (timedelta(minutes=5), "under 5 min"),
    (timedelta(minutes=30), "under 30 min"),
    (timedelta(hours=2), "under 2 h"),
    (timedelta(hours=7), "under 7 h"),
)
"""Times held, the shortest first; what is longer was held overnight."""
OVERNIGHT = "overnight"
StopOf = Callable[[ClientOrderId], Price | None]
"""Where the stop of an entry stood as it was sent; None where it had none."""
LocalTime = Callable[[datetime], time]
"""The venue's own time of day."""


@dataclass(frozen=True, slots=True)
class TradeRow:
    """A trade as it is grouped. `profit` is in USD; `r` is the profit to what was risked to the stop, None without."""

    strategy: str
    by: str
    regime: str
    symbol: str
    half_hour: str
    held: str
    profit: float
    r: float | None


BY = ("strategy", "by", "regime", "symbol", "half_hour", "held")
"""What trades are grouped by; `by` is whether a hand or a strategy proposed them."""


def rows_of(trades: Iterable[AnyTrade], stop_of: StopOf, local: LocalTime) -> list[TradeRow]:
    """One a trade, in their order; the half-hour is that of the entry."""
    return [
        TradeRow(
            trade.strategy,
            "by hand" if trade.strategy == MANUAL else "strategies",
            _regime(trade.regime),
            trade.symbol,
            half_hour(local(trade.entry_time)),
            time_held(trade.exit_time - trade.entry_time),
            float(trade.profit),
            r_multiple(trade, stop_of(trade.entry_order)),
        )
        for trade in trades
    ]


def half_hour(at: time) -> str:
    """`09:30` for all from there to 10:00."""
    return f"{at.hour:02}:{at.minute // 30 * 30:02}"


def time_held(held: timedelta) -> str:
    return next((words for most, words in HELD if held < most), OVERNIGHT)


def r_multiple(trade: AnyTrade, stop: Price | None) -> float | None:
    """The profit to what the entry risked to its stop (R). V. Tharp, "Trade Your Way to Financial Freedom" (1998)."""
    if stop is None or stop == trade.entry_price:
        return None
    risked = trade.instrument.cost(abs(trade.quantity), Price(abs(trade.entry_price - stop)))
    return float(trade.profit / risked) if risked else None


def by_groups(rows: Sequence[TradeRow]) -> dict[str, dict[str, dict[str, float | int | None]]]:
    """By what they are grouped, and by the group, in its own order: trades, profit, win rate, expectancy …"""
    frame = pd.DataFrame(rows, columns=[*BY, "profit", "r"])
    return {by: {str(name): figures(group) for name, group in frame.groupby(by, sort=True)} for by in BY}


def figures(group: pd.DataFrame) -> dict[str, float | int | None]:
    """Of one group. `mean_r` is over the trades that had a stop; None where none had."""
    profit, r = group["profit"], group["r"].dropna().astype(float)
    return {
        "trades": len(group),
        "profit": float(profit.sum()),
        "win_rate": win_rate(profit),
        "expectancy": expectancy(profit),
        "profit_factor": profit_factor(profit),
        "mean_r": float(r.mean()) if len(r) else None,
    }


def _regime(labels: RegimeLabels | None) -> str:
    """`VIX low, trend up, volatility calm`, those that are known."""
    if labels is None:
        return NOT_KNOWN
    named = (("VIX", labels.vix), ("trend", labels.trend), ("volatility", labels.volatility))
    return ", ".join(f"{name} {each.value}" for name, each in named if each is not None) or NOT_KNOWN
