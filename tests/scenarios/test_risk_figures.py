"""Betas, fits and correlations beside the market, as `keyturn risk` shows them, beside the same by pandas (AN-02)."""

from __future__ import annotations

from pathlib import Path
from statistics import NormalDist
from typing import Any

import pandas as pd
import pytest

from tests.data import MARKET, days_of
from tests.scenarios.backtests import keyturn_at
from tests.scenarios.figures_oracle import adjusted_closes, betas_of, closes_of, path_moves, stressed_sigma

BOOK = {
    "SPY": (100, 400.0),
    "QQQ": (-20, 320.0),
    "IWM": (15, 220.0),
    "IBM": (40, 133.0),
    "BAC": (-200, 38.0),
    "EEM": (-300, 50.0),
    "AAPL": (60, 122.0),
    "USO": (30, 40.0),
    "XYZ": (25, 80.0),
}
"""The last has no file."""
OWN = [symbol for symbol in BOOK if symbol != "XYZ"]
SHOCKS = {
    "SPY -7 %": {"SPY": -0.07},
    "VIX to 40": {"VIX": 40 - 19.40},
    "SPY -7 %, oil +20 %": {"SPY": -0.07, "USO": 0.2},
}
"""The moves of each; the VIX closed at 19.40."""
INDEX = "SPY"
STRESSES = {
    "correlated as in a crisis": (0.9, 1, 3.2),
    "correlated as in a correction": (0.9, 0.5, 2.2),
    "uncorrelated in a crisis": (0, 1, 3.2),
}
"""Correlation, part of the way to it, factor of the deviations."""
CORRELATED = 500
"""Returns of a correlation."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, str]:
    """The report as JSON, and as it is printed."""
    folder = tmp_path_factory.mktemp("risk")
    book = folder / "book.csv"
    rows = (f"{symbol},{quantity},{price:g}" for symbol, (quantity, price) in BOOK.items())
    book.write_text("\n".join(("symbol,quantity,price", *rows)) + "\n")
    shocks = [word for shock in SHOCKS for word in ("--shock", shock)]
    words = ("risk", "--history", MARKET, "--positions", book, *shocks)
    keyturn = keyturn_at(folder / "home")
    return keyturn(*words, "--json").json, keyturn(*words).out


@pytest.fixture(scope="module")
def returns() -> pd.DataFrame:
    """Of each symbol by day, and the change of the VIX in points."""
    closes = adjusted_closes({symbol: days_of(symbol) for symbol in OWN})
    vix = closes_of(Path(MARKET) / "VIX_daily_2008_on.csv").map(float)
    return closes.pct_change(fill_method=None).assign(VIX=vix.reindex(closes.index).diff())


@pytest.mark.parametrize("shock", SHOCKS)
def test_each_beta_is_that_of_pandas(found: tuple[Any, str], returns: pd.DataFrame, shock: str) -> None:
    """AN-02: with its fit and days, the move and the profit of each position, and their sum"""
    report, moves = found[0], SHOCKS[shock]
    scenario = next(each for each in report["scenarios"] if each["name"] == f"shock {shock}")
    parts = {part["symbol"]: part for part in scenario["parts"]}
    total = 0.0
    assert set(parts) == set(BOOK)

    for symbol, (quantity, price) in BOOK.items():
        move, part = moves.get(symbol), parts[symbol]
        if symbol == "XYZ":
            assert part["proxy_beta"] == 1
            move = parts["SPY"]["move"]
        elif move is None:
            betas, fit, days = betas_of(returns[symbol], returns[list(moves)])
            move = sum(beta * moves[name] for name, beta in betas.items())
            assert part["betas"] == pytest.approx(betas, abs=6e-7)
            assert (part["r_squared"], part["days"]) == (pytest.approx(fit, abs=6e-7), days)
        assert part["move"] == pytest.approx(move, abs=6e-7)
        assert part["profit"] == pytest.approx(quantity * price * move, abs=0.006)
        total += quantity * price * move
    assert scenario["profit"] == pytest.approx(total, abs=0.006)


def test_each_correlation_is_that_of_pandas(found: tuple[Any, str], returns: pd.DataFrame) -> None:
    """AN-02: in the JSON and as it is printed"""
    report, text = found
    by_pandas = returns[OWN].dropna().tail(CORRELATED).corr()
    rows = {row["symbol"]: row for row in report["correlations"]}
    head = next(line for line in text.splitlines() if line.startswith("Correlation "))
    names = head.split()[1:]

    for one in OWN:
        for other in OWN:
            assert rows[one][other] == pytest.approx(by_pandas.loc[one, other], abs=6e-7)
    printed = text[text.index(head) :].splitlines()[1 : len(BOOK) + 1]
    by_pandas = by_pandas.assign(XYZ=by_pandas["SPY"])  # it has the returns of SPY
    by_pandas.loc["XYZ"] = by_pandas.loc["SPY"]
    for number, line in enumerate(printed):
        one, *cells = line.split()
        assert cells == [f"{by_pandas.loc[one, other]:.2f}" for other in names[: number + 1]]


@pytest.mark.parametrize(
    ("name", "month"), [("October 2008", "2008-10"), ("August 2015", "2015-08"), ("March 2020", "2020-03")]
)
def test_each_path_is_that_of_pandas(found: tuple[Any, str], returns: pd.DataFrame, name: str, month: str) -> None:
    """AN-02: of all begins the one with the lowest point; each day, and the betas of what has no file of the days"""
    scenario = next(each for each in found[0]["scenarios"] if each["name"] == name)
    days = returns[returns.index.str.startswith(month)]
    moves, betas = path_moves(days, returns, BOOK, INDEX)
    worth = pd.Series({symbol: quantity * price for symbol, (quantity, price) in BOOK.items()})
    paths = [((1 + moves.iloc[begin : begin + 10]).cumprod() - 1).mul(worth).sum(axis=1) for begin in range(len(days))]
    totals = min(paths, key=lambda path: path.min())

    assert [day["day"] for day in scenario["path"]] == list(totals.index)
    assert [day["total"] for day in scenario["path"]] == pytest.approx(totals.tolist(), abs=0.006)
    by_day = totals.diff().fillna(totals)
    assert [day["profit"] for day in scenario["path"]] == pytest.approx(by_day.tolist(), abs=0.006)
    assert (scenario["profit"], scenario["last"]) == (pytest.approx(totals.min(), abs=0.006), totals.idxmin())
    assert scenario["end"] == pytest.approx(totals.iloc[-1], abs=0.006)
    proxies = {part["symbol"]: part["proxy_beta"] for part in scenario["parts"] if part["proxy_beta"] is not None}
    assert proxies == pytest.approx(betas, abs=6e-7)


def test_each_stress_is_that_of_pandas(found: tuple[Any, str], returns: pd.DataFrame) -> None:
    """AN-02: the last 500 days with other correlations and deviations, pair by pair"""
    recent = returns[OWN].dropna().assign(XYZ=returns[INDEX]).tail(CORRELATED)
    worth = pd.Series({symbol: quantity * price for symbol, (quantity, price) in BOOK.items()})
    stresses = {row["name"]: row for row in found[0]["correlation_stress"]}
    terms = {"as recorded": (0, 0, 1), **STRESSES}
    assert stresses.keys() == terms.keys()

    for name, (goal, way, volatility) in terms.items():
        sigma, mean = stressed_sigma(recent, worth, goal, way, volatility), float(recent.mean() @ worth)
        for percent in (95, 99):
            z = NormalDist().inv_cdf(percent / 100)
            tail = NormalDist().pdf(z) / (1 - percent / 100)
            assert stresses[name][f"var_{percent}"] == pytest.approx(z * sigma - mean, abs=0.006)
            assert stresses[name][f"es_{percent}"] == pytest.approx(tail * sigma - mean, abs=0.006)
