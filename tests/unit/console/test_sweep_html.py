"""The HTML page of a sweep: its map, its tables and its charts follow from the runs; names from outside are text."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from console.commands.shared import PICTURE, checked_page
from console.commands.sweep_html import SweptBars, map_picture, page
from console.commands.sweep_page import figure_of
from core.ports import OperatorError
from core.research.sweeps.report import SweepReport
from tests.kit.rows import table
from tests.unit.console.test_sweep_page import a_report

BARS = SweptBars("SPY_daily.csv", "with frictions")


@pytest.fixture(scope="module")
def report() -> SweepReport:
    return a_report(7, 7)


@pytest.fixture(scope="module")
def text(report: SweepReport) -> str:
    return page(report, BARS)


def figure(text: str, title: str, size: str) -> str:
    """One drawing of a chart."""
    chart = next(each for each in re.findall(r"<figure>.*?</figure>", text, re.DOTALL) if title in each)
    return next(each for each in re.findall(r"<svg.*?</svg>", chart, re.DOTALL) if f'class="{size}"' in each)


def test_every_cell_of_the_map_has_its_figure(report: SweepReport, text: str) -> None:
    """AN-05: on a wide screen; the frame is around the best run"""
    assert report.map is not None
    drawing = figure(text, "Sharpe ratio a day: entry", "wide")

    figures = [figure_of(cell, "daily") for row in report.map.cells for cell in row if cell is not None]
    drawn = re.findall(r">(-?\d\.\d{3})</text>", drawing.replace("\N{MINUS SIGN}", "-"))
    assert drawn == figures
    assert len(re.findall(r"stroke: var\(--ink\); stroke-width: 2", drawing)) == 1


def test_gains_and_losses_have_their_colours(report: SweepReport, text: str) -> None:
    """AN-05: a cell for each figure, one colour on each side of zero"""
    assert report.map is not None
    cells = [cell for row in report.map.cells for cell in row if cell is not None]
    drawing = figure(text, "Sharpe ratio a day: entry", "wide")

    for name, many in (("gain", sum(c >= 0 for c in cells)), ("loss", sum(c < 0 for c in cells))):
        assert len(re.findall(rf"fill: var\(--{name}\)", drawing)) == many


def test_a_narrow_map_has_no_figures(text: str) -> None:
    """AN-05: seven of them do not fit beside each other in 400 pixels"""
    assert not re.findall(r">-?\d\.\d{3}</text>", figure(text, "Sharpe ratio a day: entry", "narrow"))


def test_every_chart_states_its_data_and_trials(report: SweepReport, text: str) -> None:
    """AN-05"""
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", text)

    assert len(captions) == len(re.findall("<figure>", text)) == 4
    days = next(iter(report.outcome.runs.values())).trading_days
    for caption in captions:
        for part in ("SPY_daily.csv", str(days[0]), str(days[-1]), "with frictions", f"{report.trials} trials"):
            assert part in caption


def test_the_table_has_the_best_runs_first(report: SweepReport, text: str) -> None:
    """AN-05"""
    head, *rows = re.findall(r"<tr>(.*?)</tr>", text[text.index("The best 49 of 49 runs") :])
    first = re.findall(r"<td[^>]*>(.*?)</td>", rows[0])

    assert first[0] == " ".join(report.outcome.space.labels(report.order[0]))
    assert "entry stop" in head


def test_the_map_is_a_picture_that_may_be_overwritten(report: SweepReport, tmp_path: Path) -> None:
    """AN-05: equal bytes each time; a PNG of somebody else is kept"""
    drawn, path = map_picture(report, BARS), tmp_path / "map.png"
    assert drawn is not None
    assert drawn == map_picture(report, BARS)
    assert int.from_bytes(drawn[16:20]) == 1353

    path.write_bytes(drawn)
    checked_page(path, "--png", PICTURE)
    path.write_bytes(drawn.replace(b"Keyturn", b"Another"))
    with pytest.raises(OperatorError):
        checked_page(path, "--png", PICTURE)
    assert map_picture(replace(report, best=None), BARS) is None


@table("rows, columns", (3, 0), (2, 60))
def test_every_size_of_space_has_a_page(rows: int, columns: int) -> None:
    """AN-05: without scripts, and without anything that is loaded"""
    text = page(a_report(rows, columns), BARS)

    assert not re.findall(r"<script|src=|url\(http|@import", text)
    names = re.findall(r'\bid="([^"]+)"', text)
    assert len(names) == len(set(names))


def test_a_hostile_name_is_text() -> None:
    """AN-05, OP-11: a file name and a strategy come from outside"""
    report = a_report(2, 2)
    outcome = replace(report.outcome, strategy="<script>alert(1)</script>")
    text = page(replace(report, outcome=outcome), SweptBars("<img src=x>.csv", "with frictions"))

    assert "<script>" not in text
    assert "<img" not in text


def test_a_sweep_without_a_figure_names_its_rejections(report: SweepReport) -> None:
    """AN-05: the page is written, and says what was wrong"""
    text = page(replace(report, best=None), BARS)

    assert "one exceeds the other" in text
    assert "<figure>" not in text
