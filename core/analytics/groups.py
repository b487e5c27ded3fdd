"""Closed trades grouped by strategy, origin, regime, symbol, half-hour of the day and holding time (AN-01)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

import pandas as pd

from core.analytics.equity_change import Part, in_cents
from core.analytics.metrics import expectancy, profit_factor, win_rate
from core.model.position import AnyTrade
from core.model.sizing import RegimeLabels
from core.model.staging import MANUAL, StopPlan
from core.model.values import ZERO, ClientOrderId, Money, Price

NOT_KNOWN = "not known"
HELD: tuple[tuple[timedelta, str], ...] = (
    (timedelta(minutes=5), "under 5 min"),
    (timedelta(minutes=30), "under 30 min"),
    (timedelta(hours=2), "under 2 h"),
    (timedelta(hours=7), "under 7 h"),
)
"""Limits of holding times, the shortest first; longer trades were held overnight."""
OVERNIGHT = "overnight"
StopOf = Callable[[ClientOrderId], StopPlan | None]
"""Returns the stop of an entry as sent, or None."""
LocalTime = Callable[[datetime], time]
"""Returns the venue's local time of day."""


@dataclass(frozen=True, slots=True)
class TradeRow:
    """A trade with its groups. `profit` is exact USD; `r` is its ratio to the risk to the stop, None without one."""

    strategy: str
    by: str
    regime: str
    symbol: str
    half_hour: str
    held: str
    profit: Money
    r: float | None


Figures = dict[str, float | int | None]
"""The figures of a group, by name."""
BY = ("strategy", "by", "regime", "symbol", "half_hour", "held")
"""The groupings; `by` is whether a person or a strategy proposed the trade."""


def rows_of(trades: Iterable[AnyTrade], stop_of: StopOf, local: LocalTime) -> list[TradeRow]:
    """Return a row per trade, in order; the half-hour is that of the entry."""
    return [
        TradeRow(
            trade.strategy,
            "manual" if trade.strategy == MANUAL else "strategies",
            _regime(trade.regime),
            trade.symbol,
            half_hour(local(trade.entry_time)),
            time_held(trade.exit_time - trade.entry_time),
            trade.profit,
            r_multiple(trade, stop_of(trade.entry_order)),
        )
        for trade in trades
    ]


def half_hour(at: time) -> str:
    """Format the half-hour: `09:30` for all from then to 10:00."""
    return f"{at.hour:02}:{at.minute // 30 * 30:02}"


def time_held(held: timedelta) -> str:
    return next((words for most, words in HELD if held < most), OVERNIGHT)


def r_multiple(trade: AnyTrade, stop: StopPlan | None) -> float | None:
    """Return the ratio of the profit to the entry's risk (R).

    The risk is the distance to its first stop, times the entered quantity.

    V. Tharp, "Trade Your Way to Financial Freedom" (1998). None without a stop, or with one at the entry price.
    """
    way = ZERO if stop is None else stop.way_from(trade.entry_price)
    risked = trade.instrument.cost(abs(trade.quantity), Price(way))
    return float(trade.profit / risked) if risked else None


def by_groups(rows: Sequence[TradeRow]) -> dict[str, dict[str, Figures]]:
    """Return the `figures` by grouping and group. Profits of groups add up to the cent.

    Groups are sorted by name, holding times from the shortest to the longest.
    """
    frame, exact = framed(rows), [row.profit for row in rows]
    found: dict[str, dict[str, Figures]] = {}
    for by in BY:
        groups = sorted(frame.groupby(by).groups.items(), key=lambda each: _place(str(each[0])))
        sums = in_cents(Part(str(name), Money(sum((exact[n] for n in places), ZERO))) for name, places in groups)
        found[by] = {
            part.name: figures(frame.loc[places]) | {"profit": float(part.amount)}
            for part, (_, places) in zip(sums, groups, strict=True)
        }
    return found


def framed(rows: Sequence[TradeRow]) -> pd.DataFrame:
    """Return a row per trade, numbered from 0; money as floats."""
    return pd.DataFrame(rows, columns=[*BY, "profit", "r"]).astype({"profit": float, "r": float})


def figures(group: pd.DataFrame) -> Figures:
    """Return the figures of one group.

    R is of the trades with a stop, None without any; `without_r` counts the others.
    """
    profit, r = group["profit"], group["r"].dropna()
    return {
        "trades": len(group),
        "profit": float(profit.sum()),
        "win_rate": win_rate(profit),
        "expectancy": expectancy(profit),
        "profit_factor": profit_factor(profit),
        "mean_r": expectancy(r),
        "total_r": float(r.sum()) if len(r) else None,
        "without_r": len(group) - len(r),
    }


def _place(name: str) -> tuple[int, str]:
    """Return the sort key of a group."""
    held = [words for _, words in HELD]
    return (held.index(name) if name in held else len(held) if name == OVERNIGHT else 0, name)


def _regime(labels: RegimeLabels | None) -> str:
    """Format a regime: `VIX low, trend up, volatility calm`, its known parts."""
    if labels is None:
        return NOT_KNOWN
    named = (("VIX", labels.vix), ("trend", labels.trend), ("volatility", labels.volatility))
    return ", ".join(f"{name} {each.value}" for name, each in named if each is not None) or NOT_KNOWN
