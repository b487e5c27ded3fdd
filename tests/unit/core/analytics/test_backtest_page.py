"""The page of a backtest: charts that fit each screen, figures that follow from the run, text that does nothing."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from typing import Any

import pytest

from core.analytics.backtest_page import page
from core.analytics.charts import FIRST, chart, dollars, lines

COSTS = {
    "slippage": "0.0002",
    "slippage_by_size": "0.0008",
    "half_spread_ticks": "1",
    "fee_per_share": "0.01",
    "margin_interest": "0.12",
}
DAYS = ("2019-12-31", "2020-01-31", "2020-02-28", "2020-03-31")


def a_day(day: str, equity: float, drawdown: float = 0.0, held: float = 100.0) -> dict[str, Any]:
    return {"day": day, "equity": equity, "drawdown": drawdown, "exposure": equity / 2, "buy_and_hold": held}


def a_trade(profit: str | None, **fields: Any) -> dict[str, Any]:
    return {
        "symbol": "SPY",
        "entry_time": "2020-01-10T15:00:00Z",
        "entry_price": "10",
        "quantity": "1",
        "exit_time": "2020-01-20T15:00:00Z",
        "exit_price": "11",
        "exit_reason": "SIGNAL",
        "profit": profit,
        "slippage": "0",
        "fees": "0",
        "stop_price": "9",
        **fields,
    }


def an_order(quantity: str, price: str | None) -> dict[str, Any]:
    names = ("client_order_id", "symbol", "side", "type", "quantity", "status", "submitted_at")
    return {**dict.fromkeys(names, "x"), "filled_quantity": quantity, "average_price": price}


def a_result(equity: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    figures = {"first_equity": equity[0]["equity"], "last_equity": equity[-1]["equity"], "sessions": len(equity) - 1}
    return {
        "file": "SPY.csv", "symbol": "SPY", "strategy": "sma", "profile": "swing", "bars": 3, "timeframe": "1day",
        "quarantined": 0, "outside_session": 0, "missing": {"missing": 0}, "splits": [], "not_measured": [],
        "trials": 7, "modelled": {"at_derived_quotes": 0, "executions": 0, "decided_by_the_path": 0}, "open": [],
        "metrics": {**figures, "slippage": 0.0, "fees": 0.0, "margin_interest": 0.0},
        "equity": equity, "rolling": [], "reasons": {"sma": {"NO_SETUP": 3}}, "skipped": {}, "costs": COSTS,
        "prices": [{"time": f"{day}T14:30:00+00:00", "close": 10.0} for day in DAYS],
        "recent_prices": [{"time": f"{day}T14:30:00+00:00", "close": 10.0} for day in DAYS[1:]],
        "trades": [], "signals": [], "orders": [], **fields,
    }  # fmt: skip


FALLING = [
    a_day(DAYS[0], 100.0),
    a_day(DAYS[1], 110.0, 0.0, 120.0),
    a_day(DAYS[2], 99.0, 0.1, 90.0),
    a_day(DAYS[3], 99.0),
]


@pytest.fixture(scope="module")
def both() -> str:
    """The page of two results, one of them with trades, the other one with names that would do something."""
    hostile = {"file": '"><script>alert(1)</script>.csv', "symbol": "<b>$x$</b>"}
    return page([a_result(FALLING, **WITH_TRADES), a_result(FALLING, **hostile)])


WITH_TRADES = {"trades": [a_trade("5"), a_trade("-6")], "orders": [an_order("10", "50"), an_order("0", None)]}


def test_each_drawing_fits_one_screen(both: str) -> None:
    """AN-06: wide and narrow; no script, no address, and colours that the page sets"""
    figures = both.count("<figure")
    assert figures == 7 + 5
    assert both.count('<svg class="wide"') == both.count('<svg class="narrow"') == figures
    assert not [word for word in ("<script", "http", "#00000", "xlink") if word in both]


def test_no_two_charts_share_an_identifier(both: str) -> None:
    """AN-06: a hidden drawing would take the clip of a shown one"""
    names = re.findall(r'\bid="([^"]+)"', both)

    assert len(names) == len(set(names)) > 0
    assert {*re.findall(r'href="#([^"]+)"', both), *re.findall(r"url\(#([^)]+)\)", both)} <= set(names)


@pytest.mark.parametrize("values", [(199.7, 199.85, 199.95), (166.0, 166.6, 167.3), (0.0, 0.2, 0.9), (-3.0, 2e6, 0.0)])
def test_labels_have_every_digit_that_they_need(values: tuple[float, ...]) -> None:
    """AN-06: equal steps are equally far apart, also in quarters of a dollar"""
    days = [date(2020, 1, day) for day in (1, 2, 3)]
    text = chart("a", "A", "", lines(days, [("a", values, FIRST)], dollars), 1.7)

    for drawing in text.split("<svg ")[1:]:
        axis = drawing[drawing.index("matplotlib.axis_2") :]
        labels = [float(label.replace(",", "")) for label in re.findall(r">(-?[\d,]+\.?\d*)</text>", axis)]
        steps = {round(after - before, 9) for before, after in pairwise(labels)}
        assert len(labels) > 1
        assert len(steps) == 1
        assert steps != {0}


def test_months_and_years_are_compounded(both: str) -> None:
    """AN-04"""
    row = re.findall(r"<tr><th>2020</th>(.*?)</tr>", both)[0]
    cells = re.findall(r"<td[^>]*>(?:<b>)?([^<]+)", row)
    assert cells[:5] == ["-1.0", "0", "+10.0", "-10.0", "0"]
    assert set(cells[5:]) == {"–"}


def test_the_page_states_trials_and_the_benchmark(both: str) -> None:
    """AN-04: drawdowns of both; buy and hold went from 100 to 120, 90 and 100"""
    assert both.count("7 trials in sweeps") == len(re.findall("<figcaption>", both))
    assert "<td>2020-01-31</td><td>2020-02-28</td><td>–</td><td>10.00 %</td><td>2</td>" in both
    assert re.search(r"deepest drawdown</td><td>[^<]*</td><td>25\.00 %", both)


@pytest.fixture(scope="module")
def split() -> str:
    """The page of many trades over a split."""
    found = {"time": DAYS[1], "open": "10", "close_before": "20", "split": "2 for 1", "held_over": []}
    return page([a_result(FALLING, splits=[found], trades=[a_trade("5")] * 11)])


def test_many_trades_have_a_chart_of_the_newest(split: str) -> None:
    """AN-04"""
    assert "The last 10 of 11 trades" in split


def test_higher_costs_are_of_the_value_traded(both: str) -> None:
    """AN-04: 10 shares at 50 USD cost 0.50 USD more at 10 basis points"""
    assert "<tr><td>10 bp</td><td>0.50</td><td>-1.50</td></tr>" in both


def test_the_benchmark_is_left_out_over_a_split(split: str) -> None:
    """AN-04: its price is not that of one share"""
    assert split.count("<figure") == 3 + 3


@pytest.mark.parametrize(
    "equity",
    [
        [a_day(DAYS[0], 100.0)],
        [a_day(day, value) for day, value in zip(DAYS, (100.0, 0.0, -5.0, 1e12), strict=True)],
        [a_day(day, 0.0, 0.0, 0.0) for day in DAYS],
    ],
)
def test_odd_equity_has_a_page(equity: list[dict[str, Any]]) -> None:
    """AN-04: one close, nothing left, and more than there is"""
    trades = [a_trade("0"), a_trade(None, stop_price=None)]

    text = page([a_result(equity, trades=trades)])

    assert "nan" not in text.lower().replace("finance", "")


def test_a_hostile_name_is_text(both: str) -> None:
    """SY-06"""
    assert "&lt;script&gt;" in both
    assert "<b>$" not in both
