"""Fills the tables of docs/MEASURES.md: our measures of SPY from 2008 on, beside those that public libraries work out.

.venv/bin/python docs/measures.py          writes the page
.venv/bin/python docs/measures.py --check  exits 1 where the page is not what it would write

Ours are worked out here, by `core.analytics` alone. The libraries' are kept figures, and none of them is installed:
`tests/unit/core/analytics/by_libraries.py` makes them, and says how.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pandas as pd

from core.analytics.metrics import (
    SESSIONS_A_YEAR,
    metrics,
    omega,
    profit_factor,
    returns_of,
    rolling,
    win_rate,
)
from core.analytics.windows import DayOfEquity
from docs.pages import Tables, filled, table, written

PAGE = Path(__file__).resolve().with_name("MEASURES.md")
KEPT = Path(__file__).resolve().parents[1] / "tests" / "unit" / "core" / "analytics" / "kept"
CLOSES = KEPT / "SPY_closes_2008_on.csv"
LIBRARIES = KEPT / "library_figures.json"

FIRST_EQUITY = 100_000.0
AVERAGED = 200
"""Closes in the average of the rule that has one."""
REQUIRED = 0.05
"""A year: what the second Omega asks for."""

RULES = ("buy and hold", "SMA 200")
ABSENT = "–"
"""A figure that cannot be worked out, or that a library has not got."""
Figures = Mapping[str, float | None]
"""By measure; None where it cannot be worked out, or where a library has no such measure."""

ROWS: tuple[tuple[str, str, str], ...] = (
    ("total_return", "total return", "percent"),
    ("yearly_return", "return a year", "percent"),
    ("volatility", "volatility a year", "percent"),
    ("sharpe", "Sharpe", "ratio"),
    ("sortino", "Sortino", "ratio"),
    ("calmar", "Calmar", "ratio"),
    ("omega", "Omega, over 0", "ratio"),
    ("omega_5_percent", "Omega, over 5 % a year", "ratio"),
    ("max_drawdown", "deepest drawdown", "percent"),
    ("drawdown_length", "length of that drawdown, sessions", "count"),
    ("longest_under_water", "longest under water, sessions", "count"),
    ("rolling_sharpe_last", "Sharpe of 63 sessions, the last", "ratio"),
    ("rolling_sharpe_min", "… the lowest", "ratio"),
    ("rolling_sharpe_max", "… the highest", "ratio"),
    ("rolling_volatility_last", "volatility of 63 sessions, the last", "percent"),
    ("rolling_max_drawdown", "deepest drawdown within 63 sessions", "percent"),
    ("win_rate_days", "win rate of days", "percent"),
    ("profit_factor_days", "profit factor of days", "ratio"),
    ("trades", "trades", "count"),
    ("win_rate", "win rate of trades", "percent"),
    ("profit_factor", "profit factor of trades", "ratio"),
    ("expectancy", "expectancy of a trade, USD", "money"),
)
"""Of each measure: its key, what the page calls it, and how it is written."""

CALENDAR_YEARS = (
    "years of 365.25 days between the two dates; ours have 252 sessions. The 3,334 returns are 13.23 of these years, "
    "and 13.24 of the calendar's"
)
DAYS_BELOW = "calendar days, from the first close below the peak to the last one, both counted"
DAYS_TO_THE_END = "calendar days, from the first close below the peak to the first that is not"
DIFFERENCES: Mapping[tuple[str, str], str] = {
    ("yearly_return", "ffn"): CALENDAR_YEARS,
    ("calmar", "ffn"): "uses that return a year",
    ("drawdown_length", "quantstats"): f"{DAYS_BELOW}; ours begins at the peak and ends when it is made good",
    ("drawdown_length", "ffn"): f"{DAYS_TO_THE_END}; ours begins at the peak",
    ("longest_under_water", "quantstats"): DAYS_BELOW,
    ("longest_under_water", "ffn"): f"{DAYS_TO_THE_END}; ours ends with the last below it",
    ("win_rate_days", "quantstats"): "leaves out days without a change, and so all in cash",
    ("profit_factor", "quantstats"): "infinite where nothing was lost; ours is a dash",
}
"""By measure and library, why its figure is not ours. It may be ours where the cause is absent."""


def closes() -> pd.Series:
    """Of SPY, USD, by day."""
    frame = pd.read_csv(CLOSES, comment="#", parse_dates=["date"], index_col="date")
    return frame["close"].astype(float)


def held_of(rule: str, prices: pd.Series) -> pd.Series:
    """The days whose return, from the close before, the rule earns. On the others it is in cash, at no interest."""
    if rule == "buy and hold":
        return pd.Series(True, index=prices.index)
    return (prices > prices.rolling(AVERAGED).mean()).shift(fill_value=False)


@cache
def equity_of(rule: str) -> pd.Series:
    """USD at each close. Trades cost nothing, and are made at the close that asks for them."""
    prices = closes()
    grown = (prices / prices.shift(fill_value=prices.iloc[0])).where(held_of(rule, prices), 1.0)
    return FIRST_EQUITY * grown.cumprod()


def trades_of(rule: str) -> pd.Series:
    """The profit of each time in the market, USD; the last one counts up to the last close."""
    held = held_of(rule, closes())
    number = (held & ~held.shift(fill_value=False)).cumsum()
    made = equity_of(rule).diff()[held]
    return made.groupby(number[held]).sum()


@cache
def ours(rule: str) -> Figures:
    equity, trades = equity_of(rule), trades_of(rule)
    returns, windows = returns_of(equity), rolling(equity)
    told = metrics([DayOfEquity(day, each) for day, each in equity.items()], list(trades))
    return {
        **{key: told[key] for key, _, _ in ROWS if key in told},
        "volatility": float(returns.std()) * math.sqrt(SESSIONS_A_YEAR),
        "omega_5_percent": omega(returns, (1 + REQUIRED) ** (1 / SESSIONS_A_YEAR) - 1),
        "drawdown_length": told["drawdown_sessions"],
        "rolling_sharpe_last": windows["sharpe"].iloc[-1],
        "rolling_sharpe_min": windows["sharpe"].min(),
        "rolling_sharpe_max": windows["sharpe"].max(),
        "rolling_volatility_last": windows["volatility"].iloc[-1],
        "rolling_max_drawdown": windows["max_drawdown"].max(),
        "win_rate_days": win_rate(returns),
        "profit_factor_days": profit_factor(returns),
    }


@cache
def libraries() -> dict[str, str]:
    """Name and version, in the order of the columns."""
    return dict(json.loads(LIBRARIES.read_text())["versions"])


@cache
def theirs(rule: str, library: str) -> Figures:
    return dict(json.loads(LIBRARIES.read_text())["figures"][rule][library])


def notes() -> dict[tuple[str, str], str]:
    """The sign under which each difference is explained: a, b, …"""
    return {key: chr(ord("a") + number) for number, key in enumerate(DIFFERENCES)}


def figures() -> str:
    """Return ours for both rules, the libraries that agree, and the figures of those that do not, with their note."""
    head = ("measure", *RULES, "the same", "different")
    return table(head, [(name, *_ours(key, kind), *_beside(key, kind)) for key, name, kind in ROWS])


def differences() -> str:
    names = {key: name.lstrip("… ") for key, name, _ in ROWS}
    rows = [(note, names[key], library, DIFFERENCES[key, library]) for (key, library), note in notes().items()]
    return table(("", "measure", "library", "what it does instead"), rows)


def versions() -> str:
    """Return one line: each library with its version."""
    return f"{', '.join(f'{name} {version}' for name, version in libraries().items())}\n"


def _ours(key: str, kind: str) -> list[str]:
    return [_told(ours(rule)[key], kind) for rule in RULES]


def _beside(key: str, kind: str) -> tuple[str, str]:
    same, different = [], []
    for library in libraries():
        told = [_told(theirs(rule, library).get(key), kind) for rule in RULES]
        if told == _ours(key, kind):
            same.append(library)
        elif set(told) != {ABSENT}:
            different.append(f"{library} {', '.join(told)} ({notes()[key, library]})")
    return ("all" if len(same) == len(libraries()) else ", ".join(same), "; ".join(different))


def _told(value: float | None, kind: str) -> str:
    if value is None:
        return ABSENT
    if value == float("inf"):
        return "infinite"
    match kind:
        case "percent":
            return f"{value * 100:.4f} %"
        case "ratio":
            return f"{value:.6f}"
        case "money":
            return f"{value:,.2f}"
        case _:
            return f"{value:,.0f}"


TABLES: Tables = {
    "spy": figures,
    "versions": versions,
    "differences": differences,
}


def page(text: str) -> str:
    return filled(text, TABLES)


if __name__ == "__main__":
    sys.exit(written(PAGE, page))
