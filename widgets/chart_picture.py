"""A session as lines of text: closes as a line, VWAP as dots, entry and stop as levels, fills as letters.

Braille cells of two by four dots; every meaning has a shape of its own, so that it needs no colour.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import groupby

from core.model.instrument import STOCK_TICKS
from core.model.order import Side
from core.views import ChartView
from widgets import format as f
from widgets.chart_scale import DOTS_ACROSS, DOTS_DOWN, PriceScale, TimeScale
from widgets.grid_picture import Cell, Tone
from widgets.lines import TextLine

BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
BRAILLE = 0x2800
NAMES = 5
"""Cells for the word before a price at the edge: entry, stop, last, VWAP."""
LEGEND = "line: close   dots: VWAP   B bought   S sold"
LEAST = 6
"""Lines below which there is no chart, only its figures."""


class Canvas:
    """Cells of a character and a tone; dots are collected, and written where nothing else stands."""

    def __init__(self, cells: int, lines: int) -> None:
        self.cells = cells
        self.lines = lines
        self._texts = [[Cell(" ")] * cells for _ in range(lines)]
        self._dots: dict[tuple[int, int], tuple[int, Tone]] = {}

    def level(self, line: int, sign: str, tone: Tone) -> None:
        self._texts[line] = [Cell(sign, tone)] * self.cells

    def dot(self, x: int, y: int, tone: Tone = "") -> None:
        """The tone of a cell is that of its last dot."""
        place = (y // DOTS_DOWN, x // DOTS_ACROSS)
        bits, _ = self._dots.get(place, (0, tone))
        self._dots[place] = (bits | BITS[y % DOTS_DOWN][x % DOTS_ACROSS], tone)

    def stroke(self, x: int, first: int, last: int) -> None:
        """A vertical one, both ends included."""
        for y in range(min(first, last), max(first, last) + 1):
            self.dot(x, y)

    def letter(self, x: int, y: int, letter: str, tone: Tone) -> None:
        line, cell = y // DOTS_DOWN, x // DOTS_ACROSS
        self._dots.pop((line, cell), None)
        self._texts[line][cell] = Cell(letter, tone)

    def text(self, line: int) -> TextLine:
        """Cells of one tone together."""
        row = list(self._texts[line])
        for (y, x), (bits, tone) in self._dots.items():
            if y == line:
                row[x] = Cell(chr(BRAILLE | bits), tone)
        return tuple(
            Cell("".join(cell.text for cell in cells), tone) for tone, cells in groupby(row, lambda cell: cell.tone)
        )


def chart_lines(chart: ChartView, width: int, height: int) -> list[TextLine]:
    """Exactly `height` lines, `width` cells wide: figures, the plot with its prices, the times."""
    edge = _Edge(chart)
    cells, lines = width - edge.width - 1, height - 2
    if lines < LEAST or cells < 2 * edge.width:
        said: list[TextLine] = [(Cell(text),) for text in figures(chart)]
        return said[:height]
    prices = PriceScale.of(_prices(chart), lines)
    times = TimeScale.of((bar.start for bar in chart.bars), cells)
    canvas = _drawn(chart, prices, times, cells)
    labels = edge.labels(chart, prices)
    plot = [(*canvas.text(line), Cell(" "), labels.get(line, Cell(""))) for line in range(lines)]
    return [_head(chart, width), *plot, _foot(times)]


def figures(chart: ChartView) -> list[str]:
    """`last 495.44 at 10:50`, `VWAP 495.30`, `entry 495.12`, `stop 493.60`: as far as they are known."""
    bar = chart.bars[-1]
    said = [f"last {f.price(bar.close)} at {f.minute(bar.start)}"]
    named = (("VWAP", bar.reference), ("entry", chart.entry), ("stop", chart.stop))
    return [*said, *(f"{name} {f.money(price)}" for name, price in named if price is not None)]


def _head(chart: ChartView, width: int) -> TextLine:
    text = ""
    for figure in figures(chart):
        longer = f"{text}   {figure}" if text else figure
        text = longer if len(longer) <= width else text
    return (Cell(text),)


def _foot(times: TimeScale) -> TextLine:
    text = ""
    for cell, label in times.labels():
        text = f"{text:<{cell}}{label}"
    return (Cell(text, "muted"),)


def _prices(chart: ChartView) -> list[Decimal]:
    """Everything that the chart has to show."""
    of_bars = (price for bar in chart.bars for price in (bar.close, bar.reference))
    prices = (*of_bars, *(fill.price for fill in chart.fills), chart.entry, chart.stop)
    return [price for price in prices if price is not None]


def _drawn(chart: ChartView, prices: PriceScale, times: TimeScale, cells: int) -> Canvas:
    canvas = Canvas(cells, prices.lines)
    if chart.entry is not None:
        canvas.level(prices.line_of(chart.entry), "─", "muted")
    if chart.stop is not None:
        canvas.level(prices.line_of(chart.stop), "╌", "warning")
    for bar in chart.bars:
        x = times.dot_of(bar.start)
        if bar.reference is not None and not x % DOTS_ACROSS:
            canvas.dot(x, prices.dot_of(bar.reference), "muted")
    before: tuple[int, int] | None = None
    for bar in chart.bars:
        x, y = times.dot_of(bar.start), prices.dot_of(bar.close)
        canvas.stroke(x, y if before is None else _towards(before[1], y), y)
        before = (x, y)
    for fill in chart.fills:
        is_buy = fill.side is Side.BUY
        canvas.letter(times.dot_of(fill.at), prices.dot_of(fill.price), "B" if is_buy else "S", "strong")
    return canvas


def _towards(before: int, now: int) -> int:
    """Where a stroke begins so that it meets the one before it."""
    return now if abs(now - before) <= 1 else before + (1 if now > before else -1)


class _Edge:
    """The prices beside the plot, all with as many places, so that they stand on one decimal point."""

    def __init__(self, chart: ChartView) -> None:
        self.tick = STOCK_TICKS.at(chart.bars[-1].close)
        self.cells = max(len(self._price(price)) for price in _prices(chart))
        self.width = NAMES + 1 + self.cells

    def labels(self, chart: ChartView, scale: PriceScale) -> dict[int, Cell]:
        """By line. What has a name goes before what has none, and moves a line where two would stand on one."""
        last = chart.bars[-1]
        named: tuple[tuple[str, Decimal | None, Tone], ...] = (
            ("stop", chart.stop, "warning"),
            ("entry", chart.entry, ""),
            ("last", last.close, "strong"),
            ("VWAP", last.reference, "muted"),
        )
        labels: dict[int, Cell] = {}
        for name, price, tone in named:
            if price is None:
                continue
            line = scale.line_of(price)
            near = (near for near in (line, line - 1, line + 1) if 0 <= near < scale.lines and near not in labels)
            if (free := next(near, None)) is not None:
                labels[free] = Cell(f"{name:<{NAMES}} {self._price(price):>{self.cells}}", tone)
        for price in scale.labels():
            labels.setdefault(scale.line_of(price), Cell(f"{self._price(price):>{self.width}}", "muted"))
        return labels

    def _price(self, price: Decimal) -> str:
        return f"{price.quantize(self.tick):,f}"
