"""The chart of the selected symbol: drawn again where a bar, a fill or a level changed, and nowhere else."""

from __future__ import annotations

import textwrap
from datetime import datetime

from core.model.bar import ONE_MINUTE
from core.model.values import Symbol
from core.views import ChartView
from widgets import format as f
from widgets.chart_picture import LEGEND, chart_lines
from widgets.edges import put_note, put_title
from widgets.lines import Cell, Lines, TextLine

CHOOSE = "No symbol is selected. A row of positions, orders, proposals or strategies chooses it."


class Chart(Lines):
    """Takes no keyboard: the selected row of another pane decides what it shows."""

    DEFAULT_CSS = """
    Chart {
        height: 1fr;
        border: solid $panel-lighten-2;
        border-title-color: $text-muted;
        border-subtitle-color: $text-muted;
    }
    """

    def __init__(self) -> None:
        super().__init__(id="chart")
        self._chart: ChartView | None = None
        self._symbol: Symbol | None = None
        self.border_title = "Chart"

    def show_chart(self, chart: ChartView | None, symbol: Symbol | None, now: datetime) -> None:
        """`symbol` is what was asked for; a chart of another one is not it yet."""
        chart = chart if chart is not None and chart.symbol == symbol else None
        is_same = symbol == self._symbol and (chart is self._chart or chart == self._chart)
        self._chart, self._symbol = chart, symbol
        self._say_title(now)
        if not is_same:
            self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _say_title(self, now: datetime) -> None:
        """Whose it is, and how old its last bar, where that is old."""
        title = f"Chart ─ {self._symbol}, minutes, {f.PLACE}, USD" if self._symbol else "Chart"
        if self._chart is not None and self._chart.bars:
            end = self._chart.bars[-1].start + ONE_MINUTE
            title += f", STALE {f.age(end, now)}" if now - end > f.STALE_AFTER else ""
        put_title(self, title)

    def _draw(self) -> None:
        put_note(self, LEGEND if self._chart is not None and self._chart.bars else "")
        self.show(self._lines_now())

    def _lines_now(self) -> list[TextLine]:
        width, height = self.content_size
        if self._chart is not None and self._chart.bars:
            return chart_lines(self._chart, width, height)
        return [(Cell(line, "empty"),) for line in textwrap.wrap(self._why_empty(), max(10, width))]

    def _why_empty(self) -> str:
        if self._symbol is None:
            return CHOOSE
        if self._chart is None:
            return f"Waiting for the bars of {self._symbol}…"
        return f"No bars of {self._symbol} yet. The first complete minute appears here."
