"""Losses of the positions in recorded months and under typed shocks, by position.

A recorded month uses each position's own returns. A shock moves the positions of its own factors by itself and all
others by their betas, from a regression on every recorded day with all of the factors at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd

from core.files.csv_files import shown
from core.model.lazy_dataclass import dataclass
from core.model.values import Symbol
from core.ports import OperatorError
from core.research.portfolio_risk.history import SHORTEST, History
from core.research.portfolio_risk.portfolio import VIX, Valued
from core.research.portfolio_risk.shock_text import HIGHEST_VIX, FactorMove, Kind, Shock
from core.research.portfolio_risk.value_at_risk import Floats

MONTHS: tuple[tuple[str, date, date], ...] = (
    ("October 2008", date(2008, 10, 1), date(2008, 10, 31)),
    ("August 2015", date(2015, 8, 1), date(2015, 8, 31)),
    ("March 2020", date(2020, 3, 1), date(2020, 3, 31)),
)
LONGEST_RUN = 10
"""Trading days of the worst run in a month: two weeks without a trade."""


@dataclass(frozen=True, slots=True)
class Part:
    """A position's profit in a scenario, USD.

    Attributes
    ----------
    move
        Its return in the scenario, a fraction.
    betas
        Of each factor, if the move is by regression: return for a return, or for a point of the VIX.
    fit
        The regression's R².
    days
        The days of the regression.
    """

    symbol: Symbol
    profit: float
    move: float
    betas: Mapping[Symbol, float] | None = None
    fit: float | None = None
    days: int = 0


@dataclass(frozen=True, slots=True)
class Scenario:
    """Profit of a scenario, USD, a loss below zero; None if no position has a history of it.

    Attributes
    ----------
    first, last
        The days of a recorded run; None for a shock.
    parts
        By position, the largest loss first.
    without
        Positions that have no figure, and why.
    """

    name: str
    profit: float | None
    parts: tuple[Part, ...]
    without: Mapping[Symbol, str]
    first: date | None = None
    last: date | None = None


def worst_run(name: str, first: date, last: date, history: History, positions: Sequence[Valued]) -> Scenario:
    """Return the run of at most `LONGEST_RUN` sessions within the days in which the positions together lose most.

    Quantities stay the same within the run. A position needs a return on every session of the days.
    """
    closes = history.closes
    within = [day for day in closes.index if first <= day <= last]
    returns = closes.pct_change(fill_method=None).loc[within]
    is_covered = bool(within) and closes.index[0] < first and closes.index[-1] >= last
    used = [each for each in positions if is_covered and not returns[each.symbol].isna().any()]
    without = {each.symbol: f"its file lacks days of {name}" for each in positions if each not in used}
    if not used:
        return Scenario(name, None, (), without)
    values = np.array([float(each.value) for each in used])
    table = returns[[each.symbol for each in used]].to_numpy()
    worst, begins, ends, moves = np.inf, 0, 0, np.zeros(len(used))
    for start in range(len(table)):
        growth = np.cumprod(1 + table[start : start + LONGEST_RUN], axis=0) - 1
        profits = growth @ values
        length = int(profits.argmin())
        if (float(profits[length]), length) < (worst, ends - begins):  # of equal losses the shortest run
            worst, begins, ends, moves = float(profits[length]), start, start + length, growth[length]
    parts = (Part(each.symbol, float(v * m), float(m)) for each, v, m in zip(used, values, moves, strict=True))
    return Scenario(name, worst, _by_loss(parts), without, within[begins], within[ends])


def shocked(
    shock: Shock,
    history: History,
    positions: Sequence[Valued],
    others: Sequence[Valued],
    vix_now: float | None,
) -> Scenario:
    """Return the profit under a shock.

    Parameters
    ----------
    others
        Positions without a history: only a move of their own symbol moves them.
    vix_now
        The VIX from which it moves, points; None if unknown.

    Raises
    ------
    OperatorError
        A factor that is neither held nor in the history, or factors that cannot be told apart.
    """
    prices = {**history.last, **{each.symbol: each.price for each in (*positions, *others)}}
    held = {each.symbol for each in (*positions, *others)}
    for move in shock.moves:
        if move.factor not in {VIX, *held, *history.last}:
            reason = history.missing.get(move.factor, "no file")
            raise OperatorError(
                f"--shock {shown(shock.text)}: {move.factor} is not held, and {reason}; name another factor"
            )
    sizes = {move.factor: _size(shock, move, {s: float(p) for s, p in prices.items()}, vix_now) for move in shock.moves}
    parts, without = [], {}
    for each in (*positions, *(other for other in others if other.symbol in sizes)):
        if each.symbol in sizes:
            parts.append(Part(each.symbol, float(each.value) * sizes[each.symbol], sizes[each.symbol]))
            continue
        part = _by_regression(shock, each, sizes, history)
        if isinstance(part, str):
            without[each.symbol] = part
        else:
            parts.append(part)
    profit = sum(part.profit for part in parts) if parts else None
    return Scenario(f"shock {shock.text}", profit, _by_loss(parts), without)


def _size(shock: Shock, move: FactorMove, prices: Mapping[Symbol, float], vix_now: float | None) -> float:
    """Return a factor's move: points for the VIX, a return for a symbol. Raises `OperatorError`."""
    amount = float(move.amount)
    if move.factor == VIX:
        if vix_now is None:
            raise OperatorError(
                f"--shock {shown(shock.text)}: no VIX of the last week; put its daily file, VIX.csv, into --history"
            )
        change = {Kind.TO: amount - vix_now, Kind.BY_FRACTION: amount * vix_now, Kind.BY_POINTS: amount}[move.kind]
        if not 0 < vix_now + change <= HIGHEST_VIX:
            raise OperatorError(
                f"--shock {shown(shock.text)}: the VIX is {vix_now:.2f} and would be {vix_now + change:.2f}"
            )
        return change
    if move.kind is Kind.BY_FRACTION:
        return amount
    if move.factor not in prices:
        raise OperatorError(f"--shock {shown(shock.text)}: no price of {move.factor} is known; write the move in %")
    return amount / prices[move.factor] - 1


def _by_regression(shock: Shock, position: Valued, sizes: Mapping[Symbol, float], history: History) -> Part | str:
    """Return a position's part by its betas, or why it has none.

    Ordinary least squares with a constant; the constant is not part of the move. For the VIX its change in points
    explains SPY better than its relative change (R² 0.67 against 0.51 from 2008 to 2021).
    """
    if lost := [factor for factor in sizes if factor != VIX and factor not in history.closes]:
        return f"no history of {', '.join(lost)} to compute a beta with"
    columns = [position.symbol, *(factor for factor in sizes if factor != VIX)]
    table = history.closes[columns].pct_change(fill_method=None)
    if VIX in sizes:
        table = table.join(history.vix_changes().rename(VIX))
    table = table.dropna()
    if len(table) < SHORTEST - 1:
        return f"{len(table)} days with {', '.join(sizes)}, {SHORTEST - 1} are needed"
    own, factors = table[position.symbol].to_numpy(), table[list(sizes)].to_numpy()
    centred, response = factors - factors.mean(axis=0), own - own.mean()
    scale = np.sqrt((centred**2).sum(axis=0))
    if np.linalg.matrix_rank(centred / np.where(scale > 0, scale, 1.0), tol=1e-8) < len(sizes):
        raise OperatorError(
            f"--shock {shown(shock.text)}: {', '.join(sizes)} cannot be told apart in the history; name one"
        )
    betas = np.linalg.lstsq(centred, response, rcond=None)[0]
    spread = float(response @ response)
    fit = 1 - float(((response - centred @ betas) ** 2).sum()) / spread if spread > 0 else None
    move = max(float(betas @ np.array(list(sizes.values()))), -1.0)  # a share loses all of its price at most
    of_factors = dict(zip(sizes, map(float, betas), strict=True))
    return Part(position.symbol, float(position.value) * move, move, of_factors, fit, len(table))


def _by_loss(parts: Iterable[Part]) -> tuple[Part, ...]:
    return tuple(sorted(parts, key=lambda part: part.profit))


def windows(returns: pd.DataFrame, sessions: Sequence[date], days: int) -> Floats:
    """Return the compounded returns of every window of consecutive sessions, shape (windows, symbols).

    Windows overlap. One with a missing session is left out.
    """
    number = {day: at for at, day in enumerate(sessions)}
    at = np.array([number[day] for day in returns.index])
    table = returns.to_numpy()
    starts = [i for i in range(len(table) - days + 1) if at[i + days - 1] - at[i] == days - 1]
    return np.array([np.prod(1 + table[i : i + days], axis=0) - 1 for i in starts]).reshape(len(starts), table.shape[1])
