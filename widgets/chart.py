"""The chart of the selected symbol: its pane, and the drawing of a session as lines of text.

A candle is one cell wide and is drawn in half lines: a thin stroke from low to high, a block between open and close,
half as wide where it rose. Lines are braille dots. Every meaning has a shape, so that it needs no colour. The scale is
that of the bars: a stop, a target or an entry beyond them is a mark at the edge.

The chart of the selected symbol. It redraws only where a bar, a price, a fill or a level changed.
Its keys change only how the chart is drawn; they affect no order, no proposal and no row of another pane.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from core.model.bar import ONE_MINUTE
from core.model.instrument import STOCK_TICKS
from core.model.order import Effect, OrderType, Side
from core.model.values import Price, Symbol
from core.views import ChartFill, ChartView, DeskView
from widgets import format as f
from widgets.chart_scales import (
    CELLS_A_LABEL,
    DAY,
    DOTS_ACROSS,
    DOTS_DOWN,
    HOUR,
    OVERLAYS,
    TIMEFRAMES,
    Candle,
    Overlay,
    PriceScale,
    Window,
    behind,
    candles_of,
    curves,
)
from widgets.lines import Cell, Lines, TextLine, Tone
from widgets.pane import put_note, put_title

BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
BRAILLE = 0x2800
NAMES = 6
"""Cells for the word before a price at the edge: entry, stop, target, last, close, VWAP."""
LEAST = 4
"""Lines below which there is no chart, only its figures."""
UP = {"  ": " ", "w ": "╵", " w": "╷", "ww": "│", "b ": "▘", " b": "▖", "bb": "▌", "wb": "▖", "bw": "▘"}
DOWN = UP | {"b ": "▀", " b": "▄", "bb": "█", "wb": "▄", "bw": "▀"}
"""By what stands in the upper and the lower half of a cell: nothing, wick or body. A body is a block in both, half as
wide where it rose, so that it reads as one in sixteen colours and differs in none."""
WICKS, CROSSED = "╵╷│", "┿"
"""A wick, and one that a line over the bars crosses."""
ABOVE, BELOW = "↑", "↓"
"""Beside the price of a stop, a target or an entry that lies beyond the bars: it is marked at the edge."""
MOST_VOLUME, LINES_A_VOLUME = 4, 8
"""Lines of volume under the bars, and lines of the chart for each."""
BLOCKS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Levels:
    """Levels of the symbol from the other panes of the desk.

    Attributes
    ----------
    last
        The last price in the pane beside it; None if there is none.
    stops, targets
        The nearer stops, and the limits of working orders that reduce.
    signs
        Stops that trail, each with its sign.
    """

    last: Price | None = None
    stops: tuple[Price, ...] = ()
    targets: tuple[Price, ...] = ()
    signs: tuple[tuple[Price, str], ...] = ()

    def sign_of(self, stop: Price) -> str:
        """Return `≥`, `≤` or `≈` for a trailing stop, as in Positions; empty for an exact one."""
        return dict(self.signs).get(stop, "")


@dataclass(frozen=True, slots=True)
class Look:
    """Chart settings: minutes of a bar, candles or line, the overlay, and the start of the bar under the crosshair."""

    minutes: int = 1
    is_line: bool = False
    overlay: str = "VWAP"
    cross: datetime | None = None


NO_LEVELS, MINUTES = Levels(), Look()


class Canvas:
    """A grid of cells with a character and a tone; dots are drawn only in cells without text."""

    def __init__(self, cells: int, lines: int) -> None:
        self.cells = cells
        self._texts = [[Cell(" ")] * cells for _ in range(lines)]
        self._dots: dict[tuple[int, int], tuple[int, Tone]] = {}
        self._drawn: set[tuple[int, int]] = set()

    def level(self, line: int, sign: str, tone: Tone) -> None:
        self._texts[line] = [Cell(sign, tone)] * self.cells

    def dot(self, x: int, y: int, tone: Tone = "") -> None:
        """Set a dot. A cell has the tone of its last dot."""
        place = (y // DOTS_DOWN, x // DOTS_ACROSS)
        bits, _ = self._dots.get(place, (0, tone))
        self._dots[place] = (bits | BITS[y % DOTS_DOWN][x % DOTS_ACROSS], tone)

    def stroke(self, x: int, first: int, last: int) -> None:
        """Draw a vertical stroke, both ends included."""
        for y in range(min(first, last), max(first, last) + 1):
            self.dot(x, y)

    def put(self, line: int, cell: int, sign: str, tone: Tone) -> None:
        """Put a character, which takes precedence over dots."""
        self._drawn.add((line, cell))
        self._texts[line][cell] = Cell(sign, tone)

    def cross(self, cell: int) -> None:
        """Draw a vertical line through the empty cells of a column."""
        for line, row in enumerate(self._texts):
            if row[cell].text == " " and (line, cell) not in self._dots:
                row[cell] = Cell("┊", "muted")

    def text(self, line: int) -> TextLine:
        """Return a line, with neighbouring cells of one tone joined."""
        row = list(self._texts[line])
        for (y, x), (bits, tone) in self._dots.items():
            if y == line and (y, x) not in self._drawn:
                row[x] = Cell(chr(BRAILLE | bits), tone)
            elif y == line and row[x].text in WICKS:
                row[x] = Cell(CROSSED, row[x].tone)
        return tuple(
            Cell("".join(cell.text for cell in cells), tone) for tone, cells in groupby(row, lambda cell: cell.tone)
        )


def chart_lines(
    chart: ChartView, width: int, height: int, look: Look = MINUTES, levels: Levels = NO_LEVELS
) -> list[TextLine]:
    """Return exactly `height` lines of at most `width` cells: figures, the plot with its prices, the times.

    The timeframe needs at least one bar.
    """
    candles = candles_of(chart.bars, look.minutes, behind(chart, look.minutes))
    under = under_cross(candles, look.cross)
    lines = height - 2
    volumes = _lines_of_volume(lines, look)
    lines -= volumes
    over = curves(candles, look.overlay)
    every = _known(chart, candles, over, levels)
    tick = min(map(STOCK_TICKS.at, every))
    widest = max(len(_on_edge(price, tick)) for price in every)
    bar = None if under is None else candles[under]
    cells = width - (NAMES + 1 + widest) - 1
    if lines < LEAST or cells < 2 * (NAMES + 1 + widest):
        said: list[TextLine] = [(Cell(text),) for text in figures(chart, candles[-1], levels, bar, look.minutes)]
        return said[:height]
    window = Window.of(len(candles), cells * (DOTS_ACROSS if look.is_line else 1), under)
    shown = candles[window.first : window.end]
    overlays = tuple((name, curve[window.first : window.end]) for name, curve in over)
    fills = tuple(fill for fill in chart.fills if fill.at >= shown[0].start)
    of_bars = _of_bars(shown, overlays, levels, look.is_line)
    prices = PriceScale.of((*of_bars, *(fill.price for fill in fills)), lines)
    canvas = _drawn(chart, shown, overlays, fills, prices, cells, look, levels)
    if under is not None:
        canvas.cross((under - window.first) // (DOTS_ACROSS if look.is_line else 1))
    labels = _labels(chart, candles[-1].close, overlays, levels, prices, tick, widest)
    plot: list[TextLine] = [(*canvas.text(n), Cell(" "), labels.get(n, Cell(""))) for n in range(lines)]
    foot = _volumes(shown, volumes, look)
    head = (Cell(_head(figures(chart, candles[-1], levels, bar, look.minutes), width)),)
    return [head, *plot, *foot, _foot(shown, cells, look)]


def _lines_of_volume(lines: int, look: Look) -> int:
    """Under every overlay where there is room, more of it where it is the overlay, and none where nothing is."""
    if look.overlay == "volume" and lines > LEAST:
        return max(1, min(MOST_VOLUME, lines // 4))
    return 0 if look.overlay == "none" else min(MOST_VOLUME, lines // LINES_A_VOLUME)


def under_cross(candles: Sequence[Candle], cross: datetime | None) -> int | None:
    """Return the index of the bar that contains the instant, or 0 if all bars begin later."""
    if cross is None or not candles:
        return None
    return max((place for place, candle in enumerate(candles) if candle.start <= cross), default=0)


def figures(
    chart: ChartView, newest: Candle, levels: Levels, under: Candle | None = None, minutes: int = 1
) -> list[str]:
    """Return the figures above the chart, for the newest bar or the bar under the crosshair.

    Examples: `last 495.44`, `close 495.40 at 10:50` if it differs, `VWAP 495.30`, `stop 493.60`, and `entry 495.12 and
    496.00` for several positions. The bar under the crosshair shows all its values.
    """
    if under is not None:
        at = _when(under, minutes) + (", forms" if under.forms else "")
        said = [at, *(f"{word} {f.price(value)}" for word, value in _four(under)), f"volume {under.volume:,f}"]
        return said if under.vwap is None else [*said, f"VWAP {f.at_tick(under.vwap)}"]
    said = [] if levels.last is None else [f"last {f.at_tick(levels.last)}"]
    if not _is_shown_as_last(newest.close, levels):
        at = f.minute(chart.bars[-1].start) if chart.bars else _when(newest, minutes)
        said.append(f"close {f.price(newest.close)} {'at' if chart.bars else 'of'} {at}")
    said += [] if newest.vwap is None else [f"VWAP {f.at_tick(newest.vwap)}"]
    entries = [f.at_tick(price) for price in chart.entries]
    stops = [f"{levels.sign_of(price)}{f.at_tick(price)}" for price in chart.stops]
    held = (("entry", entries), ("stop", stops))
    return [*said, *(f"{name} {' and '.join(prices)}" for name, prices in held if prices)]


def _is_shown_as_last(close: Price, levels: Levels) -> bool:
    return levels.last is not None and f.at_tick(levels.last) == f.at_tick(close)


def _when(candle: Candle, minutes: int) -> str:
    """Format the time of a bar: `10:50` in this session, `Tue 3 Nov 10:00` for an hour, `Tue 3 Nov 2026` for a day."""
    if minutes == DAY:
        return f.day_in_words(f.day_of(candle.start))
    return f.day_and_minute(candle.start) if minutes == HOUR else f.minute(candle.start)


def _four(candle: Candle) -> tuple[tuple[str, Price], ...]:
    return (("open", candle.open), ("high", candle.high), ("low", candle.low), ("close", candle.close))


def _head(said: list[str], width: int) -> str:
    text, gap = "", "   " if len("   ".join(said)) <= width else "  "
    for figure in said:
        longer = f"{text}{gap}{figure}" if text else figure
        text = longer if len(longer) <= width else text
    return text


def _foot(shown: Sequence[Candle], cells: int, look: Look) -> TextLine:
    """Return the time axis: a time at each label position, or a day for bars of an hour or longer."""
    text, across = "", DOTS_ACROSS if look.is_line else 1
    for place, candle in enumerate(shown):
        cell, label = place // across, _below(candle, look.minutes)
        has_room = not text or cell >= len(text) + CELLS_A_LABEL - len("09:30")
        if has_room and cell + len(label) <= cells and (not text or _begins(shown, place, look.minutes)):
            text = f"{text:<{cell}}{label}"
    return (Cell(text, "muted"),)


def _below(candle: Candle, minutes: int) -> str:
    return f.minute(candle.start) if minutes < HOUR else f.short_day(f.day_of(candle.start))


def _begins(shown: Sequence[Candle], place: int, minutes: int) -> bool:
    """Return whether a label may begin there: each full five minutes, the first hour of a day, any day."""
    if minutes == HOUR:
        return f.day_of(shown[place].start) != f.day_of(shown[place - 1].start)
    return minutes == DAY or not shown[place].start.minute % 5


def _volumes(shown: Sequence[Candle], lines: int, look: Look) -> list[TextLine]:
    """Draw the volume below the plot, scaled to the largest of the visible bars."""
    across = DOTS_ACROSS if look.is_line else 1
    sums = [sum((c.volume for c in shown[n : n + across]), Decimal(0)) for n in range(0, len(shown), across)]
    most = max(sums, default=Decimal(0))
    eighths = [int(volume * lines * 8 / most) if most else 0 for volume in sums]
    return [
        (Cell("".join(_block(high - (lines - 1 - line) * 8) for high in eighths), "muted"),) for line in range(lines)
    ]


def _block(eighths: int) -> str:
    return BLOCKS[min(eighths, 8) - 1] if eighths > 0 else " "


def _known(chart: ChartView, candles: Sequence[Candle], overlays: Sequence[Overlay], levels: Levels) -> list[Decimal]:
    """Every price that the chart has to show of these bars."""
    levels_too = (*chart.entries, *chart.stops, *levels.stops, *levels.targets)
    return [*_of_bars(candles, overlays, levels), *levels_too]


def _of_bars(
    candles: Sequence[Candle], overlays: Sequence[Overlay], levels: Levels, is_line: bool = False
) -> list[Decimal]:
    """What the scale spans: the bars, the lines over them and the last price. A stop far away squeezes none of it."""
    of_bars = (price for c in candles for price in ((c.close,) if is_line else (c.high, c.low)))
    of_lines = (price for _, curve in overlays for price in curve)
    return [price for price in (*of_bars, *of_lines, levels.last) if price is not None]


def _drawn(
    chart: ChartView,
    shown: Sequence[Candle],
    overlays: Sequence[Overlay],
    fills: Sequence[ChartFill],
    prices: PriceScale,
    cells: int,
    look: Look,
    levels: Levels,
) -> Canvas:
    canvas, across = Canvas(cells, prices.lines), DOTS_ACROSS if look.is_line else 1
    lines: list[tuple[str, Tone, tuple[Price, ...]]] = [
        ("┄", "muted", levels.targets),
        ("─", "muted", chart.entries),
        ("╌", "warning", (*chart.stops, *levels.stops)),
    ]
    for sign, tone, each in lines:
        for price in each:
            if prices.spans(price):
                canvas.level(prices.line_of(price), sign, tone)
    for _, curve in overlays:
        for place, value in enumerate(curve):
            if value is not None and not (look.is_line and place % DOTS_ACROSS):
                canvas.dot(place if look.is_line else place * DOTS_ACROSS, prices.dot_of(value), "muted")
    (_line if look.is_line else _candles)(canvas, shown, prices)
    for fill in fills:
        place = under_cross(shown, fill.at) or 0
        letter = "B" if fill.side is Side.BUY else "S"
        canvas.put(prices.line_of(fill.price), place // across, letter, "strong")
    return canvas


def _line(canvas: Canvas, shown: Sequence[Candle], prices: PriceScale) -> None:
    before: int | None = None
    for x, candle in enumerate(shown):
        y = prices.dot_of(candle.close)
        canvas.stroke(x, y if before is None else _towards(before, y), y)
        before = y


def _towards(before: int, now: int) -> int:
    """Return where a stroke begins so that it joins the previous one."""
    return now if abs(now - before) <= 1 else before + (1 if now > before else -1)


def _candles(canvas: Canvas, shown: Sequence[Candle], prices: PriceScale) -> None:
    for cell, candle in enumerate(shown):
        rises = candle.close >= candle.open
        high, low = prices.half_of(candle.high), prices.half_of(candle.low)
        upper, lower = sorted((prices.half_of(candle.open), prices.half_of(candle.close)))
        signs = UP if rises else DOWN
        tone: Tone = "muted" if candle.forms else "gain" if rises else "loss"
        for line in range(high // 2, low // 2 + 1):
            parts = "".join(
                "b" if upper <= half <= lower else "w" if high <= half <= low else " "
                for half in (2 * line, 2 * line + 1)
            )
            canvas.put(line, cell, signs[parts], tone)


def _labels(
    chart: ChartView,
    close: Price,
    overlays: Sequence[Overlay],
    levels: Levels,
    scale: PriceScale,
    tick: Decimal,
    widest: int,
) -> dict[int, Cell]:
    """By line, all on one decimal point. What has a name goes before what has none, and moves a line where two would
    stand on one; a higher price never stands below a lower one."""
    stops = dict.fromkeys((*chart.stops, *levels.stops))
    named: tuple[tuple[str, Decimal | None, Tone], ...] = (
        ("last", levels.last, "strong"),
        *((f"stop{levels.sign_of(stop)}", stop, "warning") for stop in scale.outermost_first(stops)),
        *(("entry", entry, "") for entry in scale.outermost_first(chart.entries)),
        *(("target", target, "") for target in scale.outermost_first(levels.targets)),
        ("close", None if _is_shown_as_last(close, levels) else close, "muted"),
        *((name, curve[-1], "muted") for name, curve in overlays),
    )
    labels: dict[int, Cell] = {}
    placed: dict[int, Decimal] = {}
    for name, price, tone in named:
        if price is None:
            continue
        line = scale.line_of(price)
        near = (near for near in (line, line - 1, line + 1) if 0 <= near < scale.lines and near not in labels)
        in_order = (free for free in near if all((at < free) is (there > price) for at, there in placed.items()))
        if (free := next(in_order, None)) is not None:
            placed[free] = price
            beyond = " " if scale.spans(price) else ABOVE if price > scale.high else BELOW
            labels[free] = Cell(f"{name:<{NAMES}}{beyond}{_on_edge(price, tick):>{widest}}", tone)
    for price in scale.labels():
        labels.setdefault(scale.line_of(price), Cell(f"{_on_edge(price, tick):>{NAMES + 1 + widest}}", "muted"))
    return labels


def _on_edge(price: Decimal, tick: Decimal) -> str:
    """Format a price with blanks for the places of a finer tick, so that all align on the decimal point."""
    places = max(0, STOCK_TICKS.at(price).adjusted() - tick.adjusted())
    return f.at_tick(price) + " " * places


CHOOSE = "No symbol is selected. A row of positions, orders, proposals or strategies chooses it."
ZOOM = "z shows the chart"
"""On the lower edge where there is no room for it."""
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
        lines = self.content_size.height - 2
        is_drawn = lines - _lines_of_volume(lines, self.look) >= LEAST
        put_note(self, (self._legend() if is_drawn else ZOOM) if self._has_bars() else "")
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
        if self._chart is None:
            return ()
        return candles_of(self._chart.bars, self.look.minutes, behind(self._chart, self.look.minutes))

    def _lines_now(self) -> list[TextLine]:
        width, height = self.content_size
        if self._chart is not None and self._has_bars():
            return chart_lines(self._chart, width, height, self.look, self._levels)
        return [(Cell(line, "muted"),) for line in textwrap.wrap(self._why_empty(), max(10, width))]

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
    signs = ((row.standing_stop, f.stop_sign(row)) for row in held)
    return Levels(
        last,
        tuple(stop for row in held for stop in row.nearer_stops),
        targets,
        tuple((stop, sign) for stop, sign in signs if stop is not None and sign),
    )
