"""Today's results: a line for each strategy with its shadow trades, then the closed trades, the newest first.

A longer period lists its days instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from textual.app import ComposeResult

from core.model.signal import EXIT_WORDS, ExitReason
from core.views import DayRow, DeskView, ResultRow, TradeRow
from widgets import format as f
from widgets.grid import Align, Cell, Column, Row
from widgets.grid_text import fitted
from widgets.lines import TextLine
from widgets.pane import INDENT, Pane
from widgets.result_days import Period, lines_of, periods

NAME, TRADES, WON, SUM = 9, 6, 4, 11
"""Cells of the columns of the sums."""
SHADOW_FROM = 74
"""Width in cells from which the shadow trades share the line of their strategy."""
EVERY = 1_000
"""More lines than all sums need."""
MOST = 2
"""The sums take one part in this many of the pane; the trades take the rest."""


TRADE_COLUMNS = (
    Column("SYM", 5),
    Column("QTY", 6, Align.RIGHT),
    Column("ENTRY", 8, Align.POINT, 2),
    Column("→ EXIT", 8, Align.POINT, 2),
    Column("WHY", 6, stretches=True),
    Column("P&L USD", 11, Align.RIGHT),
    Column("FILLS", 6, Align.RIGHT),  # against the intended prices: price improvement is above zero
)
DAY_COLUMNS = (
    Column("DAY", 11),
    Column("TRADES", TRADES, Align.RIGHT),
    Column("P&L USD", 12, Align.RIGHT),
    Column("BEGAN WITH", 13, Align.RIGHT, stretches=True),
)
MORE = "z shows more: the calendar, the course"
NO_TRADES = "No closed trades today. An exit that fills appears here."
NO_DAYS = "No day of this period is known. Each day that the engine sees gets a line."


class Results(Pane):
    """Results; `turned` is the period: 0 is today, then this week, this month, and the months before."""

    NUMBER = 7
    NAME = "Results"

    def __init__(self) -> None:
        super().__init__(TRADE_COLUMNS, empty=NO_TRADES, id="results")
        self.turned = 0
        self._view: DeskView | None = None
        self._all_sums = 0
        self._columns: Sequence[Column] = TRADE_COLUMNS

    def compose(self) -> ComposeResult:
        yield self.words
        yield self.grid

    def show(self, view: DeskView, _now: datetime) -> None:
        self._view = view
        self._fill()

    def turn(self, step: int) -> None:
        """Show another period."""
        if self._view is not None:
            self.turned = max(0, min(self.turned + step, len(self._periods(self._view)) - 1))
            self._fill()

    def words_wanted(self) -> int:
        return self._all_sums

    def on_resize(self) -> None:
        if self._view is not None:
            self._show_sums(self._view)

    def _fill(self) -> None:
        view = self._view
        if view is None:
            return
        columns: Sequence[Column] = DAY_COLUMNS if self.turned else TRADE_COLUMNS
        if columns is not self._columns:
            self._columns = columns
            self.grid.show_columns(columns)
        (self._show_days if self.turned else self._show_today)(view)
        self._show_sums(view)

    def _show_today(self, view: DeskView) -> None:
        trades = view.trades
        quantities = [f.quantity(trade.quantity) for trade in trades]
        places = max((len(text.partition(".")[2]) for text in quantities), default=0)
        self.grid.show([_row(trade, places) for trade in reversed(trades)], empty=NO_TRADES)
        realised = sum((row.realised for row in view.results), Decimal(0))
        known = [row.unrealised for row in view.results if row.unrealised is not None]
        unrealised = sum(known, Decimal(0)) if len(known) == len(view.results) else None
        parts = sum(row.in_part for row in view.results)
        said = f"{len(trades)} closed{f', {parts} in part' * bool(parts)}" if trades or view.results else ""
        sums = f"{f.signed(realised)} USD, open {f.signed(unrealised)}"
        self.title_with(f"{said}, {sums}" if view.results else said)

    def _show_days(self, view: DeskView) -> None:
        period = self._period(view)
        days = period.of(view.days)
        self.grid.show([_day_row(row) for row in reversed(days)], empty=NO_DAYS)
        made = sum((row.profit for row in days), Decimal(0))
        self.title_with(f"{period.name}, {sum(row.trades for row in days)} closed, {f.signed(made)} USD")

    def _show_sums(self, view: DeskView) -> None:
        shown, self._all_sums = self._sums(view, self._room()), len(self._sums(view, EVERY))
        self.words.show(shown)
        self.note(MORE if self.turned and len(shown) < self._all_sums else "")

    def _room(self) -> int:
        """Return the number of lines for the sums, at least half of the pane, or three quarters for a period."""
        height = self.content_size.height
        of_sums = height * 3 // 4 if self.turned else height // MOST
        return max(3, of_sums, height - self.grid.wanted)

    def _sums(self, view: DeskView, room: int) -> list[TextLine]:
        width = self.content_size.width
        if self.turned:
            return [*lines_of(self._period(view), view.days, view.status.equity, width, room)]
        return sum_lines(view.results, width, room) if view.results else []

    def _periods(self, view: DeskView) -> list[Period]:
        return periods(view.days, f.day_of(view.status.at))

    def _period(self, view: DeskView) -> Period:
        known = self._periods(view)
        return known[min(self.turned, len(known) - 1)]


def _day_row(row: DayRow) -> Row:
    return Row(
        row.day.isoformat(),
        (
            Cell(f"{row.day:%a %d %b}", "strong"),
            Cell(str(row.trades)),
            Cell(f.arrowed(row.profit) if row.trades else f.UNKNOWN, f.tone_of(row.profit)),
            Cell(f.money(row.equity)),
        ),
    )


def _row(trade: TradeRow, places: int) -> Row:
    """Return a row; `places` is the most decimal places of today's quantities, so that all share one decimal point."""
    return Row(
        trade.key,
        (
            Cell(trade.symbol, "strong"),
            Cell(f.pointed(f.quantity(trade.quantity), places) if places else f.quantity(trade.quantity)),
            Cell(f.at_tick(trade.entry_price)),
            Cell(f.at_tick(trade.exit_price)),
            Cell(_why(trade)),
            Cell(f.arrowed(trade.profit), f.tone_of(trade.profit)),
            Cell(f.signed(-trade.slippage), f.tone_of(-trade.slippage)),
        ),
    )


def sum_lines(rows: Sequence[ResultRow], width: int, room: int) -> list[TextLine]:
    """Return a header and a line for each strategy with its shadow trades; strategies without room are counted."""
    is_beside = width >= SHADOW_FROM
    titles = (("STRATEGY", NAME), ("TRADES", TRADES), ("WON", WON), ("REALISED", SUM), ("UNREALISED", SUM))
    head = INDENT + " ".join(fitted(title, cells, _side(number), 0) for number, (title, cells) in enumerate(titles))
    lines: list[TextLine] = [(Cell(f"{head}  SHADOW, ALL USD" if is_beside else f"{head}, USD", "header"),)]
    for number, row in enumerate(rows):
        own = [*_lines_of(row, is_beside)]
        if len(lines) + len(own) > room - (number < len(rows) - 1) and number:
            lines.append((Cell(f"{INDENT}and {len(rows) - number} more strategies", "muted"),))
            break
        lines += own
    return lines


def _lines_of(row: ResultRow, is_beside: bool) -> Iterator[TextLine]:
    shadow = shadow_in_words(row)
    sums = (
        Cell(f"{INDENT}{fitted(row.strategy.upper(), NAME, Align.LEFT, 0)} ", "strong"),
        Cell(f"{row.trades:>{TRADES}} {row.wins:>{WON}} "),
        Cell(f"{f.arrowed(row.realised):>{SUM}} ", f.tone_of(row.realised)),
        Cell(f"{f.arrowed(row.unrealised):>{SUM}}", f.tone_of(row.unrealised)),
    )
    yield (*sums, Cell(f"  {shadow}", "muted")) if is_beside and shadow else sums
    if row.failed:
        yield (Cell(f"{INDENT}{' ' * NAME} {row.failed} after a failed exit, counted apart", "warning"),)
    if shadow and not is_beside:
        yield (Cell(f"{INDENT}{' ' * NAME} shadow: {shadow}", "muted"),)


def shadow_in_words(row: ResultRow) -> str:
    """Format `not taken 2, would be −41.00` (declined, expired or blocked); empty if all were taken (OP-12)."""
    if not row.declined:
        return ""
    return f"not taken {row.declined}, would be {f.signed(row.shadow)}"


def _why(trade: TradeRow) -> str:
    """Return the exit reason; a mean reversion names VWAP only for the VWAP strategy."""
    is_at_vwap = trade.exit_reason is ExitReason.MEAN_REVERSION and trade.strategy == "vwap"
    return "VWAP" if is_at_vwap else EXIT_WORDS[trade.exit_reason][1]


def _side(number: int) -> Align:
    return Align.RIGHT if number else Align.LEFT
