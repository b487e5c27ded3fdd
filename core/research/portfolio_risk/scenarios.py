"""Losses of the positions on recorded days and under shocks, by position.

Recorded days use each position's own returns, or else those of the index times its beta. A shock moves the positions of
its own factors by itself and all others by their betas, from a regression on every recorded day with all of the factors
at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd

from core.model.lazy_dataclass import dataclass
from core.model.values import Symbol
from core.ports import OperatorError
from core.research.portfolio_risk.betas import INDEX, Beta
from core.research.portfolio_risk.history import SHORTEST, History
from core.research.portfolio_risk.portfolio import VIX, Valued
from core.research.portfolio_risk.scenario_file import RecordedDays
from core.research.portfolio_risk.shock_text import HIGHEST_VIX, FactorMove, Kind, Shock
from core.research.portfolio_risk.value_at_risk import Floats

LONGEST_RUN = 10
"""Trading days of a path, and the most of the worst run: two weeks without a trade."""


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
    proxy
        The beta to the index, if the position has no own returns of these days.
    """

    symbol: Symbol
    profit: float
    move: float
    betas: Mapping[Symbol, float] | None = None
    fit: float | None = None
    days: int = 0
    proxy: Beta | None = None


@dataclass(frozen=True, slots=True)
class PathDay:
    """A session of a path: the profit of the day, and of all days to its close, USD."""

    day: date
    profit: float
    total: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """Profit of a scenario, USD, a loss below zero; None if no position has a figure.

    Attributes
    ----------
    profit
        Of recorded days that at the lowest point of their path.
    first, last
        The first day of the path and that of its lowest point; None for a shock.
    parts
        By position, the largest loss first.
    without
        Positions that have no figure, and why.
    reason
        Why there is no profit, where that is not the positions' own.
    path
        The sessions from the first day on, at most `LONGEST_RUN`; empty for a shock.
    """

    name: str
    profit: float | None
    parts: tuple[Part, ...]
    without: Mapping[Symbol, str]
    first: date | None = None
    last: date | None = None
    path: tuple[PathDay, ...] = ()
    reason: str = ""

    @property
    def lowest(self) -> int:
        """The session of the lowest point, from 1; 0 for a shock."""
        return next((number for number, each in enumerate(self.path, 1) if each.day == self.last), 0)

    @property
    def proxies(self) -> dict[Symbol, Beta]:
        """The positions that are moved by a beta for lack of own returns."""
        return {part.symbol: part.proxy for part in self.parts if part.proxy is not None}


def worst_path(scenario: RecordedDays, history: History, positions: Sequence[Valued]) -> Scenario:
    """Return the path from the session after which the positions together lose most within `LONGEST_RUN` sessions.

    It has that many sessions, or fewer where the days end before. Quantities stay the same within it. A position
    without a return on every session of the days is moved by its beta to the index.
    """
    sessions, own, index = _returns_of(scenario, history)
    moves: dict[Symbol, Floats] = {}
    proxies: dict[Symbol, Beta] = {}
    for symbol in (each.symbol for each in positions):
        returns = own[symbol].to_numpy() if symbol in own else None
        if returns is not None and not np.isnan(returns).any():
            moves[symbol] = returns
            if symbol in history.proxies:
                proxies[symbol] = history.proxies[symbol].beta
        elif index is not None:
            proxies[symbol] = history.beta(symbol)
            moves[symbol] = np.maximum(proxies[symbol].value * index, -1.0)
    used = [each for each in positions if each.symbol in moves]
    lacks = f"neither its file nor that of {INDEX} has all days of {scenario.name}"
    without = {each.symbol: lacks for each in positions if each not in used}
    if not used:
        return Scenario(scenario.name, None, (), without)
    values = np.array([float(each.value) for each in used])
    table = np.column_stack([moves[each.symbol] for each in used])
    worst, begins, lowest = np.inf, 0, 0
    for start in range(len(table)):
        totals = (np.cumprod(1 + table[start : start + LONGEST_RUN], axis=0) - 1) @ values
        at = int(totals.argmin())
        if (float(totals[at]), at) < (worst, lowest):  # of equal losses the shortest run
            worst, begins, lowest = float(totals[at]), start, at
    growth = np.cumprod(1 + table[begins : begins + LONGEST_RUN], axis=0) - 1
    totals = growth @ values
    days = sessions[begins : begins + LONGEST_RUN]
    path = tuple(map(PathDay, days, np.diff(totals, prepend=0.0).tolist(), totals.tolist()))
    parts = (
        Part(each.symbol, float(value * move), float(move), proxy=proxies.get(each.symbol))
        for each, value, move in zip(used, values, growth[lowest], strict=True)
    )
    return Scenario(scenario.name, worst, _by_loss(parts), without, days[0], days[lowest], path)


def _returns_of(scenario: RecordedDays, history: History) -> tuple[list[date], pd.DataFrame, Floats | None]:
    """Return the sessions of a scenario, the returns that files have of them, and those of the index.

    Files that cover the days give their sessions; else the scenario's own days of the index do. The index has none if
    neither its file nor the scenario has all of them.
    """
    closes, first, last = history.closes, scenario.first, scenario.last
    is_covered = not closes.empty and closes.index[0] < first and closes.index[-1] >= last
    sessions = [day for day in closes.index if first <= day <= last] if is_covered else []
    if not sessions:
        return list(scenario.index), pd.DataFrame(), np.array(list(scenario.index.values())) if scenario.index else None
    begin = closes.index.get_loc(sessions[0])
    returns = closes.iloc[begin - 1 : begin + len(sessions)].pct_change(fill_method=None).iloc[1:]
    recorded = returns[INDEX].to_numpy() if INDEX in returns else np.full(len(sessions), np.nan)
    index = np.array([scenario.index.get(day, np.nan) for day in sessions]) if np.isnan(recorded).any() else recorded
    return sessions, returns, None if np.isnan(index).any() else index


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
            raise OperatorError(f"{shock.place}: {move.factor} is not held, and {reason}; name another factor")
    sizes = {move.factor: _size(shock, move, {s: float(p) for s, p in prices.items()}, vix_now) for move in shock.moves}
    parts, without = [], {}
    for each in (*positions, *(other for other in others if other.symbol in sizes)):
        if (size := sizes.get(each.symbol)) is not None:
            parts.append(Part(each.symbol, float(each.value) * size, size))
            continue
        part = _by_regression(shock, each, sizes, history)
        if isinstance(part, str):
            without[each.symbol] = part
        else:
            parts.append(part)
    profit = sum(part.profit for part in parts) if parts else None
    return Scenario(shock.name, profit, _by_loss(parts), without)


def _size(shock: Shock, move: FactorMove, prices: Mapping[Symbol, float], vix_now: float | None) -> float:
    """Return a factor's move: points for the VIX, a return for a symbol. Raises `OperatorError`."""
    amount = float(move.amount)
    if move.factor == VIX:
        if vix_now is None:
            raise OperatorError(f"{shock.place}: no VIX of the last week; put its daily file, VIX.csv, into --history")
        change = {Kind.TO: amount - vix_now, Kind.BY_FRACTION: amount * vix_now, Kind.BY_POINTS: amount}[move.kind]
        if not 0 < vix_now + change <= HIGHEST_VIX:
            raise OperatorError(f"{shock.place}: the VIX is {vix_now:.2f} and would be {vix_now + change:.2f}")
        return change
    if move.kind is Kind.BY_FRACTION:
        return amount
    if move.factor not in prices:
        raise OperatorError(f"{shock.place}: no price of {move.factor} is known; write the move in %")
    return amount / prices[move.factor] - 1


def _by_regression(shock: Shock, position: Valued, sizes: Mapping[Symbol, float], history: History) -> Part | str:
    """Return a position's part by its betas, or why it has none.

    Ordinary least squares with a constant; the constant is not part of the move. For the VIX its change in points
    explains SPY better than its relative change (R² 0.67 against 0.51 from 2008 to 2021).
    """
    usable = history.closes.columns.difference(history.proxies)
    if lost := [factor for factor in sizes if factor != VIX and factor not in usable]:
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
        raise OperatorError(f"{shock.place}: {', '.join(sizes)} cannot be told apart in the history; name one")
    betas = np.linalg.lstsq(centred, response, rcond=None)[0]
    spread = float(response @ response)
    fit = 1 - float(((response - centred @ betas) ** 2).sum()) / spread if spread > 0 else None
    move = max(float(betas @ np.array(list(sizes.values()))), -1.0)  # a share loses all of its price at most
    of_factors = dict(zip(sizes, map(float, betas), strict=True))
    profit = float(position.value) * move
    if (proxy := history.proxies.get(position.symbol)) is not None:  # its fit is that of the index
        return Part(position.symbol, profit, move, of_factors, proxy=proxy.beta)
    return Part(position.symbol, profit, move, of_factors, fit, len(table))


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
