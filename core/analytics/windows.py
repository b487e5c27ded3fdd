"""Measures of one window of closes, in plain Python: the desk's process loads no pandas for them (AN-01).

The formulas and their sources are those of `core.analytics.metrics`, which measures whole series; a test compares both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from core.analytics.presentation import ROLLING
from core.model.lazy_dataclass import dataclass
from core.model.values import CENT

SESSIONS_A_YEAR = 252
"""Trading days of a US year, to annualize daily figures."""
ROUNDING = 1e-12
"""A deviation below this fraction of the largest return is the arithmetic's own."""
A_CENT = float(CENT)


@dataclass(frozen=True, slots=True)
class DayOfEquity:
    """An account at the close of a session, USD. `exposure` is the gross value of its positions, long plus short.

    `cent` is a cent of the account: of another size where `equity` is the growth of a first one, without transfers.
    """

    day: date
    equity: float
    exposure: float = 0.0
    cent: float = A_CENT


@dataclass(frozen=True, slots=True)
class Window:
    """The measures of the last sessions, as fractions and ratios; None if undefined.

    Attributes
    ----------
    returns
        Known returns of a session in the window, 63 at the most. With fewer there is no measure.
    """

    returns: int
    total_return: float | None = None
    sharpe: float | None = None
    sortino: float | None = None
    calmar: float | None = None
    max_drawdown: float | None = None


def window_of(closes: Sequence[DayOfEquity], sessions: int = ROLLING) -> Window:
    """Return the measures of the last `sessions` returns. A missing close is NaN and makes no return."""
    last = closes[-(sessions + 1) :]
    returns = [after.equity / before.equity - 1 for before, after in pairwise(last) if before.equity > 0]
    returns = [each for each in returns if not math.isnan(each)]
    if len(returns) < sessions:
        return Window(len(returns))
    cents = [_cent(before, after) for before, after in pairwise(last)]
    least = max(_root_mean_square(cents), ROUNDING * max(map(abs, returns)))
    mean = math.fsum(returns) / sessions
    deviation = math.sqrt(math.fsum((each - mean) ** 2 for each in returns) / (sessions - 1))
    downside = _root_mean_square([min(each, 0.0) for each in returns])
    total, fall = last[-1].equity / last[0].equity - 1, _deepest([each.equity for each in last])
    growth = (1 + total) ** (SESSIONS_A_YEAR / sessions) - 1 if total > -1 else None
    is_moving, year = deviation > least, math.sqrt(SESSIONS_A_YEAR)
    return Window(
        sessions,
        total,
        mean / deviation * year if is_moving else None,
        mean / downside * year if is_moving and downside > least else None,
        growth / fall if growth is not None and fall else None,
        fall,
    )


def _cent(before: DayOfEquity, after: DayOfEquity) -> float:
    """Return what a rounding of either close to a cent may make of the return."""
    return after.cent * max(before.equity, after.equity) / before.equity**2


def _root_mean_square(values: Sequence[float]) -> float:
    return math.sqrt(math.fsum(each**2 for each in values) / len(values))


def _deepest(equity: Sequence[float]) -> float:
    top, fall = 0.0, 0.0
    for each in equity:
        top = max(top, each)
        fall = max(fall, 1 - each / top if top > 0 else 0.0)
    return fall
