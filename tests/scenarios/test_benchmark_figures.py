"""Every figure of buy and hold on a backtest's page, in its tables and in its JSON, beside the same by pandas."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.data import days_of, minutes_of
from tests.scenarios.backtests import keyturn_at
from tests.scenarios.figures_oracle import figures_of, held_over, years_of

PERCENT = ("total return", "return a year", "deepest drawdown")
COUNT = ("drawdown length", "longest under water")
SMA, VWAP = ("--strategy", "sma"), ("--strategy", "vwap")
SWING = ("--profile", "swing")


@dataclass(frozen=True)
class Played:
    """A backtest's page, JSON and table of equity, and its file."""

    bars: Path
    page: str
    json: Any
    table: pd.DataFrame

    def cells_after(self, head: str) -> list[list[str]]:
        """The cells of the rows of the table whose first line has this cell, without those of that line."""
        table = next(each for each in re.findall(r"<table.*?</table>", self.page, re.S) if f"<th>{head}</th>" in each)
        rows = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in re.findall(r"<tr.*?</tr>", table)[1:]]
        return [[unescape(re.sub("<[^>]+>", "", cell)) for cell in row] for row in rows]


def played(folder: Path, bars: Path, *words: str) -> Played:
    keyturn, page, tables = keyturn_at(folder / "home"), folder / "page.html", folder / "tables"
    answer = keyturn("backtest", bars, *words, "--json", "--html", page, "--csv", tables)
    assert answer.code == 0, answer.err
    return Played(bars, page.read_text(), answer.json, pd.read_csv(tables / "equity.csv"))


def as_printed(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    if name in PERCENT:
        return f"{value * 100:.2f} %"
    return f"{value:,.0f}" if name in COUNT else f"{value:.2f}"


def signed(value: float) -> str:
    shown = round(value * 100, 1)
    return f"{shown:+.1f}" if shown else "0"


def quarter_of_minutes(path: Path) -> Path:
    """Eighty days of SPY as a few minutes each, with others before the open and after the close.

    The half day is one of them, one day has no bar near its close, and one has none.
    """
    days = pd.read_csv(days_of("SPY"), dtype=str)
    days = days[days["date"] >= "2008-10-01"].head(80)
    lines = ["timestamp,open,high,low,close,volume"]
    for number, row in enumerate(days.itertuples()):
        if number == 20:
            continue
        last = "12:59" if row.date in ("2008-11-28", "2008-12-24") else "14:10" if number == 40 else "15:59"
        flat, top = ",".join([row.close] * 4), max(float(row.open), float(row.close))
        low = min(float(row.open), float(row.close))
        minutes = {
            "08:03": ",".join([f"{float(row.open) * 0.97:.2f}"] * 4),
            "09:30": f"{row.open},{top},{low},{row.close}",
            last: flat,
            "16:21" if last == "15:59" else "14:25": ",".join([f"{float(row.close) * 1.03:.2f}"] * 4),
        }
        for clock, figures in minutes.items():
            at = pd.Timestamp(f"{row.date} {clock}", tz="America/New_York").tz_convert("UTC")
            lines.append(f"{at:%Y-%m-%dT%H:%M:%SZ},{figures},1000000")
    path.write_text("\n".join(lines) + "\n")
    return path


def days_with_holes(path: Path) -> Path:
    """The days of SPY in 2009, every ninth left out."""
    header, *lines = days_of("SPY").read_text().splitlines()
    year = [line for line in lines if line.startswith("2009")]
    path.write_text("\n".join([header, *(line for number, line in enumerate(year) if number % 9 != 4)]) + "\n")
    return path


CASES = {
    "days of SPY, 200 USD": lambda folder: (days_of("SPY"), SMA),
    "days of IBM, 100,000 USD": lambda folder: (days_of("IBM"), (*SMA, *SWING)),
    "days of QQQ": lambda folder: (days_of("QQQ"), SMA),
    "days with holes": lambda folder: (days_with_holes(folder / "SPY_days.csv"), SMA),
    "minutes of SPY": lambda folder: (minutes_of("SPY"), VWAP),
    "minutes of AIG": lambda folder: (minutes_of("AIG"), VWAP),
    "a quarter of minutes": lambda folder: (quarter_of_minutes(folder / "SPY_minutes.csv"), VWAP),
}


@pytest.fixture(scope="module", params=CASES)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("run")
    bars, words = CASES[request.param](folder)
    return played(folder, bars, *words)


def growth_by_pandas(run: Played) -> pd.Series:
    """With a row for each of the run's days; a session without a bar has the close before."""
    growth = held_over(run.bars)
    days = ["start", *(row["day"] for row in run.json["equity"][1:])]
    assert set(growth.index) <= set(days)
    return growth.reindex(days).ffill()


def test_the_value_of_each_close_is_that_of_pandas(run: Played) -> None:
    """AN-01, AN-04: of the same close as the equity beside it, to a millionth of a dollar"""
    growth = growth_by_pandas(run)
    start = run.json["equity"][0]["equity"]

    assert [row["buy_and_hold"] for row in run.json["equity"]] == pytest.approx(list(growth * start), abs=1e-6)
    assert list(run.table["buy_and_hold"]) == [row["buy_and_hold"] for row in run.json["equity"]]


def test_each_figure_in_the_table_is_that_of_pandas(run: Played) -> None:
    """AN-01, AN-04: total, a year, ratios, drawdown and its length, as they are printed"""
    found = {name: held for name, _, held in run.cells_after("buy and hold")}

    assert found == {name: as_printed(name, value) for name, value in figures_of(growth_by_pandas(run)).items()}


def test_each_year_is_that_of_pandas(run: Played) -> None:
    """AN-04: none for less than two months"""
    growth = growth_by_pandas(run)
    if "buy, hold" not in run.page:
        assert len({day[:7] for day in growth.index[1:]}) < 2
        return

    assert {row[0]: row[2] for row in run.cells_after("buy, hold")} == {
        year: signed(value) for year, value in years_of(growth).items()
    }


def test_each_month_of_the_strategy_is_that_of_pandas(run: Played) -> None:
    """AN-04: and the year beside them, to the places that the table has"""
    worth = pd.Series({row["day"]: row["equity"] for row in run.json["equity"]})
    ends = pd.concat([worth.iloc[:1], worth.iloc[1:].groupby(worth.index[1:].str[:7]).last()])
    if len(ends) < 3:
        assert "buy, hold" not in run.page
        return
    months = (ends / ends.shift() - 1).iloc[1:]
    years = years_of(worth / worth.iloc[0])
    table = {row[0]: row[1:] for row in run.cells_after("buy, hold")}

    places = max(len(cell.partition(".")[2]) for whole, _, *cells in table.values() for cell in (whole, *cells))
    assert set(table) == set(years)
    for year, (whole, _, *cells) in table.items():
        expected = {0: years[year]} | {int(month[5:]): value for month, value in months.items() if month[:4] == year}
        printed = {number: cell for number, cell in enumerate([whole, *cells]) if cell != "–"}
        assert set(printed) == set(expected)
        for number, cell in printed.items():
            assert abs(float(cell) - expected[number] * 100) <= 0.5001 * 10**-places, (year, number)


def test_the_scale_of_equal_volatility_is_that_of_pandas(run: Played) -> None:
    """AN-04"""
    growth, equity = growth_by_pandas(run), pd.Series([row["equity"] for row in run.json["equity"]])
    deviations = [series.reset_index(drop=True).pct_change().std() for series in (equity, growth)]
    found = re.search(r"daily returns of buy and hold times ([0-9.e-]+)", run.page)

    if not deviations[0]:
        assert found is None
        return
    assert found is not None
    assert found[1] == f"{deviations[0] / deviations[1]:.3g}"


def test_the_figures_of_spy_are_the_known_ones() -> None:
    """AN-01: from 2008-01-02 to 2021-03-31, by hand from the file's first open and last closes of years"""
    growth = held_over(days_of("SPY"))

    assert f"{figures_of(growth)['total return']:.4f}" == "1.7048"
    assert signed(years_of(growth)["2009"]) == "+23.4"
    assert figures_of(growth)["drawdown length"] == 1186


def test_a_file_with_a_split_has_no_comparison(tmp_path: Path) -> None:
    """AN-04: AAPL's seven for one of 2014 and four for one of 2020"""
    run = played(tmp_path, days_of("AAPL"), *SMA)

    assert len(run.json["splits"]) == 2
    assert "<th>buy and hold</th>" not in run.page
    assert "<th>buy, hold</th>" not in run.page


def test_the_figures_of_the_strategy_agree_with_its_equity(run: Played) -> None:
    """AN-01: the same oracle over the account's own closes, on the page and in the JSON"""
    worth = pd.Series({row["day"]: row["equity"] for row in run.json["equity"]})
    figures = figures_of(worth / worth.iloc[0])
    printed = {name: strategy for name, strategy, _ in run.cells_after("buy and hold")}

    if not any(later != before for before, later in pairwise(worth)):
        assert run.json["metrics"]["total_return"] == 0
        return
    assert printed == {name: as_printed(name, value) for name, value in figures.items()}
