"""The result of one backtest in a sweep, and figures of many: daily returns and daily Sharpe ratios.

`Runner` is the interface to what computes a result: today the engine, later a compiled kernel. A result is plain JSON
and back without loss, so that a resumed sweep gives the same table to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.model.lazy_dataclass import dataclass
from core.model.values import ZERO, Money

if TYPE_CHECKING:
    from core.settings.settings import Settings

Floats = NDArray[np.float64]

NOISE = 1e-12
"""A standard deviation below this fraction of the largest return is rounding: the returns are constant."""


@dataclass(frozen=True, slots=True)
class RunTrade:
    """A closed trade: its times (UTC), its trading days on the venue's calendar, its profit after fees, USD."""

    entry_time: datetime
    exit_time: datetime
    entry_day: date
    exit_day: date
    profit: Decimal


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a backtest with one set of settings gave.

    Attributes
    ----------
    profit
        Of closed trades and of open positions at the last quote, after fees, USD.
    trades
        Closed trades, in order of their exit.
    open_since
        The trading day of the oldest position open at the end; None without one.
    days, equity
        The account at each close, USD; the first day is the one before the first session.
    metrics
        Measures by name, as of `core.analytics.metrics`.
    """

    profit: Decimal
    trades: tuple[RunTrade, ...]
    open_since: date | None
    days: tuple[date, ...]
    equity: tuple[float, ...]
    metrics: Mapping[str, float | int | str | None]

    @property
    def returns(self) -> Floats:
        """Simple daily returns, shape (days - 1,); 0 after an equity of zero or less."""
        equity = np.asarray(self.equity, dtype=float)
        before = equity[:-1]
        found: Floats = np.divide(np.diff(equity), before, out=np.zeros(len(before)), where=before > 0)
        return found

    @property
    def trading_days(self) -> tuple[date, ...]:
        """The day of each return."""
        return self.days[1:]


@dataclass(frozen=True, slots=True)
class Span:
    """The part of the bars that a run trades: entries from `first`, bars until `last`, both trading days, included."""

    first: date
    last: date


Runner = Callable[["Settings", Span | None], RunResult]
"""Runs one backtest; None is all days. Deterministic: equal arguments give equal results. Raises `OperatorError`."""


class Goal(Enum):
    """The figure by which combinations are ranked; more is better."""

    SHARPE = "sharpe"
    PROFIT = "profit"


def daily_sharpe(returns: Floats) -> float | None:
    """Return the mean over the sample standard deviation, per day, not annualised.

    It is the Sharpe ratio of `core.analytics.metrics` without the factor √252. None for fewer than two returns and for
    constant ones.

    Parameters
    ----------
    returns
        Daily returns, shape (days,).
    """
    if len(returns) < 2:  # noqa: PLR2004
        return None
    deviation = float(returns.std(ddof=1))
    if deviation <= NOISE * float(np.abs(returns).max()):
        return None
    return float(returns.mean()) / deviation


def score(result: RunResult, goal: Goal) -> float | None:
    """Return the figure to rank by; None for a run that never traded, or whose figure is undefined."""
    if not result.trades and result.open_since is None:
        return None
    return float(result.profit) if goal is Goal.PROFIT else daily_sharpe(result.returns)


def ranked(scores: Sequence[float | None]) -> list[int]:
    """Return the indices from the highest score to the lowest; equal ones in their order, undefined ones last."""
    return sorted(range(len(scores)), key=lambda index: (scores[index] is None, -(scores[index] or 0.0)))


def difference(one: RunResult, other: RunResult) -> Money:
    """Return the larger of the differences in profit and in any trade's profit, USD; zero if the runs agree.

    A different number of trades counts with the profits of those without a partner.
    """
    mine, others = ([trade.profit for trade in each.trades] for each in (one, other))
    length = max(len(mine), len(others))
    pairs = zip(*(profits + [ZERO] * (length - len(profits)) for profits in (mine, others)), strict=True)
    return Money(max([abs(one.profit - other.profit), *(abs(left - right) for left, right in pairs)]))
