"""How good it was: measures of an equity series a day, and of closed trades.

Plain floats: these are statistics, not money. A measure that cannot be worked out is None, never a made-up zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from statistics import fmean, stdev

SESSIONS_A_YEAR = 252
"""Trading days of a US year, by which figures a day are made figures a year."""


@dataclass(frozen=True, slots=True)
class DayOfEquity:
    """An account at the close of a session, USD. `exposure` is the value of what it held, long and short together."""

    day: date
    equity: float
    exposure: float = 0.0


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The deepest fall of a series from the highest point before it.

    Attributes
    ----------
    depth
        Of the peak, 0 to 1.
    peak, trough
        The days on which it began and was deepest.
    recovered
        The first day at or over the peak again; None where the series ended below it.
    sessions
        From the peak to the recovery, or to the end.
    """

    depth: float
    peak: date
    trough: date
    recovered: date | None
    sessions: int


def returns_of(series: Sequence[DayOfEquity]) -> list[float]:
    """Simple returns from close to close; a day after an equity of zero or less has none."""
    return [after.equity / before.equity - 1 for before, after in pairwise(series) if before.equity > 0]


def sharpe(returns: Sequence[float]) -> float | None:
    """Mean over standard deviation (of a sample), times the root of the sessions in a year; no rate is subtracted.

    W. F. Sharpe, "The Sharpe Ratio", Journal of Portfolio Management 21 (1994); made a year's by the root of time,
    which A. W. Lo, "The Statistics of Sharpe Ratios" (2002), shows to hold where returns do not depend on each other.
    None of fewer than two returns, and of returns that are all alike.
    """
    deviation = stdev(returns) if len(returns) > 1 else 0.0
    return fmean(returns) / deviation * math.sqrt(SESSIONS_A_YEAR) if deviation > 0 else None


def sortino(returns: Sequence[float]) -> float | None:
    """As Sharpe's, over the downside deviation: the root of the mean of squared losses, over all returns, gains as 0.

    F. A. Sortino and L. N. Price, "Performance Measurement in a Downside Risk Framework", Journal of Investing 3
    (1994), with a target of 0. None of fewer than two returns, and where none was a loss.
    """
    downside = math.sqrt(fmean(min(each, 0.0) ** 2 for each in returns)) if len(returns) > 1 else 0.0
    return fmean(returns) / downside * math.sqrt(SESSIONS_A_YEAR) if downside > 0 else None


def deepest(series: Sequence[DayOfEquity]) -> Drawdown | None:
    """The deepest drawdown; of two alike the earlier one. None where the series never fell."""
    found: Drawdown | None = None
    peak = 0
    for number, each in enumerate(series):
        if each.equity >= series[peak].equity:
            peak = number
            continue
        depth = 1 - each.equity / series[peak].equity if series[peak].equity > 0 else 0.0
        if found is None or depth > found.depth:
            found = _drawdown(series, peak, number, depth)
    return found


def _drawdown(series: Sequence[DayOfEquity], peak: int, trough: int, depth: float) -> Drawdown:
    top = series[peak].equity
    end = next((n for n in range(trough + 1, len(series)) if series[n].equity >= top), None)
    last = len(series) - 1 if end is None else end
    recovered = None if end is None else series[end].day
    return Drawdown(depth, series[peak].day, series[trough].day, recovered, last - peak)


def drawdowns(series: Sequence[DayOfEquity]) -> list[float]:
    """How far below its highest point so far the series is, day by day: 0 at a peak, 0.1 a tenth below."""
    top = -math.inf
    below = []
    for each in series:
        top = max(top, each.equity)
        below.append(1 - each.equity / top if top > 0 else 0.0)
    return below


def longest_under_water(series: Sequence[DayOfEquity]) -> int:
    """Most sessions in a row that closed below an earlier close."""
    longest = now = 0
    for below in drawdowns(series):
        now = now + 1 if below > 0 else 0
        longest = max(longest, now)
    return longest


def yearly(series: Sequence[DayOfEquity]) -> float | None:
    """Growth a year: of the whole, to the power of a year's sessions over those it took. None of less than two days."""
    if len(series) < 2 or series[0].equity <= 0 or series[-1].equity <= 0:  # noqa: PLR2004
        return None
    growth: float = (series[-1].equity / series[0].equity) ** (SESSIONS_A_YEAR / (len(series) - 1)) - 1
    return growth


def calmar(series: Sequence[DayOfEquity]) -> float | None:
    """Growth a year over the deepest drawdown. T. W. Young, "Calmar Ratio", Futures (1991)."""
    growth, fall = yearly(series), deepest(series)
    return None if growth is None or fall is None or fall.depth <= 0 else growth / fall.depth


def profit_factor(profits: Sequence[float]) -> float | None:
    """Gains over losses, both in sum. None where nothing was lost."""
    lost = -sum(each for each in profits if each < 0)
    return sum(each for each in profits if each > 0) / lost if lost > 0 else None


def win_rate(profits: Sequence[float]) -> float | None:
    """Of all trades, those that made something. None of no trades."""
    return sum(each > 0 for each in profits) / len(profits) if profits else None


def expectancy(profits: Sequence[float]) -> float | None:
    """Mean profit of a trade, USD: win rate × mean gain less loss rate × mean loss. None of no trades."""
    return fmean(profits) if profits else None


def metrics(series: Sequence[DayOfEquity], profits: Sequence[float]) -> dict[str, object]:
    """Everything, by name; ratios as fractions, money in USD, days as ISO 8601."""
    returns, fall = returns_of(series), deepest(series)
    return {
        "sessions": max(len(series) - 1, 0),
        "first_equity": series[0].equity if series else None,
        "last_equity": series[-1].equity if series else None,
        "total_return": series[-1].equity / series[0].equity - 1 if series and series[0].equity > 0 else None,
        "yearly_return": yearly(series),
        "sharpe": sharpe(returns),
        "sortino": sortino(returns),
        "calmar": calmar(series),
        "max_drawdown": fall.depth if fall else 0.0,
        "drawdown_from": fall.peak.isoformat() if fall else None,
        "drawdown_deepest": fall.trough.isoformat() if fall else None,
        "drawdown_recovered": fall.recovered.isoformat() if fall and fall.recovered else None,
        "drawdown_sessions": fall.sessions if fall else 0,
        "longest_under_water": longest_under_water(series),
        "trades": len(profits),
        "profit": sum(profits),
        "profit_factor": profit_factor(profits),
        "win_rate": win_rate(profits),
        "expectancy": expectancy(profits),
        "best_trade": max(profits, default=None),
        "worst_trade": min(profits, default=None),
        "mean_exposure": fmean(each.exposure for each in series) if series else None,
    }
