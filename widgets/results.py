"""Results of today and of longer periods, by strategy and by trade.

A longer period lists its days instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from textual.app import ComposeResult

from core.model.signal import EXIT_WORDS, FAILED_WORDS, ExitReason
from core.model.values import NO_MONEY, Money
from core.views import ClosedRow, DayRow, DeskView, GroupRow, MeasuresView, ResultRow, TradeRow
from core.views.sums import TODAY, WEEK, Period, by_strategy, drawdown, growth, periods, together, worths
from widgets import format as f
from widgets.chart import Canvas
from widgets.chart_scales import DOTS_ACROSS, DOTS_DOWN
from widgets.grid import Align, Column, Row
from widgets.lines import Cell, TextLine, fitted
from widgets.pane import INDENT, Pane

PERIOD_NAME, NUMBER, PERIOD_SUM, MEAN = 14, 6, 12, 10
"""Cells of the columns of the sums."""
LONGEST_NAME = 36
"""Cells of the longest name of a group, a regime."""
TITLES: Mapping[str, str] = {
    "strategy": "STRATEGY",
    "symbol": "SYMBOL",
    "half_hour": "ENTERED",
    "regime": "REGIME",
    "reason": "EXIT",
}
"""The groupings in the order of their key, with the heading of their names."""
WORDS: Mapping[str, str] = {"half_hour": "half-hour of entry", "regime": "regime at entry", "reason": "exit reason"}
LEAST_OF_GROUPS = 3
"""Lines for the heading and groups, below which there is no line of all."""
MEANS = ("EACH", "GAIN", "LOSS")
"""Mean result of a trade, of those with a profit and of those with a loss; a narrow pane leaves the last ones out."""
CURVE_LINES, CURVE_CELLS = 4, 60
"""Most lines and cells of the equity curve."""
CURVE_FROM = 3
"""Least number of figures for a curve."""
BLANK = 3
"""Cells of a day's number; lines for a header, a count of the rest, and the total."""
WORKDAYS, DAY_CELLS = ("Mon", "Tue", "Wed", "Thu", "Fri"), 13
WEEKEND = 5
WHOLE_FROM = 100
"""USD from which a day of the calendar is shown without cents."""


def lines_of(
    period: Period,
    days: Sequence[DayRow],
    equity_now: Money | None,
    width: int,
    room: int,
    groups: Sequence[GroupRow] = (),
    measures: Sequence[TextLine] = (),
) -> Iterator[TextLine]:
    """Yield the sums, then as many as fit of: the measures, equity, the calendar of a month, the equity curve.

    `groups` are those of the period by strategy.
    """
    inside, worth = period.of(days), worths(period, days, equity_now)
    lines = [*_sums(by_strategy(inside), room, {row.name: row for row in groups}, width if groups else 0)]
    if len(lines) + len(measures) <= room:
        lines += measures
    if len(worth) > 1:
        lines.append(_worth(worth))
    parts = [[*_calendar(period, inside)]] if period.is_month else []
    parts += [_curve(worth, width)] if len(worth) >= CURVE_FROM else []
    for part in parts:
        if len(lines) + 1 + len(part) <= room:
            lines += [(), *part]
    yield from lines


def _sums(rows: Sequence[ClosedRow], room: int, groups: Mapping[str, GroupRow], width: int) -> Iterator[TextLine]:
    yield _head("STRATEGY", PERIOD_NAME, width)
    every = together(rows)
    room -= bool(every.failed)
    shown = rows if len(rows) < room - 1 else rows[: max(0, room - BLANK)]
    for row in shown:
        means = _means(groups.get(row.strategy), width - PERIOD_NAME)
        yield (*_sum(row.strategy.upper(), PERIOD_NAME, row.trades, row.wins, row.profit), *means)
    if len(shown) < len(rows):
        yield (Cell(f"{INDENT}and {len(rows) - len(shown)} more strategies", "muted"),)
    if every.failed:
        yield _failed(every.failed, every.failed_profit, PERIOD_NAME + 2 * NUMBER, PERIOD_SUM)
    if len(rows) > 1 or every.failed:
        yield _sum("ALL", PERIOD_NAME, every.closed, every.wins, every.made)


def _head(title: str, cells: int, width: int) -> TextLine:
    means = "".join(f"{name:>{MEAN}}" for name in MEANS[: _means_in(width - cells)])
    numbers = f"{'TRADES':>{NUMBER}}{'WON':>{NUMBER}}{'P&L USD':>{PERIOD_SUM}}{means}"
    return (Cell(f"{INDENT}{title:<{cells}}{numbers}", "muted"),)


def _sum(name: str, cells: int, trades: int, wins: int, profit: Money) -> TextLine:
    return (
        Cell(f"{INDENT}{fitted(name, cells, Align.LEFT, 0)}", "strong"),
        Cell(f"{trades:>{NUMBER}}{wins:>{NUMBER}}"),
        Cell(f"{f.arrowed(profit):>{PERIOD_SUM}}", f.tone_of(profit)),
    )


def _means_in(width: int) -> int:
    """Return how many of `MEANS` have room beside a name; `width` is without the name."""
    return max(0, min(len(MEANS), (width - len(INDENT) - 2 * NUMBER - PERIOD_SUM) // MEAN))


def _means(row: GroupRow | None, width: int) -> TextLine:
    means = (None,) * len(MEANS) if row is None else (row.expectancy, row.mean_gain, row.mean_loss)
    return tuple(Cell(f"{f.signed(mean):>{MEAN}}", f.tone_of(mean)) for mean in means[: _means_in(width)])


def group_lines(
    by: str, rows: Sequence[GroupRow], period: str, made: Money, width: int, room: int
) -> Iterator[TextLine]:
    """Yield a line for each group, then those that failed in execution, and all; `made` is the period's whole result.

    What is not of a closed trade are parts of positions that are still held, or were closed in part before.
    """
    if not rows:
        words = f"No trade closed {period}. Each adds to its {WORDS.get(by, by)}."
        yield (Cell(f"{INDENT}{words}", "muted"),)
        return
    cells = min(LONGEST_NAME, max(PERIOD_NAME, *(len(_name(row)) + 1 for row in rows)))
    good, failed = ([row for row in rows if row.is_failed is is_failed] for is_failed in (False, True))
    parts = Money(made - sum((row.profit for row in rows), NO_MONEY))
    below = len(failed) + bool(parts) + 1
    has_all = room >= below + LEAST_OF_GROUPS
    room -= 1 + below * has_all
    shown = good if len(good) <= room else good[: max(0, room - 1)]
    yield _head(TITLES[by], cells, width)
    for row in shown:
        yield (*_sum(_name(row), cells, row.trades, row.wins, row.profit), *_means(row, width - cells))
    if len(shown) < len(good):
        yield (Cell(f"{INDENT}and {len(good) - len(shown)} more", "muted"),)
    if not has_all:
        return
    for row in failed:
        why = f", {EXIT_WORDS[ExitReason(row.name)][1]}" if by == "reason" else ""
        yield _failed(row.trades, row.profit, cells + 2 * NUMBER, PERIOD_SUM, why)
    if parts:
        yield (
            Cell(f"{INDENT}{'of positions partly closed':<{cells + 2 * NUMBER}}", "muted"),
            Cell(f"{f.arrowed(parts):>{PERIOD_SUM}}", f.tone_of(parts)),
        )
    yield _sum("ALL", cells, sum(row.trades for row in rows), sum(row.wins for row in good), made)


def _name(row: GroupRow) -> str:
    """Return the name of a group; a half-hour of many or few wins is marked, with its number of trades."""
    match row.by:
        case "half_hour":
            return f"{row.name} {row.mark} of {row.trades}" if row.mark else row.name
        case "reason":
            return EXIT_WORDS[ExitReason(row.name)][0]
        case "strategy":
            return row.name.upper()
        case "regime":  # each of the labels is of one kind alone
            return row.name.replace("trend ", "").replace("volatility ", "")
        case _:
            return row.name


def measure_lines(found: MeasuresView, now: datetime, width: int) -> list[TextLine]:
    """Return the rolling measures, or how many sessions they lack, and the watermark; none of a view without them."""
    if not found.sessions:
        return []
    if found.returns < found.sessions:
        lacking = found.sessions - found.returns
        words = f"Sharpe, Sortino, Calmar: {found.returns} of {found.sessions} sessions known, {lacking} missing"
        return [(Cell(f"{INDENT}{words}", "muted"),), _watermark(found, now, width)]
    ratios = (("Sharpe", found.sharpe), ("Sortino", found.sortino), ("Calmar", found.calmar))
    parts = [
        f"{found.sessions} sessions {f.signed_percent(found.total_return)}",
        *(f"{name} {f.UNKNOWN if value is None else f'{value:.2f}'}" for name, value in ratios),
        f"drawdown {f.percent(found.max_drawdown, 2)}",
    ]
    while len(INDENT + ", ".join(parts)) > width and len(parts) > 1:
        del parts[-1]
    return [(Cell(INDENT + ", ".join(parts)),), _watermark(found, now, width)]


def _watermark(found: MeasuresView, now: datetime, width: int) -> TextLine:
    """Format `watermark 101,234.50, 12 Nov 14:31; now −1,200.10 (−1.20 %), 14 sessions`."""
    if found.watermark is None or found.watermark_day is None:
        return (Cell(f"{INDENT}watermark: no account figure yet", "muted"),)
    at = found.watermark_at
    when = f"close of {found.watermark_day:%a %d %b}" if at is None else f.dated_clock(at, now)[: -len(":00")]
    mark = f"{INDENT}watermark {f.money(found.watermark)}, {when}"
    if found.below is None:
        return (Cell(f"{mark}; no figure of now", "muted"),)
    if not found.below:
        return (Cell(f"{mark}: the account is at it"),)
    fraction = found.below_fraction
    fell, of_it = f.signed(-found.below), "" if fraction is None else f" (−{f.percent(fraction, 2)})"
    length = f", {found.below_sessions} {'session' if found.below_sessions == 1 else 'sessions'}"
    if len(f"{mark}; now {fell}{of_it}{length}") > width:
        of_it = ""
    return (Cell(f"{mark}; now "), Cell(fell + of_it, f.tone_of(-found.below)), Cell(length))


def _failed(trades: int, made: Money, before: int, cells: int, why: str = "") -> TextLine:
    """Format `1 failed in execution` and its sum under the others': no strategy has these trades (EX-18)."""
    return (
        Cell(f"{INDENT}{f'{trades} {FAILED_WORDS}{why}':<{before}}", "warning"),
        Cell(f"{f.arrowed(made):>{cells}}", f.tone_of(made)),
    )


def _worth(worth: Sequence[Money]) -> TextLine:
    """Format `equity 99,500.00 → 100,034.43, ▲ +0.54 %, drawdown 0.3 %, by day`."""
    first, last = worth[0], worth[-1]
    change = growth(worth)
    fallen = drawdown(worth)
    return (
        Cell(f"{INDENT}equity {f.money(first)} → {f.money(last)}, "),
        Cell(f.signed_percent(change), f.tone_of_percent(change)),
        Cell(f", drawdown {f.percent(fallen)}, by day" if fallen else "", "muted"),
    )


def _curve(worth: Sequence[Money], width: int) -> list[TextLine]:
    """Draw the equity as a dotted line, with its highest and lowest value at the edge."""
    low, high = min(worth), max(worth)
    cells = max(BLANK, min(CURVE_CELLS, width - len(INDENT) - PERIOD_SUM - 1))
    canvas, down = Canvas(cells, CURVE_LINES), CURVE_LINES * DOTS_DOWN - 1
    across, before = cells * DOTS_ACROSS - 1, None
    for x in range(across + 1):
        place = Decimal(x) / across * (len(worth) - 1)
        left = min(int(place), len(worth) - 2)
        at = worth[left] + (worth[left + 1] - worth[left]) * (place - left)
        y = down - round((at - low) / (high - low) * down) if high > low else down // 2
        canvas.stroke(x, y if before is None else before, y)
        before = y
    edge = {0: f.money(high), CURVE_LINES - 1: f.money(low)}
    return [
        (Cell(INDENT), *canvas.text(line), Cell(f" {edge.get(line, ''):>{PERIOD_SUM}}", "muted"))
        for line in range(CURVE_LINES)
    ]


def _calendar(period: Period, inside: Sequence[DayRow]) -> Iterator[TextLine]:
    """Yield a line for each week, Monday to Friday.

    A day without closed trades has a dot; a day without data is empty.
    """
    by_day = {row.day: row for row in inside}
    yield (Cell(INDENT + "".join(f"{name:<{DAY_CELLS}}" for name in WORKDAYS).rstrip(), "muted"),)
    monday = period.first - timedelta(days=period.first.weekday())
    last = (period.first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    while monday <= last:
        week = [monday + timedelta(days=number) for number in range(WEEKEND)]
        if any(period.first <= day <= last for day in week):
            days = [_day(day, by_day.get(day)) if period.first <= day <= last else BARE for day in week]
            yield (Cell(INDENT), *(cell for day in days for cell in day))
        monday += timedelta(days=7)


BARE: TextLine = (Cell(" " * DAY_CELLS),)


def _day(day: date, row: DayRow | None) -> TextLine:
    number = Cell(f"{day.day:>2} ", "muted")
    if row is None:
        return (number, Cell(" " * (DAY_CELLS - BLANK)))
    if not row.trades:
        return (number, Cell("·".ljust(DAY_CELLS - BLANK), "muted"))
    cents = f.arrowed(row.profit)
    told = cents if abs(row.profit) < WHOLE_FROM else cents.rpartition(".")[0]
    return (number, Cell(told.ljust(DAY_CELLS - BLANK), f.tone_of(row.profit)))


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
    Column("QTY", 8, Align.RIGHT),
    Column("ENTRY", 8, Align.POINT, 2),
    Column("→ EXIT", 8, Align.POINT, 2),
    Column("WHY", 6, stretches=True),
    Column("P&L USD", 11, Align.RIGHT),
    Column("VS SIG", 6, Align.RIGHT),  # fills against the signal's prices: price improvement is above zero
)
DAY_COLUMNS = (
    Column("DAY", 11),
    Column("TRADES", TRADES, Align.RIGHT),
    Column("P&L USD", 12, Align.RIGHT),
    Column("BEGAN WITH", 13, Align.RIGHT, stretches=True),
)
MORE = "z shows more: the calendar, the course"
MORE_OF_TODAY, MORE_GROUPS = "z shows more: the measures", "z shows more"
NO_TRADES = "No closed trades today. An exit that fills appears here."
NO_DAYS = "No day of this period is known. Each day that the engine sees gets a line."


class Results(Pane):
    """Results; `turned` is the period: 0 is today, then this week, this month, and the months before.

    `grouped` is the place of the grouping in `TITLES`.
    """

    NUMBER = 7
    NAME = "Results"

    def __init__(self) -> None:
        super().__init__(TRADE_COLUMNS, empty=NO_TRADES, id="results")
        self.turned = self.grouped = 0
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

    def group(self) -> None:
        """Show the results by the next grouping."""
        self.grouped = (self.grouped + 1) % len(TITLES)
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
        realised = sum((row.realised + row.failed_realised for row in view.results), Decimal(0))
        known = [row.unrealised for row in view.results if row.unrealised is not None]
        unrealised = sum(known, Decimal(0)) if len(known) == len(view.results) else None
        parts = sum(row.in_part for row in view.results)
        whole = sum(not trade.is_part for trade in trades)
        said = f"{whole} closed{f', {parts} in part' * bool(parts)}" if trades or view.results else ""
        sums = f"{f.signed(realised)} USD, open {f.signed(unrealised)}"
        self.title_with((f"{said}, {sums}" if view.results else said) + self._by_words())

    def _show_days(self, view: DeskView) -> None:
        period = self._period(view)
        days = period.of(view.days)
        self.grid.show([_day_row(row) for row in reversed(days)], empty=NO_DAYS)
        made = sum((row.profit for row in days), Decimal(0))
        self.title_with(
            f"{period.name}, {sum(row.trades for row in days)} closed, {f.signed(made)} USD{self._by_words()}"
        )

    def _by_words(self) -> str:
        return f", by {WORDS.get(self._by, self._by)}" if self.grouped else ""

    @property
    def _by(self) -> str:
        return [*TITLES][self.grouped]

    def _show_sums(self, view: DeskView) -> None:
        shown, self._all_sums = self._sums(view, self._room()), len(self._sums(view, EVERY))
        self.words.show(shown)
        more = MORE_GROUPS if self.grouped else MORE if self.turned else MORE_OF_TODAY
        self.note(more if len(shown) < self._all_sums else "")

    def _room(self) -> int:
        """Return the lines for the sums, at least half of the pane, or three quarters for a period or groups."""
        height = self.content_size.height
        of_sums = height * 3 // 4 if self.turned or self.grouped else height // MOST
        return max(3, of_sums, height - self.grid.wanted)

    def _sums(self, view: DeskView, room: int) -> list[TextLine]:
        width = self.content_size.width
        period = self._period(view)
        measures = [] if period.is_month else measure_lines(view.measures, view.status.at, width)
        groups = [row for row in view.groups if (row.period, row.by) == (period.name, self._by)]
        if self.turned and not self.grouped:
            return [*lines_of(period, view.days, view.status.equity, width, room, groups, measures)]
        if self.grouped:
            made = together(by_strategy(period.of(view.days))).made
            lines = [*group_lines(self._by, groups, _in(period), made, width, room)]
        else:
            lines = sum_lines(view.results, width, room) if view.results else []
        return [*lines, *measures] if len(lines) + len(measures) <= room else lines

    def _periods(self, view: DeskView) -> list[Period]:
        return periods(view.days, f.day_of(view.status.at))

    def _period(self, view: DeskView) -> Period:
        known = self._periods(view)
        return known[min(self.turned, len(known) - 1)]


def _in(period: Period) -> str:
    return period.name if period.name in (TODAY, WEEK) else f"in {period.name}"


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
    lines: list[TextLine] = [(Cell(f"{head}  NOT TAKEN, USD" if is_beside else f"{head}, USD", "muted"),)]
    failed = sum(row.failed for row in rows)
    room -= bool(failed)
    for number, row in enumerate(rows):
        own = [*_lines_of(row, is_beside)]
        if len(lines) + len(own) > room - (number < len(rows) - 1) and number:
            lines.append((Cell(f"{INDENT}and {len(rows) - number} more strategies", "muted"),))
            break
        lines += own
    if failed:
        made = Money(sum((row.failed_realised for row in rows), NO_MONEY))
        lines.append(_failed(failed, made, NAME + TRADES + WON + 3, SUM))
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
    if shadow and not is_beside:
        yield (Cell(f"{INDENT}{' ' * NAME} shadow: {shadow}", "muted"),)
    if row.left_out:
        yield (Cell(f"{INDENT}{' ' * NAME} {row.left_out} of those not taken not followed, without a result", "muted"),)


def shadow_in_words(row: ResultRow) -> str:
    """Format `not taken 2, would be −41.00` (declined, expired or blocked); empty if all were taken (OP-12)."""
    if not row.declined:
        return ""
    return f"not taken {row.declined}, would be {f.signed(row.shadow)}"


def _why(trade: TradeRow) -> str:
    """Return the exit reason, or `part` while the rest is held; only the VWAP strategy's mean is VWAP."""
    if trade.is_part:
        return "part"
    is_at_vwap = trade.exit_reason is ExitReason.MEAN_REVERSION and trade.strategy == "vwap"
    return "VWAP" if is_at_vwap else EXIT_WORDS[trade.exit_reason][1]


def _side(number: int) -> Align:
    return Align.RIGHT if number else Align.LEFT
