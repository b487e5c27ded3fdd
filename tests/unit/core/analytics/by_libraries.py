"""Works out the measures of docs/MEASURES.md by public libraries, and keeps them in kept/library_figures.json.

Run it in an environment of its own, from the root of the tree; none of these libraries is one of Keyturn's:

python3 -m venv ../libraries
../libraries/bin/pip install empyrical-reloaded==0.7.1 quantstats==0.0.86 ffn==1.4.1
PYTHONPATH=. ../libraries/bin/python tests/unit/core/analytics/by_libraries.py

Each library is asked with its own defaults, but for 252 sessions a year and windows of 63 where it asks. The two equity
series are those of docs/measures.py; no measure of ours has a part in it.
"""

from __future__ import annotations

import json
import math
from importlib.metadata import version

import empyrical  # type: ignore[import-not-found]
import ffn  # type: ignore[import-not-found]
import pandas as pd
import quantstats.stats as quantstats  # type: ignore[import-not-found]

from docs.measures import LIBRARIES, REQUIRED, RULES, equity_of, trades_of

Figures = dict[str, float | None]


def of_empyrical(equity: pd.Series, returns: pd.Series, _: pd.Series) -> Figures:
    rolled = empyrical.roll_sharpe_ratio(returns, 63)
    return {
        "total_return": empyrical.cum_returns_final(returns), "yearly_return": empyrical.annual_return(returns),
        "volatility": empyrical.annual_volatility(returns), "sharpe": empyrical.sharpe_ratio(returns),
        "sortino": empyrical.sortino_ratio(returns), "calmar": empyrical.calmar_ratio(returns),
        "omega": empyrical.omega_ratio(returns),
        "omega_5_percent": empyrical.omega_ratio(returns, required_return=REQUIRED),
        "max_drawdown": -empyrical.max_drawdown(returns), "rolling_sharpe_last": rolled.iloc[-1],
        "rolling_sharpe_min": rolled.min(), "rolling_sharpe_max": rolled.max(),
        "rolling_volatility_last": empyrical.roll_annual_volatility(returns, 63).iloc[-1],
        "rolling_max_drawdown": -empyrical.roll_max_drawdown(returns, 63).min(),
    }  # fmt: skip


def of_quantstats(equity: pd.Series, returns: pd.Series, trades: pd.Series) -> Figures:
    below = quantstats.drawdown_details(quantstats.to_drawdown_series(returns))
    rolled = quantstats.rolling_sharpe(returns, rolling_period=63)
    return {
        "total_return": quantstats.comp(returns), "yearly_return": quantstats.cagr(returns),
        "volatility": quantstats.volatility(returns), "sharpe": quantstats.sharpe(returns),
        "sortino": quantstats.sortino(returns), "calmar": quantstats.calmar(returns),
        "omega": quantstats.omega(returns), "omega_5_percent": quantstats.omega(returns, required_return=REQUIRED),
        "max_drawdown": -quantstats.max_drawdown(returns),
        "drawdown_length": below.loc[below["max drawdown"].idxmin(), "days"],
        "longest_under_water": below["days"].max(), "rolling_sharpe_last": rolled.iloc[-1],
        "rolling_sharpe_min": rolled.min(), "rolling_sharpe_max": rolled.max(),
        "rolling_volatility_last": quantstats.rolling_volatility(returns, rolling_period=63).iloc[-1],
        "win_rate_days": quantstats.win_rate(returns), "profit_factor_days": quantstats.profit_factor(returns),
        "win_rate": quantstats.win_rate(trades, prepare_returns=False),
        "profit_factor": quantstats.profit_factor(trades, prepare_returns=False),
        "expectancy": quantstats.avg_return(trades, prepare_returns=False),
    }  # fmt: skip


def of_ffn(equity: pd.Series, returns: pd.Series, _: pd.Series) -> Figures:
    below = ffn.drawdown_details(ffn.to_drawdown_series(equity)).astype({"Length": int, "drawdown": float})
    return {
        "total_return": ffn.calc_total_return(equity), "yearly_return": ffn.calc_cagr(equity),
        "volatility": ffn.calc_stats(equity, annualization_factor=252).stats["daily_vol"],
        "sharpe": ffn.calc_sharpe(returns, nperiods=252), "sortino": ffn.calc_sortino_ratio(returns, nperiods=252),
        "calmar": ffn.calc_calmar_ratio(equity), "max_drawdown": -ffn.calc_max_drawdown(equity),
        "drawdown_length": below.loc[below["drawdown"].idxmin(), "Length"],
        "longest_under_water": below["Length"].max(),
    }  # fmt: skip


BY = {"empyrical-reloaded": of_empyrical, "quantstats": of_quantstats, "ffn": of_ffn}


def kept(figures: Figures) -> Figures:
    """None for what is no number; infinite stays what it is."""
    plain = {key: None if value is None else float(value) for key, value in figures.items()}
    return {key: None if value is not None and math.isnan(value) else value for key, value in plain.items()}


if __name__ == "__main__":
    found: dict[str, dict[str, Figures]] = {}
    for rule in RULES:
        equity = equity_of(rule)
        returns, trades = equity.pct_change().iloc[1:], trades_of(rule)
        found[rule] = {name: kept(figures(equity, returns, trades)) for name, figures in BY.items()}
    worked_out_with = {name: version(name) for name in ("numpy", "pandas")}
    versions = {name: version(name) for name in BY}
    document = {"versions": versions, "worked_out_with": worked_out_with, "figures": found}
    LIBRARIES.write_text(json.dumps(document, indent=2) + "\n")
