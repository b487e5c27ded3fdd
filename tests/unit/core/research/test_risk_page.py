"""The HTML page of risk: every scenario and estimate is in it, and what is not included is named first (AN-02)."""

from __future__ import annotations

import re

import pytest

from core.research.portfolio_risk.page import page
from core.research.portfolio_risk.report import RiskReport
from core.research.portfolio_risk.report_text import usd
from tests.unit.core.research.test_risk_report import a_report


@pytest.fixture(scope="module")
def report() -> RiskReport:
    return a_report(("SPY", "10", "400"), ("IBM", "-123456.789", "98765.4321"), ("XYZ", "7", "12"))


@pytest.fixture(scope="module")
def text(report: RiskReport) -> str:
    return page(report, "book.csv")


def cells(text: str) -> list[list[str]]:
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", text)
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows]


def test_every_scenario_is_a_row_and_a_bar(report: RiskReport, text: str) -> None:
    """AN-02: bars have the colour of their sign"""
    known = [each for each in report.scenarios if each.profit is not None]
    drawing = re.findall(r'<svg class="wide".*?</svg>', text, re.DOTALL)[0]

    names = {each.name for each in report.scenarios}
    rows = [row[:2] for row in cells(text) if len(row) == 6 and row[0] in names]
    assert rows == [[each.name, "–" if each.profit is None else usd(each.profit)] for each in report.scenarios]
    losses = sum(each.profit is not None and each.profit < 0 for each in known)
    assert len(re.findall(r"fill: var\(--loss\)", drawing)) == losses
    assert len(re.findall(r"fill: var\(--gain\)", drawing)) == len(known) - losses


def test_every_estimate_is_in_the_table(report: RiskReport, text: str) -> None:
    """AN-02"""
    found = [cell for row in cells(text) for cell in row]

    for each in report.estimates:
        assert usd(each.var) in found
        assert usd(each.shortfall) in found


def test_a_position_without_a_history_is_named(text: str) -> None:
    """AN-02: before any figure, whether it is moved by its beta or not included"""
    without = page(a_report(("SPY", "10", "400"), ("XYZ", "7", None)), "book.csv")

    for each, words in ((text, "MOVED BY BETA: XYZ"), (without, "NOT INCLUDED: 7 XYZ")):
        assert f"<strong>{words}" in each
        assert each.index(words) < each.index("<table")


def test_each_day_of_a_path_is_in_the_page(report: RiskReport, text: str) -> None:
    """AN-02: with the lowest point and the end"""
    rows = {row[0]: row for row in cells(text) if len(row) == 13}

    for each in (each for each in report.scenarios if each.path):
        amounts = [usd(day.profit) for day in each.path]
        assert rows[each.name][1 : 1 + len(amounts)] == amounts
        assert rows[each.name][-1] == usd(each.path[-1].total)


def test_the_page_loads_nothing(report: RiskReport) -> None:
    """AN-02: and a source from outside is text"""
    text = page(report, "<img src=x>")

    assert not re.findall(r"<script|<img|src=|url\(http|@import", text.replace("&lt;img src=x", ""))


def test_one_position_has_no_matrix() -> None:
    """AN-02"""
    assert "<h3>Correlations</h3>" not in page(a_report(("SPY", "10", "400")), "book.csv")
