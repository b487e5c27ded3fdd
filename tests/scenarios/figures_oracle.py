"""The account's value at each close, and that of one that bought and held: computed independently, with pandas.

Files and fills are all that is read.

Nothing of the product is imported here. Prices and quantities come in as text and stay exact.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import pandas as pd

NEW_YORK = "America/New_York"
OPENS, CLOSES, EARLY = pd.Timedelta(hours=9, minutes=30), pd.Timedelta(hours=16), pd.Timedelta(hours=13)
HALF_DAYS = frozenset({"2008-11-28", "2008-12-24"})
"""Of the days that are played here, those that closed at 13:00."""
BEGAN = Decimal(100_000)


def closes_of(path: Path) -> pd.Series:
    """The last regular price of each day of a file of minutes, or the close of each row of a file of days."""
    rows = pd.read_csv(path, dtype=str)
    if "date" in rows:
        return rows.set_index("date")["close"].map(Decimal)
    at = pd.to_datetime(rows["timestamp"], utc=True).dt.tz_convert(NEW_YORK)
    clock = at - at.dt.normalize()
    closes = at.dt.strftime("%Y-%m-%d").isin(HALF_DAYS).map({False: CLOSES, True: EARLY})
    is_regular = (clock >= OPENS) & (clock < closes)
    regular = rows[is_regular].assign(day=at[is_regular].dt.strftime("%Y-%m-%d"))
    return regular.groupby("day")["close"].last().map(Decimal)


def fills_of(journal: Path) -> list[dict[str, str]]:
    """Every execution of a journal with its symbol, what was sold below zero; read as plain JSON."""
    orders: dict[str, dict[str, str]] = {}
    found = []
    for path in sorted(journal.glob("*.jsonl")):
        for line in path.read_text().splitlines():
            if '"OrderCreated"' in line:
                order = json.loads(line)["data"]["order"]
                orders[order["client_order_id"]] = order
            elif '"OrderFilled"' in line:
                fill = json.loads(line)["data"]["fill"]
                order = orders[fill["client_order_id"]]
                sign = "" if order["side"] == "buy" else "-"
                found.append({**fill, "symbol": order["symbol"], "quantity": sign + fill["quantity"]})
    return found


def worth_at_closes(fills: Iterable[Mapping[str, Any]], closes: Mapping[str, pd.Series]) -> pd.Series:
    """Cash and shares at each day's close, USD; a fill has `at`, `symbol`, signed `quantity`, `price` and `fee`."""
    days = sorted({day for series in closes.values() for day in series.index})
    found: dict[str, Decimal] = {}
    told = pd.DataFrame(list(fills))
    told["day"] = pd.to_datetime(told["at"], utc=True, format="ISO8601").dt.tz_convert(NEW_YORK).dt.strftime("%Y-%m-%d")
    for day in days:
        done = told[told["day"] <= day]
        worth = BEGAN
        for symbol, of_symbol in done.groupby("symbol"):
            quantity, price = of_symbol["quantity"].map(Decimal), of_symbol["price"].map(Decimal)
            worth -= sum(quantity * price, Decimal(0)) + sum(of_symbol["fee"].map(Decimal), Decimal(0))
            known = closes[str(symbol)]
            worth += sum(quantity, Decimal(0)) * known[known.index <= day].iloc[-1]
        found[day] = worth
    return pd.Series(found)


# ── buy and hold ─────────────────────────────────────────────────────────────────────────────────────────────────────

SESSIONS_A_YEAR = 252
FEWEST = 63
"""Returns of an annual figure."""


def held_over(path: Path) -> pd.Series:
    """The growth of 1 that bought at the first regular open of a file: 1 before it, then at each day's close.

    The first day is "start". A day between two others without a bar has the close of the one before.
    """
    rows = pd.read_csv(path, dtype=str)
    if "date" in rows:
        opened = rows["open"].iloc[0]
    else:
        at = pd.to_datetime(rows["timestamp"], utc=True).dt.tz_convert(NEW_YORK)
        opened = rows[at - at.dt.normalize() >= OPENS]["open"].iloc[0]
    closes = closes_of(path).map(float)
    return pd.concat([pd.Series({"start": 1.0}), closes / float(opened)])


def figures_of(growth: pd.Series) -> dict[str, float | None]:
    """Every figure of the table beside buy and hold; None where a page has none."""
    worth = growth.reset_index(drop=True)
    returns = worth.pct_change().dropna()
    tops = worth.cummax()
    falls = 1 - worth / tops
    deepest = falls.max()
    trough = falls.idxmax()
    peak = worth.index[(worth == tops[trough]) & (worth.index <= trough)][-1]
    again = worth.index[(worth >= tops[trough]) & (worth.index > trough)]
    is_below = falls > 0
    runs = is_below.groupby((~is_below).cumsum()).sum()
    is_long = len(returns) >= FEWEST
    yearly = worth.iloc[-1] ** (SESSIONS_A_YEAR / len(returns)) - 1
    root = SESSIONS_A_YEAR**0.5
    return {
        "total return": worth.iloc[-1] - 1,
        "return a year": yearly if is_long else None,
        "Sharpe": returns.mean() / returns.std() * root if is_long else None,
        "Sortino": returns.mean() / (returns.clip(upper=0) ** 2).mean() ** 0.5 * root if is_long else None,
        "Calmar": yearly / deepest if is_long else None,
        "deepest drawdown": deepest,
        "drawdown length": (again[0] if len(again) else worth.index[-1]) - peak if deepest else 0,
        "longest under water": runs.max(),
    }


def years_of(growth: pd.Series) -> dict[str, float]:
    """The return of each calendar year, the first from the first open on."""
    closes = growth.iloc[1:]
    last = closes.groupby(closes.index.str[:4]).last()
    return dict(last / last.shift(fill_value=1.0) - 1)


# ── returns beside the market's ──────────────────────────────────────────────────────────────────────────────────────

SPLITS = (("EEM", "2008-07-24", 3), ("AAPL", "2014-06-09", 7), ("AAPL", "2020-08-31", 4), ("USO", "2020-04-29", 1 / 8))
"""Of the recorded days: symbol, first day after it, new shares for one."""


def adjusted_closes(paths: Mapping[str, Path]) -> pd.DataFrame:
    """The closes of files of days, a column a symbol, those before a split divided by it."""
    closes = pd.DataFrame({symbol: closes_of(path).map(float) for symbol, path in paths.items()})
    for symbol, day, many in SPLITS:
        if symbol in closes:
            closes.loc[closes.index < day, symbol] /= many
    return closes


def betas_of(own: pd.Series, factors: pd.DataFrame) -> tuple[dict[str, float], float, int]:
    """The slopes of a series on one factor or two, their R², and the days: by variances and covariances."""
    known = factors.assign(own=own).dropna()
    cov, names = known.cov(), list(factors.columns)
    if len(names) == 1:
        betas = {names[0]: cov.loc["own", names[0]] / cov.loc[names[0], names[0]]}
    else:
        one, two = names
        spread = cov.loc[one, one] * cov.loc[two, two] - cov.loc[one, two] ** 2
        betas = {
            name: (cov.loc["own", name] * cov.loc[other, other] - cov.loc["own", other] * cov.loc[one, two]) / spread
            for name, other in ((one, two), (two, one))
        }
    explained = sum(beta * cov.loc["own", name] for name, beta in betas.items())
    return betas, explained / cov.loc["own", "own"], len(known)


def path_moves(
    days: pd.DataFrame, returns: pd.DataFrame, symbols: Iterable[str], index: str
) -> tuple[pd.DataFrame, dict[str, float]]:
    """The moves of each symbol on the days of a scenario, and the betas of those without all of them.

    A beta is by the slope of a line through all common days, a third of the way nearer to 1; without a column it is 1.
    """
    moves, betas = {}, {}
    for symbol in symbols:
        if symbol in days and days[symbol].notna().all():
            moves[symbol] = days[symbol]
            continue
        both = returns[[symbol, index]].dropna() if symbol in returns else pd.DataFrame()
        slope = both.corr().iloc[0, 1] * both[symbol].std() / both[index].std() if len(both) >= 60 else 1.0
        betas[symbol] = slope + (1 - slope) / 3
        moves[symbol] = days[index] * betas[symbol]
    return pd.DataFrame(moves), betas


def stressed_sigma(returns: pd.DataFrame, worth: pd.Series, goal: float, way: float, volatility: float) -> float:
    """The deviation of a day's profit, pair by pair, with correlations nearer to a goal and larger deviations."""
    correlations, sigmas = returns.corr(), returns.std() * volatility
    total = 0.0
    for one in returns:
        for other in returns:
            apart = correlations.loc[one, other]
            used = 1.0 if one == other else apart + way * (goal - apart)
            total += worth[one] * worth[other] * sigmas[one] * sigmas[other] * used
    return float(total**0.5)


def cents(amount: Decimal) -> str:
    return str(amount.quantize(Decimal("0.01"), ROUND_HALF_EVEN))
