"""How good it was: measures of an equity series a day, and of closed trades.

Plain floats: these are statistics, not money. A measure that cannot be worked out is None, never a made-up zero. What
is called `equity` here is a series of pandas: the equity at each close, USD, by its day, in order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

SESSIONS_A_YEAR = 252
"""Trading days of a US year, by which figures a day are made figures a year."""
ROLLING = 63
"""Sessions of a quarter of it: the window of figures that roll."""


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


def framed(series: Sequence[DayOfEquity]) -> pd.DataFrame:
    """Columns `equity` and `exposure`, by day."""
    return pd.DataFrame(series, columns=["day", "equity", "exposure"]).set_index("day").astype(float)


def returns_of(equity: pd.Series) -> pd.Series:
    """Simple returns from close to close; none after an equity of zero or less, nor to or from a missing close."""
    return _changes(equity).dropna()


def sharpe(returns: pd.Series) -> float | None:
    """Mean over standard deviation (of a sample), times the root of the sessions in a year; no rate is subtracted.

    W. F. Sharpe, "The Sharpe Ratio", Journal of Portfolio Management 21 (1994); made a year's by the root of time,
    which A. W. Lo, "The Statistics of Sharpe Ratios" (2002), shows to hold where returns do not depend on each other.
    None of fewer than two returns, and of returns that are all alike.
    """
    return _a_year(returns, returns.std()) if returns.nunique() > 1 else None


def sortino(returns: pd.Series) -> float | None:
    """As Sharpe's, over the downside deviation: the root of the mean of squared losses, over all returns, gains as 0.

    F. A. Sortino and L. N. Price, "Performance Measurement in a Downside Risk Framework", Journal of Investing 3
    (1994), with a target of 0. None of fewer than two returns, and where none was a loss.
    """
    return _a_year(returns, math.sqrt((returns.clip(upper=0) ** 2).mean())) if len(returns) > 1 else None


def omega(returns: pd.Series, threshold: float = 0.0) -> float | None:
    """What the returns gain over a threshold, to what they lose under it; both summed over all days.

    C. Keating and W. F. Shadwick, "A Universal Performance Measure", Journal of Performance Measurement 6 (2002), over
    the returns as they were. None where none was under the threshold.
    """
    over = returns - threshold
    lost = -over.clip(upper=0).sum()
    return float(over.clip(lower=0).sum() / lost) if lost > 0 else None


def rolling(equity: pd.Series, sessions: int = ROLLING) -> pd.DataFrame:
    """Over the sessions up to each day: `total_return`, `volatility` a year, `sharpe` and `max_drawdown`, by day.

    The first row is that of the day with so many returns behind it; a shorter series has none. What cannot be worked
    out, and all of a window in which a close is missing, is NaN (AN-01).
    """
    windows = _changes(equity).rolling(sessions)
    deviation = windows.std()
    frame = pd.DataFrame(
        {
            "total_return": (equity / equity.shift(sessions) - 1).where(windows.count() == sessions),
            "volatility": deviation * math.sqrt(SESSIONS_A_YEAR),
            "sharpe": (windows.mean() / deviation * math.sqrt(SESSIONS_A_YEAR)).where(deviation > 0),
            "max_drawdown": _deepest_within(equity, sessions + 1),
        }
    )
    return frame.iloc[sessions:]


def rolled(equity: pd.Series) -> list[dict[str, object]]:
    """`rolling` as rows with their `day`, to six places; None where a figure cannot be worked out."""
    figures = rolling(equity)
    return [
        {"day": str(day)} | {str(name): None if pd.isna(value) else round(value, 6) for name, value in row.items()}
        for day, row in zip(figures.index, figures.to_dict("records"), strict=True)
    ]


def _changes(equity: pd.Series) -> pd.Series:
    """As `returns_of`, with a row for every day: NaN where there is no return."""
    return equity.pct_change(fill_method=None).where(equity.shift() > 0)


def _deepest_within(equity: pd.Series, closes: int) -> pd.Series:
    """The deepest drawdown of so many closes up to each: all windows in one table, a row for each, not one by one."""
    windows = pd.concat([equity.shift(back) for back in reversed(range(closes))], axis=1, ignore_index=True)
    tops = windows.cummax(axis=1)
    return (1 - windows / tops).where((tops > 0) | tops.isna(), 0.0).max(axis=1, skipna=False)


def _a_year(returns: pd.Series, deviation: float) -> float | None:
    return float(returns.mean() / deviation * math.sqrt(SESSIONS_A_YEAR)) if deviation > 0 else None


def drawdowns(equity: pd.Series) -> pd.Series:
    """How far below its highest point so far the series is, day by day: 0 at a peak, 0.1 a tenth below.

    Where a close is missing, the one before stands for it.
    """
    known = equity.ffill()
    top = known.cummax()
    return (1 - known / top).where(top > 0, 0.0)


def deepest(equity: pd.Series) -> Drawdown | None:
    """The deepest drawdown; of two alike the earlier one. None where the series never fell."""
    below = drawdowns(equity)
    if not below.any():
        return None
    trough = below.idxmax()
    before, after = equity.loc[:trough], equity.loc[trough:]
    top = before.max()
    peak = before.index[before == top][-1]
    recovered = next(iter(after.index[after >= top]), None)
    return Drawdown(float(below[trough]), peak, trough, recovered, len(equity.loc[peak:recovered]) - 1)


def longest_under_water(equity: pd.Series) -> int:
    """Most sessions in a row that closed below an earlier close."""
    is_below = drawdowns(equity) > 0
    return int(is_below.groupby((~is_below).cumsum()).sum().max()) if len(equity) else 0


def yearly(equity: pd.Series) -> float | None:
    """Growth a year: of the whole, to the power of a year's sessions over those it took. None of less than two days."""
    if len(equity) < 2 or equity.iloc[0] <= 0 or equity.iloc[-1] <= 0:  # noqa: PLR2004
        return None
    return float((equity.iloc[-1] / equity.iloc[0]) ** (SESSIONS_A_YEAR / (len(equity) - 1)) - 1)


def calmar(equity: pd.Series) -> float | None:
    """Growth a year over the deepest drawdown, of the whole series.

    T. W. Young, "Calmar Ratio: A Smoother Tool", Futures (October 1991), takes the last 36 months; of the whole it is
    called MAR as well. None of less than two days, and where the series never fell.
    """
    growth, fall = yearly(equity), deepest(equity)
    return None if growth is None or fall is None else growth / fall.depth


def profit_factor(profits: pd.Series) -> float | None:
    """Gains over losses, both in sum. None where nothing was lost."""
    lost = -profits.clip(upper=0).sum()
    return float(profits.clip(lower=0).sum() / lost) if lost > 0 else None


def win_rate(profits: pd.Series) -> float | None:
    """Of all trades, those that made something. None of no trades."""
    return float((profits > 0).mean()) if len(profits) else None


def expectancy(profits: pd.Series) -> float | None:
    """Mean profit of a trade, USD: win rate × mean gain less loss rate × mean loss. None of no trades."""
    return float(profits.mean()) if len(profits) else None


def metrics(series: Sequence[DayOfEquity], profits: Sequence[float]) -> dict[str, object]:
    """Everything, by name; ratios as fractions, money in USD, days as ISO 8601."""
    days, made = framed(series), pd.Series(profits, dtype=float)
    equity = days["equity"]
    returns, fall = returns_of(equity), deepest(equity)
    return {
        "sessions": max(len(series) - 1, 0),
        "first_equity": series[0].equity if series else None,
        "last_equity": series[-1].equity if series else None,
        "total_return": series[-1].equity / series[0].equity - 1 if series and series[0].equity > 0 else None,
        "yearly_return": yearly(equity),
        "sharpe": sharpe(returns),
        "sortino": sortino(returns),
        "calmar": calmar(equity),
        "omega": omega(returns),
        "max_drawdown": fall.depth if fall else 0.0,
        "drawdown_from": fall.peak.isoformat() if fall else None,
        "drawdown_deepest": fall.trough.isoformat() if fall else None,
        "drawdown_recovered": fall.recovered.isoformat() if fall and fall.recovered else None,
        "drawdown_sessions": fall.sessions if fall else 0,
        "longest_under_water": longest_under_water(equity),
        "trades": len(profits),
        "profit": sum(profits),
        "profit_factor": profit_factor(made),
        "win_rate": win_rate(made),
        "expectancy": expectancy(made),
        "best_trade": max(profits, default=None),
        "worst_trade": min(profits, default=None),
        "mean_exposure": float(days["exposure"].mean()) if series else None,
    }
