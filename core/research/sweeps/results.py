"""The result of one backtest in a sweep, and figures of many: daily returns and daily Sharpe ratios.

`Runner` is the interface to what computes a result: today the engine, later a compiled kernel. A result is plain JSON
and back without loss, so that a resumed sweep gives the same table to the bit.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.model.lazy_dataclass import dataclass
from core.model.values import CENT, ZERO, Money

if TYPE_CHECKING:
    from core.settings.settings import Settings

Floats = NDArray[np.float64]

NOISE = 1e-12
"""A standard deviation below this fraction of the largest return is rounding: the returns are constant."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a backtest with one set of settings gave; a sweep keeps thousands of them, so its columns are arrays.

    Attributes
    ----------
    profit
        Of closed trades and of open positions at the last quote, after fees, USD.
    profits
        Of closed trades in order of their exit, after fees, USD: exact numbers, separated by spaces.
    failed_profits
        Of the trades that failed in execution, in the same form: in `profit`, and in no win rate (EX-18).
    open_profits
        Of positions open at the end, at the last quote, after fees, USD, in the same form.
    open_since
        The trading day of the oldest of those; None without one.
    closed
        How many trades closed on each trading day.
    overnight
        The first and the last trading day of each trade that closed on a later day than it began.
    days, equity
        The account at each close, USD; the first day is the one before the first session.
    """

    profit: Decimal
    profits: str
    open_profits: str
    open_since: date | None
    closed: array[int]
    overnight: tuple[tuple[date, date], ...]
    days: tuple[date, ...]
    equity: array[float]
    failed_profits: str = ""

    @property
    def closed_profits(self) -> list[Decimal]:
        return list(map(Decimal, f"{self.profits} {self.failed_profits}".split()))

    @property
    def trades(self) -> int:
        """The closed trades that did not fail in execution, and the positions that are open at the end."""
        return len(self.profits.split()) + len(self.open_profits.split())

    @property
    def is_traded(self) -> bool:
        return bool(self.profits or self.failed_profits) or self.open_since is not None

    @property
    def returns(self) -> Floats:
        """Simple daily returns, shape (days - 1,); 0 after an equity of zero or less."""
        equity = np.asarray(self.equity, dtype=float)
        before = equity[:-1]
        found: Floats = np.divide(np.diff(equity), before, out=np.zeros(len(before)), where=before > 0)
        return found

    @property
    def cent(self) -> float:
        """What a rounding of each close to a cent may make of a return: the root of the mean square over all days."""
        equity = np.asarray(self.equity, dtype=float)
        before, largest = equity[:-1], np.maximum(equity[:-1], equity[1:])
        cents = float(CENT) * largest[before > 0] / before[before > 0] ** 2
        return float(np.sqrt((cents**2).mean())) if len(cents) else 0.0

    @property
    def trading_days(self) -> tuple[date, ...]:
        """The day of each return."""
        return self.days[1:]


def closed_by_day(days: Sequence[date], exits: Iterable[date]) -> array[int]:
    """Return how many trades closed on each of some days, in order, given the day of each exit."""
    found = array("i", [0]) * len(days)
    for day in exits:
        found[bisect_right(days, day) - 1] += 1
    return found


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


def daily_sharpe(returns: Floats, cent: float = 0.0) -> float | None:
    """Return the mean over the sample standard deviation, per day, not annualised.

    It is the Sharpe ratio of `core.analytics.metrics` without the factor √252. None for fewer than two returns and for
    constant ones.

    Parameters
    ----------
    returns
        Daily returns, shape (days,).
    cent
        A cent as a return: a smaller deviation is a rounding of the equity.
    """
    if len(returns) < 2:  # noqa: PLR2004
        return None
    deviation = float(returns.std(ddof=1))
    if deviation <= max(cent, NOISE * float(np.abs(returns).max())):
        return None
    return float(returns.mean()) / deviation


def score(result: RunResult, goal: Goal) -> float | None:
    """Return the figure to rank by; None for a run that never traded, or whose figure is undefined."""
    if not result.is_traded:
        return None
    return float(result.profit) if goal is Goal.PROFIT else daily_sharpe(result.returns, result.cent)


def ranked(scores: Sequence[float | None]) -> list[int]:
    """Return the indices from the highest score to the lowest; equal ones in their order, undefined ones last."""
    return sorted(range(len(scores)), key=lambda index: (scores[index] is None, -(scores[index] or 0.0)))


def difference(one: RunResult, other: RunResult) -> Money:
    """Return the larger of the differences in profit and in any trade's profit, USD; zero if the runs agree.

    A different number of trades counts with the profits of those without a partner.
    """
    mine, others = (each.closed_profits for each in (one, other))
    length = max(len(mine), len(others))
    pairs = zip(*(profits + [ZERO] * (length - len(profits)) for profits in (mine, others)), strict=True)
    return Money(max([abs(one.profit - other.profit), *(abs(left - right) for left, right in pairs)]))
