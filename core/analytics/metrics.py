"""Performance measures of a daily equity series and of closed trades.

Plain floats: these are statistics, not money. An undefined measure is None, never a made-up zero. `equity` is a pandas
series: the equity at each close, USD, by day, in order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date

import pandas as pd

from core.analytics.presentation import ROLLING
from core.analytics.windows import A_CENT, ROUNDING, SESSIONS_A_YEAR, DayOfEquity
from core.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The deepest fall of a series from an earlier peak.

    Attributes
    ----------
    depth
        Of the peak, 0 to 1.
    peak, trough
        The days on which it began and was deepest.
    recovered
        The first day at or over the peak again; None if the series ended below it.
    sessions
        From the peak to the recovery, or to the end.
    """

    depth: float
    peak: date
    trough: date
    recovered: date | None
    sessions: int


def framed(series: Sequence[DayOfEquity]) -> pd.DataFrame:
    """Return columns `equity`, `exposure` and `cent`, by day."""
    return pd.DataFrame(series, columns=["day", "equity", "exposure", "cent"]).set_index("day").astype(float)


def returns_of(equity: pd.Series) -> pd.Series:
    """Return simple close-to-close returns; none after an equity of zero or less, nor to or from a missing close."""
    return _changes(equity).dropna()


def sharpe(returns: pd.Series, cent: float = 0.0) -> float | None:
    """Return the annualized mean over the sample standard deviation; no rate is subtracted.

    W. F. Sharpe, "The Sharpe Ratio", Journal of Portfolio Management 21 (1994); annualized by the root of time, which
    A. W. Lo, "The Statistics of Sharpe Ratios" (2002), shows to hold for independent returns. None for fewer than two
    returns, and for returns that are all equal but for a rounding to cents.

    Parameters
    ----------
    cent
        A cent as a return, by `cent_of`: an equity is known to it, and a smaller deviation is none.
    """
    return _a_year(returns, returns.std(), cent) if _is_moving(returns, cent) else None


def cent_of(equity: pd.Series, cent: pd.Series | float = A_CENT) -> float:
    """Return what a rounding of each close to a cent may make of a return: the root of the mean square over all days.

    The returns of a constant growth that is rounded to cents deviate by less, however much it grew.
    """
    cents = _cents(equity, cent).dropna()
    return math.sqrt(float((cents**2).mean())) if len(cents) else 0.0


def sortino(returns: pd.Series, cent: float = 0.0) -> float | None:
    """Return the mean over the downside deviation: the root of the mean of squared losses over all returns, gains as 0.

    Annualized like Sharpe's. F. A. Sortino and L. N. Price, "Performance Measurement in a Downside Risk Framework",
    Journal of Investing 3 (1994), with a target of 0. None for fewer than two returns, for constant ones, and for
    losses that deviate by a cent at the most; `cent` as of `sharpe`.
    """
    lost = math.sqrt((returns.clip(upper=0) ** 2).mean()) if len(returns) else 0.0
    return _a_year(returns, lost, cent) if _is_moving(returns, cent) else None


def omega(returns: pd.Series, threshold: float = 0.0) -> float | None:
    """Return the sum of the gains over a threshold, divided by the sum of the losses under it.

    C. Keating and W. F. Shadwick, "A Universal Performance Measure", Journal of Performance Measurement 6 (2002), over
    the empirical returns. None if no return was under the threshold.
    """
    over = returns - threshold
    lost = -over.clip(upper=0).sum()
    return float(over.clip(lower=0).sum() / lost) if lost > 0 else None


def rolling(equity: pd.Series, sessions: int = ROLLING, cent: pd.Series | float = A_CENT) -> pd.DataFrame:
    """Return rolling figures by day: `total_return`, annualized `volatility`, `sharpe`, `sortino`, `calmar` and
    `max_drawdown`.

    The first row is that of the day with this many returns before it; a shorter series has none. Undefined figures, and
    those of a window with a missing close, are NaN (AN-01).
    """
    changes, year = _changes(equity), math.sqrt(SESSIONS_A_YEAR)
    windows = changes.rolling(sessions)
    deviation, least = windows.std(), (_cents(equity, cent) ** 2).rolling(sessions).mean() ** 0.5
    downside = (changes.clip(upper=0) ** 2).rolling(sessions).mean() ** 0.5
    total, fall = equity / equity.shift(sessions) - 1, _deepest_within(equity, sessions + 1)
    growth = (1 + total).where(total > -1) ** (SESSIONS_A_YEAR / sessions) - 1
    frame = pd.DataFrame(
        {
            "total_return": total.where(windows.count() == sessions),
            "volatility": deviation * year,
            "sharpe": (windows.mean() / deviation * year).where(deviation > least),
            "sortino": (windows.mean() / downside * year).where((deviation > least) & (downside > least)),
            "calmar": (growth / fall).where(fall > 0),
            "max_drawdown": fall,
        }
    )
    return frame.iloc[sessions:]


def rolled(equity: pd.Series, cent: pd.Series | float = A_CENT) -> list[dict[str, object]]:
    """Return `rolling` as rows with their `day`, to six places; None for undefined figures."""
    figures = rolling(equity, cent=cent)
    return [
        {"day": str(day)} | {str(name): None if pd.isna(value) else round(value, 6) for name, value in row.items()}
        for day, row in zip(figures.index, figures.to_dict("records"), strict=True)
    ]


def _changes(equity: pd.Series) -> pd.Series:
    """Like `returns_of`, with a row for every day: NaN without a return."""
    return equity.pct_change(fill_method=None).where(equity.shift() > 0)


def _cents(equity: pd.Series, cent: pd.Series | float) -> pd.Series:
    """Return what a rounding to a cent of either close may make of each return."""
    before, largest = equity.shift(), equity.rolling(2).max()
    return (cent * largest / before**2).where(before > 0)


def _deepest_within(equity: pd.Series, closes: int) -> pd.Series:
    """Return the deepest drawdown of this many closes up to each day; all windows in one table for speed."""
    windows = pd.concat([equity.shift(back) for back in reversed(range(closes))], axis=1, ignore_index=True)
    tops = windows.cummax(axis=1)
    return (1 - windows / tops).where((tops > 0) | tops.isna(), 0.0).max(axis=1, skipna=False)


def _is_moving(returns: pd.Series, cent: float) -> bool:
    """Return whether returns differ by more than roundings: those of an account to cents, and the arithmetic's own."""
    return len(returns) > 1 and _is_known(returns, returns.std(), cent)


def _is_known(returns: pd.Series, deviation: float, cent: float) -> bool:
    return deviation > max(cent, ROUNDING * float(returns.abs().max()))


def _a_year(returns: pd.Series, deviation: float, cent: float) -> float | None:
    is_known = _is_known(returns, deviation, cent)
    return float(returns.mean() / deviation * math.sqrt(SESSIONS_A_YEAR)) if is_known else None


def drawdowns(equity: pd.Series) -> pd.Series:
    """Return the drawdown by day: 0 at a peak, 0.1 if 10 % below.

    A missing close counts as the previous one.
    """
    known = equity.ffill()
    top = known.cummax()
    return (1 - known / top).where(top > 0, 0.0)


def deepest(equity: pd.Series) -> Drawdown | None:
    """Return the deepest drawdown; of two equal ones the earlier. None if the series never fell."""
    below = drawdowns(equity)
    if not below.any():
        return None
    trough = below.idxmax()
    before, after = equity.loc[:trough], equity.loc[trough:]
    top = before.max()
    peak = before.index[before == top][-1]
    recovered = next(iter(after.index[after >= top]), None)
    return Drawdown(float(below[trough]), peak, trough, recovered, len(equity.loc[peak:recovered]) - 1)


def deepest_falls(equity: pd.Series, many: int) -> list[Drawdown]:
    """Return the deepest drawdowns, each from a peak to its recovery, the deepest first; no close may be missing."""
    below = drawdowns(equity)
    number = (below == 0).cumsum()
    depths = below.groupby(number).max().nlargest(many)
    places = [number.searchsorted(each) for each in depths[depths > 0].index]
    ends = [number.searchsorted(number.iloc[place], side="right") + 1 for place in places]
    falls = (deepest(equity.iloc[place:end]) for place, end in zip(places, ends, strict=True))
    return [fall for fall in falls if fall is not None]


def longest_under_water(equity: pd.Series) -> int:
    """Return the longest run of sessions that closed below an earlier close."""
    is_below = drawdowns(equity) > 0
    return int(is_below.groupby((~is_below).cumsum()).sum().max()) if len(equity) else 0


def yearly(equity: pd.Series) -> float | None:
    """Return the annual growth: total growth to the power of sessions a year over its sessions.

    None for less than two days.
    """
    if len(equity) < 2 or equity.iloc[0] <= 0 or equity.iloc[-1] <= 0:  # noqa: PLR2004
        return None
    return float((equity.iloc[-1] / equity.iloc[0]) ** (SESSIONS_A_YEAR / (len(equity) - 1)) - 1)


def calmar(equity: pd.Series) -> float | None:
    """Return the annual growth over the deepest drawdown, of the whole series.

    T. W. Young, "Calmar Ratio: A Smoother Tool", Futures (October 1991), takes the last 36 months; over the whole
    series it is also called MAR. None for less than two days, and if the series never fell.
    """
    growth, fall = yearly(equity), deepest(equity)
    return None if growth is None or fall is None else growth / fall.depth


def profit_factor(profits: pd.Series) -> float | None:
    """Return total gains over total losses. None without a loss."""
    lost = -profits.clip(upper=0).sum()
    return float(profits.clip(lower=0).sum() / lost) if lost > 0 else None


def win_rate(profits: pd.Series) -> float | None:
    """Return the fraction of trades with a gain. None without trades."""
    return float((profits > 0).mean()) if len(profits) else None


def expectancy(profits: pd.Series) -> float | None:
    """Return the mean profit of a trade, USD: win rate × mean gain + loss rate × mean loss. None without trades."""
    return float(profits.mean()) if len(profits) else None


def mean_gain(profits: pd.Series) -> float | None:
    """Return the mean profit of the trades with a gain, USD. None without one."""
    return expectancy(profits[profits > 0])


def mean_loss(profits: pd.Series) -> float | None:
    """Return the mean profit of the trades with a loss, USD, negative. None without one."""
    return expectancy(profits[profits < 0])


def metrics(series: Sequence[DayOfEquity], profits: Sequence[float]) -> dict[str, object]:
    """Return all measures by name; ratios as fractions, money in USD, days as ISO 8601.

    Annualized measures of fewer than 63 returns are None (AN-01).
    """
    days, made = framed(series), pd.Series(profits, dtype=float)
    equity = days["equity"]
    returns, fall, cent = returns_of(equity), deepest(equity), cent_of(equity, days["cent"])
    is_long = len(returns) >= ROLLING
    return {
        "sessions": max(len(series) - 1, 0),
        "first_equity": series[0].equity if series else None,
        "last_equity": series[-1].equity if series else None,
        "total_return": series[-1].equity / series[0].equity - 1 if series and series[0].equity > 0 else None,
        "yearly_return": yearly(equity) if is_long else None,
        "sharpe": sharpe(returns, cent) if is_long else None,
        "sortino": sortino(returns, cent) if is_long else None,
        "calmar": calmar(equity) if is_long else None,
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
        "mean_gain": mean_gain(made),
        "mean_loss": mean_loss(made),
        "best_trade": max(profits, default=None),
        "worst_trade": min(profits, default=None),
        "mean_exposure": float(days["exposure"].mean()) if series else None,
    }
