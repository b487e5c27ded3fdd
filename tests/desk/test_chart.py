"""The chart beside the panes: whose it is, what it shows, and that it stands still while nothing changes."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from rich.cells import cell_len
from syrupy.assertion import SnapshotAssertion
from textual.app import ComposeResult
from textual.geometry import Region

from core.market.calendar import load_calendar
from core.model.account import Mode
from core.model.order import StopKnown
from core.model.session import HOME
from core.model.values import Price, Quantity, Symbol
from core.trading_state.state import TradingState
from core.views import ChartBar, ChartView
from core.views.builders.symbols import Charts
from core.views.results import day_of, hours_of
from state.journal import MemoryJournal
from tests.desk.desk_house import SPY, market
from tests.desk.still_house import StillHouse, a_chart, a_held_chart, a_position, a_view, open_still
from tests.kit.rows import each
from tests.kit.styled import StyledApp
from widgets.chart import Chart, Levels, Look, chart_lines, levels_of
from widgets.chart_scales import DAY, PriceScale, Window, average, behind, bollinger, candles_of, curves, nice
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


PRICES = ("open", "high", "low", "close", "reference")


class OneChart(StyledApp):
    CSS = "Chart { width: 80; height: 24; }"

    def __init__(self) -> None:
        super().__init__()
        self.chart = CountingChart()

    def compose(self) -> ComposeResult:
        yield self.chart


def test_axis_prices_align_on_the_point() -> None:
    lines = texts(a_held_chart())

    edge = [line for line in lines[1:-1] if PRICE.search(line)]

    assert len(edge) >= 6
    assert {len(line) for line in edge} == {78}
    assert [next(line for line in edge if word in line) for word in ("entry", "stop", "close", "VWAP")]


def test_a_session_chart_draws_all_its_parts(snapshot: SnapshotAssertion) -> None:
    lines = texts(a_held_chart(), 98)

    assert lines[0] == snapshot
    assert lines[-1].startswith("09:30") and "10:30" in lines[-1]  # noqa: PT018
    entry, stop = (next(line for line in lines[1:] if word in line) for word in ("entry", "stop"))
    assert "──" in entry and "B" in entry  # noqa: PT018
    assert "stop  ↓" in stop
    near = replace(a_held_chart(), stops=(a_held_chart().bars[60].low,))
    assert any("╌╌" in line and "stop   " in line for line in texts(near, 98)[1:])
    assert sum("S" in line[:80] for line in lines[1:-1]) == 1
    assert any("\u2800" < sign <= "\u28ff" for line in lines for sign in line)


def test_a_tiny_chart_shows_figures(snapshot: SnapshotAssertion) -> None:
    assert texts(a_held_chart(), 24, 5) == snapshot


def test_a_price_that_never_moved_has_a_chart() -> None:
    bar = a_chart(minutes=1).bars[0]
    flat = replace(bar, open=bar.close, high=bar.close, low=bar.close, reference=bar.close)

    assert len(texts(a_chart(bars=(flat,)))) == 24


@each(("step", "rounded"), [("0.003", "0.01"), ("0.011", "0.02"), ("0.3", "0.5"), ("7", "10")])
def test_scales_step_in_ones_twos_and_fives(step: str, rounded: str) -> None:
    assert nice(Decimal(step), Decimal("0.01")) == Decimal(rounded)


def test_the_axis_spans_high_and_low() -> None:
    scale = PriceScale.of([Decimal("494.5"), Decimal("499")], 20)

    assert (scale.dot_of(scale.high), scale.dot_of(scale.low)) == (0, 79)
    assert scale.low <= Decimal("494.5") < Decimal(499) <= scale.high
    assert all(scale.low <= label <= scale.high for label in scale.labels())


def test_the_window_moves_by_a_quarter() -> None:
    """Nothing moves that did not change"""
    windows = [Window.of(count, 60, None) for count in (1, 60, 61, 75, 76)]

    assert [window.first for window in windows] == [0, 0, 15, 15, 30]
    assert windows[-1].end == 76
    assert Window.of(76, 60, 3).first == 0


def test_five_minute_bars_are_aggregated() -> None:
    """MD-06"""
    minutes = a_chart(minutes=13).bars

    whole, _, forming = candles_of(minutes, 5)

    assert (whole.open, whole.close, whole.vwap) == (minutes[0].open, minutes[4].close, minutes[4].reference)
    assert (whole.high, whole.low) == (max(b.high for b in minutes[:5]), min(b.low for b in minutes[:5]))
    assert whole.volume == sum(b.volume for b in minutes[:5]) > 0
    assert (whole.forms, forming.forms) == (False, True)
    assert not candles_of(minutes[:10], 5)[-1].forms
    assert [candle.volume for candle in candles_of(minutes, 1)] == [bar.volume for bar in minutes]


def a_chart_with_days(minutes: int = 60) -> ChartView:
    """Forty weekdays before it, each a dollar above the one before."""
    today = a_chart(minutes=minutes)
    first, volume = datetime(2025, 11, 10, 5, tzinfo=UTC), Quantity(Decimal(1000))

    def price(above: int) -> Price:
        return Price(Decimal(450 + above))

    days = (first + timedelta(days=number) for number in range(56))
    made = [
        ChartBar(day, price(number), price(number + 2), price(number - 1), price(number + 1), None, volume)
        for number, day in enumerate(day for day in days if day.weekday() < 5)
    ]
    hours = tuple(replace(bar, start=bar.start + timedelta(hours=9)) for bar in made[-3:])
    return replace(today, days=tuple(made), hours=hours)


def test_daily_bars_include_today() -> None:
    """MD-06"""
    chart = a_chart_with_days()

    candles = candles_of(chart.bars, DAY, behind(chart, DAY))

    assert len(candles) == len(chart.days) + 1
    assert [candle.close for candle in candles[:-1]] == [bar.close for bar in chart.days]
    today = candles[-1]
    assert (today.open, today.close) == (chart.bars[0].open, chart.bars[-1].close)
    assert today.high == max(bar.high for bar in chart.bars)
    assert today.volume == sum(bar.volume for bar in chart.bars)
    assert today.forms
    assert not any(candle.forms for candle in candles[:-1])


def test_the_time_axis_has_dates(snapshot: SnapshotAssertion) -> None:
    days = [joined(line) for line in chart_lines(a_chart_with_days(), 100, 20, Look(DAY))]
    hours = [joined(line) for line in chart_lines(a_chart_with_days(), 100, 20, Look(60))]

    assert days[-1] == snapshot
    assert "VWAP" in days[0]
    assert hours[-1].startswith("31 Dec")
    assert "09:" not in days[-1] + hours[-1]


def test_before_the_open_days_are_drawn(snapshot: SnapshotAssertion) -> None:
    chart = replace(a_chart_with_days(), bars=())

    lines = [joined(line) for line in chart_lines(chart, 100, 20, Look(DAY))]

    assert len(lines) == 20
    assert lines[0] == snapshot


def test_averages_need_a_full_window() -> None:
    """The bands of 1, 3, 5, 7: mean 4, and twice the root of 5"""
    closes = [Decimal(close) for close in (1, 3, 5, 7)]

    upper, lower = bollinger(closes, 4, 2)

    assert average(closes, 2) == (None, Decimal(2), Decimal(4), Decimal(6))
    assert (upper[:3], lower[:3]) == ((None,) * 3, (None,) * 3)
    assert (upper[3], lower[3]) == (4 + 2 * Decimal(5).sqrt(), 4 - 2 * Decimal(5).sqrt())
    assert curves(candles_of(a_chart(minutes=19).bars, 1), "averages") == (
        ("av20", (None,) * 19),
        ("av50", (None,) * 19),
    )


def test_up_and_down_differ_without_colour() -> None:
    bar = a_chart(minutes=1).bars[0]
    low, high = Price(bar.close - 1), Price(bar.close + 1)
    up, down, still = (
        "".join(
            joined(line)
            for line in chart_lines(
                a_chart(bars=(replace(bar, open=first, close=then, high=high, low=low),)), 78, 24, Look(overlay="none")
            )
        )
        for first, then in ((low, high), (high, low), (bar.close, bar.close))
    )

    assert "▌" in up and "█" not in up  # noqa: PT018
    assert "█" in down and "▌" not in down  # noqa: PT018
    assert any(sign in still for sign in "▘▖▌")


def test_last_price_and_close_are_both_named(snapshot: SnapshotAssertion) -> None:
    """Its last price is the pane's last price"""
    chart = a_held_chart()
    close = chart.bars[-1].close
    other = Levels(last=Price(Decimal("497.11")), stops=(Price(Decimal("495.50")),), targets=(Price(Decimal(499)),))

    lines = [joined(line) for line in chart_lines(chart, 100, 30, Look(), other)]
    same = [joined(line) for line in chart_lines(chart, 100, 30, Look(), Levels(last=close))]

    assert lines[0] == snapshot
    assert any(line.endswith("last   497.11") for line in lines)
    assert any(line.endswith("close  497.53") for line in lines)
    assert any(line.endswith("target 499.00") and "┄" in line for line in lines)
    assert any(line.endswith("stop   495.50") and "╌" in line for line in lines)
    assert same[0].startswith("last 497.53   VWAP")
    assert not any("close" in line for line in same)


@each("overlay", ["VWAP", "averages", "Bollinger", "volume", "none"])
@each("is_line", [True, False])
@each("minutes", [1, 5, 15, 60, 1440])
def test_every_overlay_fills_its_pane(overlay: str, is_line: bool, minutes: int) -> None:
    begins = {60: "09:00", 1440: "2026"}.get(minutes, "09:")
    chart = a_chart(minutes=389)
    for size in ((78, 7), (118, 40)):
        look = Look(minutes, is_line, overlay, chart.bars[3].start)
        lines = [joined(line) for line in chart_lines(chart, *size, look)]
        assert len(lines) == size[1]
        assert max(map(cell_len, lines)) <= size[0]
        assert begins in lines[0][:20]


async def test_chart_keys_act_on_the_chart_only() -> None:
    """OP-04, MD-06"""
    positions = (a_position("SPY"),)
    async with open_still(a_view(positions=positions, chart=a_held_chart()), (80, 24)) as house:
        for size in ((80, 24), (120, 40), (200, 60)):
            await house.pilot.resize_terminal(*size)
            await house.press("2", "9")
            await house.until(lambda: house.shows("9 Chart ─ SPY, 1 min", "< shorter", "i overlay"))
            assert house.desk.focused is house.desk.board.chart
            await house.until(lambda: house.handle.watched == [SPY])
            sent = list(house.handle.commands)
            if size == (80, 24):
                await turns_the_chart(house)
                assert list(house.handle.commands) == sent


async def turns_the_chart(house: StillHouse) -> None:
    await house.press(">", "l", "i", "left")
    await house.until(lambda: house.shows("9 Chart ─ SPY, 5 min", "line: close   averages", "10:40", "open 497.49"))
    await house.press(">", ">")
    await house.until(lambda: house.shows("9 Chart ─ SPY, 1 hour", "earlier days are not here yet"))
    await house.press("<", "<", "left", "right", "right", "escape", "escape", "<", "l")
    await house.until(lambda: house.shows("9 Chart ─ SPY, 1 min", "▌ up  █ down"))
    assert house.desk.board.chart.look.cross is None
    assert house.desk.focused is house.desk.board.chart
    assert len(house.desk.screen_stack) == 1


async def test_a_new_bar_redraws_only_its_cells() -> None:
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


async def test_the_selected_row_picks_the_chart() -> None:
    positions = (a_position("SPY"), a_position("IBM"), a_position("AIG"))
    async with open_still(a_view(positions=positions, chart=a_chart("IBM")), WIDE) as house:
        assert house.handle.watched == [SPY]
        await house.sees("Chart ─ SPY", "Waiting for the bars of SPY…")

        await house.press("2", "down")
        await house.until(lambda: house.handle.watched == [SPY, "IBM"])
        await house.until(lambda: house.shows("Chart ─ IBM", "▌ up  █ down   VWAP", "09:30"))
        await house.press("6")
        await house.wait(0.25)
        assert house.handle.watched[-1] == "IBM"

        await house.press("2", "down")
        await house.until(lambda: house.shows("Chart ─ AIG", "Waiting for the bars of AIG…"))
        await house.shows_next(chart=ChartView(Symbol("AIG"), (), (), (), ()))
        await house.sees("No bars of AIG yet. The first complete minute appears here.")


async def test_without_a_chart_none_is_requested() -> None:
    async with open_still(a_view(), (120, 40)) as house:
        assert house.handle.watched == []

        await house.pilot.resize_terminal(*WIDE)
        await house.until(lambda: house.handle.watched == [SPY])
        await house.pilot.resize_terminal(120, 40)
        await house.until(lambda: house.handle.watched == [SPY, None])
        assert not house.shows("Chart ─")


async def test_without_rows_the_chart_says_so() -> None:
    async with open_still(a_view(proposals=(), strategies=(), symbols=()), WIDE) as house:
        await house.sees("No symbol is selected. A row of positions, orders, proposals")
        assert house.handle.watched == []


def test_penny_prices_have_four_places(snapshot: SnapshotAssertion) -> None:
    """MD-06: as the panes beside it have them, on one decimal point."""
    dollars = a_held_chart()
    bars = tuple(replace(bar, **{name: Price(getattr(bar, name) / 1000) for name in PRICES}) for bar in dollars.bars)
    chart = replace(dollars, bars=bars, entries=(Price(Decimal("0.49621")),), stops=(Price(Decimal("0.4947")),))
    levels = Levels(last=Price(Decimal("0.49705")), targets=(Price(Decimal("1.02")),))

    lines = [joined(line).rstrip() for line in chart_lines(replace(chart, fills=()), 100, 30, Look(), levels)]

    assert lines[0] == snapshot
    edges = {found[1]: line for line in lines[1:-1] if (found := re.search(r" (\w+)[ ↑↓]+[\d.]+$", line))}
    assert edges["last"].endswith("last   0.4971")
    assert edges["target"].endswith("target↑1.02")
    assert len({line.rindex(".") for line in edges.values()}) == 1


def test_each_positions_entry_and_stop_are_drawn(snapshot: SnapshotAssertion) -> None:
    """MD-06: two strategies hold it."""
    chart = replace(
        a_held_chart(),
        entries=(Price(Decimal("496.21")), Price(Decimal("497.02"))),
        stops=(Price(Decimal("494.72")), Price(Decimal("495.50"))),
    )

    lines = texts(chart, 118, 40)

    assert lines[0] == snapshot
    edges = [line.rstrip() for line in lines[1:]]
    places = [
        next(number for number, line in enumerate(edges) if line.endswith(edge))
        for edge in ("entry  497.02", "entry  496.21", "stop   495.50", "stop  ↓494.72")
    ]
    assert places == sorted(places)


def test_the_scale_is_that_of_the_bars() -> None:
    """MD-06: a stop or a target far away squeezes no candle; both are marks at the edge, the outer one outside.

    A stop that trails has its sign of Positions.
    """
    plain, far = a_chart(minutes=75), (Price(Decimal("420.00")), Price(Decimal("640.00")))
    trail = a_position(stop_price=far[0], stop_known=StopKnown.PASSED)
    levels = levels_of(a_view(positions=(trail,)), SPY)
    levels = replace(levels, last=None, targets=(Price(Decimal("600.00")), far[1]))
    held = replace(plain, stops=(far[0],))
    alone, with_levels = texts(plain, 98), [joined(line) for line in chart_lines(held, 98, 24, Look(), levels)]

    assert [line[:70] for line in alone[1:]] == [line[:70] for line in with_levels[1:]]
    edges = [line.rstrip()[-13:].lstrip() for line in with_levels[1:]]
    assert (edges[0], edges[1]) == ("target↑640.00", "target↑600.00")
    assert "stop≥ ↓420.00" in edges[-5:]
    assert "stop ≥420.00" in with_levels[0]


def test_every_timeframe_has_its_days_vwap() -> None:
    """MD-06: of each day behind the session, by hours as by days"""
    bars = market()[1]
    hours, day = hours_of(bars), day_of(HOME.start_of(HOME.day_of(bars[0].start)), bars)
    volume = sum(bar.volume for bar in bars)
    vwap = sum((bar.high + bar.low + bar.close) * bar.volume for bar in bars) / (3 * volume)
    assert day is not None
    assert day.reference == hours[-1].reference == vwap.quantize(Decimal("0.0001"))
    assert len({hour.reference for hour in hours}) == len(hours)
    again = hours_of([*bars, *(replace(bar, start=bar.start + timedelta(days=1)) for bar in bars)])
    assert [hour.reference for hour in again] == [hour.reference for hour in hours] * 2


def test_a_view_has_each_entry_and_stop() -> None:
    """MD-06: those of one price once, and none of another symbol."""
    calendar = load_calendar(date(2026, 1, 5), date(2026, 1, 9))
    charts, stop = Charts(TradingState("still", Mode.PAPER, calendar, MemoryJournal())), Price(Decimal("166.26"))
    paid = [Price(Decimal(price)) for price in ("166.76", "167.02")]
    held = (
        a_position("SPY", average_price=paid[0], stop_price=stop),
        a_position("IBM"),
        a_position("SPY", average_price=paid[1], stop_price=stop),
        a_position("SPY", average_price=paid[1], stop_price=None),
    )

    drawn = charts.draw(SPY, datetime(2026, 1, 6, 16, tzinfo=UTC), held)

    assert drawn is not None
    assert (drawn.entries, drawn.stops) == (tuple(paid), (stop,))


def test_a_view_has_all_levels_of_its_symbol() -> None:
    """MD-06"""
    near, far = (Price(Decimal(price)) for price in ("495.50", "494.00"))
    held = (a_position("SPY", nearer_stops=(near,)), a_position("IBM"), a_position("SPY", nearer_stops=(far,)))

    assert levels_of(a_view(positions=held), SPY).stops == (near, far)
