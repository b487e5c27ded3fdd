"""The chart of the selected symbol. It redraws only where a bar, a price, a fill or a level changed.

Its keys change only how the chart is drawn; they affect no order, no proposal and no row of another pane.
"""

from __future__ import annotations

import textwrap
from dataclasses import replace
from datetime import datetime

from core.model.bar import ONE_MINUTE
from core.model.order import Effect, OrderType
from core.model.values import Symbol
from core.views import ChartView, DeskView
from widgets import format as f
from widgets.chart_bars import DAY, HOUR, OVERLAYS, TIMEFRAMES, Candle, behind, candles_of
from widgets.chart_picture import NO_LEVELS, Levels, Look, chart_lines, under_cross
from widgets.edges import put_note, put_title
from widgets.lines import Cell, Lines, TextLine

CHOOSE = "No symbol is selected. A row of positions, orders, proposals or strategies chooses it."
TIMEFRAME_NAMES = {1: "1 min", 5: "5 min", 15: "15 min", HOUR: "1 hour", DAY: "1 day"}


EDGES = 6
"""Cells of the lower edge of the frame that never hold text."""


class Chart(Lines, can_focus=True):
    """Chart of the symbol selected in the focused pane, or in the last focused pane while the chart has the focus."""

    NUMBER = 9
    NAME = "Chart"

    def __init__(self) -> None:
        super().__init__(id="chart")
        self.look = Look()
        self._chart: ChartView | None = None
        self._symbol: Symbol | None = None
        self._levels = Levels()
        self._now: datetime | None = None
        self.border_title = f"{self.NUMBER} {self.NAME}"

    def show_chart(
        self, chart: ChartView | None, symbol: Symbol | None, now: datetime, levels: Levels = NO_LEVELS
    ) -> None:
        """Show the chart of `symbol`; `chart` is ignored while it is of another symbol."""
        chart = chart if chart is not None and chart.symbol == symbol else None
        is_same = symbol == self._symbol and levels == self._levels and (chart is self._chart or chart == self._chart)
        if symbol != self._symbol:
            self.look = replace(self.look, cross=None)
        self._chart, self._symbol, self._levels, self._now = chart, symbol, levels, now
        self._say_title(now)
        if not is_same:
            self._draw()

    def on_resize(self) -> None:
        self._draw()

    # ── its keys ─────────────────────────────────────────────────────────────────────────────────────────────────

    def action_timeframe(self, steps: int) -> None:
        place = TIMEFRAMES.index(self.look.minutes) + steps
        self._change(replace(self.look, minutes=TIMEFRAMES[max(0, min(len(TIMEFRAMES) - 1, place))]))

    def action_style(self) -> None:
        self._change(replace(self.look, is_line=not self.look.is_line))

    def action_overlay(self) -> None:
        following = OVERLAYS[(OVERLAYS.index(self.look.overlay) + 1) % len(OVERLAYS)]
        self._change(replace(self.look, overlay=following))

    def action_cross(self, steps: int) -> None:
        """Move the crosshair; the first press selects the newest bar. It stays on its bar when new bars arrive."""
        candles = self._candles()
        if not candles:
            return
        under = under_cross(candles, self.look.cross)
        place = len(candles) - 1 if under is None else max(0, min(len(candles) - 1, under + steps))
        self._change(replace(self.look, cross=candles[place].start))

    def action_clear_cross(self) -> None:
        self._change(replace(self.look, cross=None))

    def _change(self, look: Look) -> None:
        self.look = look
        if self._now is not None:
            self._say_title(self._now)
        self._draw()

    # ── what it shows ────────────────────────────────────────────────────────────────────────────────────────────

    def _say_title(self, now: datetime) -> None:
        """Write the symbol, and the age of the last bar if it is old."""
        title = f"{self.NUMBER} {self.NAME}"
        if self._symbol:
            title += f" ─ {self._symbol}, {TIMEFRAME_NAMES[self.look.minutes]}, {f.PLACE}, USD"
        if self._chart is not None and self._chart.bars:
            end = self._chart.bars[-1].start + ONE_MINUTE
            title += f", STALE {f.age(end, now)}" if now - end > f.STALE_AFTER else ""
        put_title(self, title)

    def _draw(self) -> None:
        put_note(self, self._legend() if self._has_bars() else "")
        self.show(self._lines_now())

    def _legend(self) -> str:
        closes = "line: close" if self.look.is_line else "▌ up  █ down"
        overlay = "" if self.look.overlay == "none" else f"   {self.look.overlay}"
        lacks = self._chart is not None and self.look.minutes >= HOUR and not behind(self._chart, self.look.minutes)
        first = "earlier days are not here yet   " if lacks else ""
        whole = f"{first}{closes}{overlay}   B bought  S sold"
        shorter = (whole, f"{first}{closes}   B bought  S sold", f"{first}{closes}", first.strip() or closes)
        room = self.outer_size.width - EDGES
        return next((text for text in shorter if len(text) <= room), "")

    def _has_bars(self) -> bool:
        return self._chart is not None and bool(self._chart.bars or behind(self._chart, self.look.minutes))

    def _candles(self) -> tuple[Candle, ...]:
        """Return the candles of the chosen timeframe."""
        if self._chart is None:
            return ()
        return candles_of(self._chart.bars, self.look.minutes, behind(self._chart, self.look.minutes))

    def _lines_now(self) -> list[TextLine]:
        width, height = self.content_size
        if self._chart is not None and self._has_bars():
            return chart_lines(self._chart, width, height, self.look, self._levels)
        return [(Cell(line, "empty"),) for line in textwrap.wrap(self._why_empty(), max(10, width))]

    def _why_empty(self) -> str:
        if self._symbol is None:
            return CHOOSE
        if self._chart is None:
            return f"Waiting for the bars of {self._symbol}…"
        elsewhere = " Longer timeframes show the days before." if self._chart.days else ""
        return f"No bars of {self._symbol} yet. The first complete minute appears here.{elsewhere}"


def levels_of(view: DeskView, symbol: Symbol | None) -> Levels:
    """Collect the levels of the symbol from the rows of the other panes, which share its last price."""
    held = [row for row in view.positions if row.symbol == symbol]
    lasts = [row.last for row in held]
    lasts += [row.last for row in view.watch.rows if row.symbol == symbol]
    lasts += [row.last for row in view.symbols if row.symbol == symbol]
    targets = tuple(
        row.limit_price
        for row in view.orders
        if row.symbol == symbol
        and row.ended_at is None
        and row.type is OrderType.LIMIT
        and row.effect in (Effect.REDUCE, Effect.CLOSE)
        and row.limit_price is not None
    )
    last = next((last for last in lasts if last is not None), None)
    return Levels(last, tuple(stop for row in held for stop in row.nearer_stops), targets)
