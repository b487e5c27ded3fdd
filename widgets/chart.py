"""The chart of the selected symbol: drawn again where a bar, a fill or a level changed, and nowhere else."""

from __future__ import annotations

from core.model.values import Symbol
from core.views import ChartView
from widgets.chart_picture import LEGEND, chart_lines
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

    def show_chart(self, chart: ChartView | None, symbol: Symbol | None) -> None:
        """`symbol` is what was asked for; a chart of another one is not it yet."""
        chart = chart if chart is not None and chart.symbol == symbol else None
        if symbol == self._symbol and (chart is self._chart or chart == self._chart):
            return
        self._chart, self._symbol = chart, symbol
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        title = f"Chart ─ {self._symbol}, minutes, New York, USD" if self._symbol else "Chart"
        if self.border_title != title:
            self.border_title = title
        legend = LEGEND if self._chart is not None and self._chart.bars else ""
        if (self.border_subtitle or "") != legend:
            self.border_subtitle = legend
        self.show(self._lines_now())

    def _lines_now(self) -> list[TextLine]:
        width, height = self.content_size
        if self._symbol is None:
            return [(Cell(CHOOSE, "empty"),)]
        if self._chart is None:
            return [(Cell(f"Waiting for the bars of {self._symbol}…", "empty"),)]
        if not self._chart.bars:
            return [(Cell(f"No bars of {self._symbol} yet. The first complete minute appears here.", "empty"),)]
        return chart_lines(self._chart, width, height)
