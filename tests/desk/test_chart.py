"""The chart beside the panes: whose it is, what it shows, and that it stands still while nothing changes."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.geometry import Region

from core.model.values import Price, Symbol
from core.views import ChartView
from tests.desk.desk_house import SPY, in_one_process, open_desk
from tests.desk.still_house import a_chart, a_held_chart, a_position, a_view, open_still
from widgets.chart import Chart
from widgets.chart_picture import chart_lines
from widgets.chart_scale import PriceScale, TimeScale, nice
from widgets.lines import joined

WIDE = (200, 60)
PRICE = re.compile(r"\d+\.\d\d$")


def texts(chart: ChartView, width: int = 78, height: int = 24) -> list[str]:
    return [joined(line) for line in chart_lines(chart, width, height)]


NOW = datetime(2026, 1, 5, 15, 31, tzinfo=UTC)


class CountingChart(Chart):
    """Remembers what it asked to be drawn again."""

    def __init__(self) -> None:
        self.refreshed: list[Region] = []
        self.full_refreshes = 0
        super().__init__()

    def refresh(self, *regions: Region, **terms: Any) -> CountingChart:
        self.refreshed += regions
        self.full_refreshes += not regions
        return super().refresh(*regions, **terms)


class OneChart(App[None]):
    CSS = "Chart { width: 80; height: 24; }"

    def __init__(self) -> None:
        super().__init__()
        self.chart = CountingChart()

    def compose(self) -> ComposeResult:
        yield self.chart


def test_every_price_at_the_edge_stands_on_one_decimal_point() -> None:
    lines = texts(a_held_chart())

    edge = [line for line in lines[1:-1] if PRICE.search(line)]

    assert len(edge) >= 6
    assert {len(line) for line in edge} == {78}
    assert [next(line for line in edge if word in line)[-12:-8].strip() for word in ("entry", "stop", "last", "VWAP")]


def test_a_session_shows_its_line_vwap_entry_stop_and_fills_and_new_yorks_times() -> None:
    lines = texts(a_held_chart())

    assert lines[0].startswith("last 497.53 at 10:44   VWAP 497.57   entry 496.21   stop 494.72")
    assert lines[-1].startswith("09:30") and "10:30" in lines[-1]  # noqa: PT018
    entry, stop = (next(line for line in lines[1:] if word in line) for word in ("entry", "stop"))
    assert "──" in entry and "B" in entry  # noqa: PT018
    assert "╌╌" in stop
    assert sum("S" in line[:60] for line in lines[1:-1]) == 1
    assert any("\u2800" < sign <= "\u28ff" for line in lines for sign in line)


@pytest.mark.parametrize("minutes", [1, 2, 30, 156, 380])
@pytest.mark.parametrize("size", [(58, 15), (78, 24), (118, 40)])
def test_a_chart_fills_its_pane_and_no_more(minutes: int, size: tuple[int, int]) -> None:
    lines = texts(a_chart(minutes=minutes), *size)

    assert len(lines) == size[1]
    assert all(cell_len(line) <= size[0] for line in lines)


def test_a_pane_too_small_for_a_chart_says_the_figures() -> None:
    assert texts(a_held_chart(), 24, 5) == ["last 497.53 at 10:44", "VWAP 497.57", "entry 496.21", "stop 494.72"]


def test_a_price_that_never_moved_has_a_chart() -> None:
    bar = a_chart(minutes=1).bars[0]
    flat = replace(bar, open=bar.close, high=bar.close, low=bar.close, reference=bar.close)

    assert len(texts(a_chart(bars=(flat,)))) == 24


@pytest.mark.parametrize(("step", "rounded"), [("0.003", "0.01"), ("0.011", "0.02"), ("0.3", "0.5"), ("7", "10")])
def test_scales_step_in_ones_twos_and_fives(step: str, rounded: str) -> None:
    assert nice(Decimal(step), Decimal("0.01")) == Decimal(rounded)


def test_the_highest_price_stands_at_the_head_and_the_lowest_at_the_foot() -> None:
    scale = PriceScale.of([Decimal("494.5"), Decimal("499")], 20)

    assert (scale.dot_of(scale.high), scale.dot_of(scale.low)) == (0, 79)
    assert scale.low <= Decimal("494.5") < Decimal(499) <= scale.high
    assert all(scale.low <= label <= scale.high for label in scale.labels())


def test_time_is_scaled_anew_only_where_it_must_be() -> None:
    """Nothing moves that did not change"""
    starts = [bar.start for bar in a_chart(minutes=380).bars]

    scales = [TimeScale.of(starts[:count], 60) for count in (1, 60, 120, 121, 240)]

    assert [scale.minutes for scale in scales] == [1, 1, 1, 2, 2]
    assert len({scale.dot_of(starts[40]) for scale in scales[:3]}) == 1


async def test_the_same_chart_again_draws_nothing_and_a_new_bar_only_what_it_changes() -> None:
    app = OneChart()
    async with app.run_test(size=(80, 24)) as pilot:
        before, after = a_chart(minutes=60), a_chart(minutes=61)
        app.chart.show_chart(before, SPY, NOW)
        await pilot.pause()
        app.chart.refreshed.clear()
        app.chart.full_refreshes = 0

        app.chart.show_chart(a_chart(minutes=60), SPY, NOW)
        await pilot.pause()
        assert (app.chart.refreshed, app.chart.full_refreshes) == ([], 0)

        app.chart.show_chart(after, SPY, NOW)
        await pilot.pause()
        assert app.chart.full_refreshes == 0
        assert 0 < sum(region.width for region in app.chart.refreshed) < 200


async def test_the_selected_row_decides_whose_chart_it_is() -> None:
    positions = (a_position("SPY"), a_position("IBM"), a_position("AIG"))
    async with open_still(a_view(positions=positions, chart=a_chart("IBM")), WIDE) as house:
        assert house.handle.watched == [SPY]
        await house.sees("Chart ─ SPY", "Waiting for the bars of SPY…")

        await house.press("2", "down")
        await house.until(lambda: house.handle.watched == [SPY, "IBM"])
        await house.until(lambda: house.shows("Chart ─ IBM", "line: close   dots: VWAP", "09:30"))
        await house.press("6")
        await house.wait(0.25)
        assert house.handle.watched[-1] == "IBM"

        await house.press("2", "down")
        await house.until(lambda: house.shows("Chart ─ AIG", "Waiting for the bars of AIG…"))
        await house.shows_next(chart=ChartView(Symbol("AIG"), (), None, None, ()))
        await house.sees("No bars of AIG yet. The first complete minute appears here.")


async def test_where_no_chart_is_on_the_screen_none_is_asked_for() -> None:
    async with open_still(a_view(), (120, 40)) as house:
        assert house.handle.watched == []

        await house.pilot.resize_terminal(*WIDE)
        await house.until(lambda: house.handle.watched == [SPY])
        await house.pilot.resize_terminal(120, 40)
        await house.until(lambda: house.handle.watched == [SPY, None])
        assert not house.shows("Chart")


@in_one_process
async def test_the_engine_of_the_real_desk_hears_which_symbol_is_watched() -> None:
    async with open_desk(WIDE) as house:
        await house.until(lambda: house.runtime._pictures is not None and house.runtime._pictures.watched == SPY)


async def test_a_desk_without_any_row_says_what_would_choose_a_symbol() -> None:
    async with open_still(a_view(proposals=(), strategies=(), symbols=()), WIDE) as house:
        await house.sees("No symbol is selected. A row of positions, orders, proposals")
        assert house.handle.watched == []


def test_below_a_dollar_prices_have_four_places() -> None:
    bars = tuple(
        replace(bar, close=Price((bar.close / 1000).quantize(Decimal("0.0001"))), reference=None)
        for bar in a_chart(minutes=30).bars
    )

    assert any(re.search(r"0\.\d{4}$", line) for line in texts(a_chart(bars=bars))[1:-1])
