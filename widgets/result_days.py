"""Results of periods longer than a day: sums by strategy, the equity curve, a calendar of days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from core.model.values import NO_MONEY, Money
from core.views import ClosedRow, DayRow
from widgets import format as f
from widgets.chart_picture import Canvas
from widgets.chart_scale import DOTS_ACROSS, DOTS_DOWN
from widgets.grid import Align
from widgets.grid_text import fitted
from widgets.lines import Cell, TextLine
from widgets.pane import INDENT

TODAY, WEEK = "today", "this week"
NAME, NUMBER, SUM = 14, 6, 12
"""Cells of the columns of the sums."""
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


@dataclass(frozen=True, slots=True)
class Period:
    """Days from the first to the last, both included."""

    name: str
    first: date
    last: date
    is_month: bool = False

    def of(self, days: Sequence[DayRow]) -> list[DayRow]:
        return [row for row in days if self.first <= row.day <= self.last]


def periods(days: Sequence[DayRow], today: date) -> list[Period]:
    """Return today, this week, this month, and each earlier known month, backwards."""
    found = [
        Period(TODAY, today, today),
        Period(WEEK, today - timedelta(days=today.weekday()), today),
        Period(f"{today:%B %Y}", today.replace(day=1), today, True),
    ]
    oldest, first = min((row.day for row in days), default=today), today.replace(day=1)
    while oldest < first:
        last = first - timedelta(days=1)
        first = last.replace(day=1)
        found.append(Period(f"{first:%B %Y}", first, last, True))
    return found


def by_strategy(days: Sequence[DayRow]) -> list[ClosedRow]:
    """Sum the closed trades of each strategy over all days, in order of first appearance."""
    sums: dict[str, ClosedRow] = {}
    for row in (closed for day in days for closed in day.closed):
        so_far = sums.get(row.strategy, ClosedRow(row.strategy, 0, 0, NO_MONEY))
        sums[row.strategy] = ClosedRow(
            row.strategy,
            so_far.trades + row.trades,
            so_far.wins + row.wins,
            Money(so_far.profit + row.profit),
        )
    return list(sums.values())


def worths(period: Period, days: Sequence[DayRow], equity_now: Money | None) -> list[Money]:
    """Return the known equity at the start of each day, and at the end of the last."""
    inside = [row.equity for row in period.of(days) if row.equity is not None]
    after = next((row.equity for row in days if row.day > period.last and row.equity is not None), equity_now)
    return [*inside, after] if inside and after is not None else inside


def drawdown(worth: Sequence[Money]) -> Decimal:
    """Return the deepest fall below the previous maximum, as a fraction of it, from the known figures."""
    highest, deepest = Decimal(0), Decimal(0)
    for each in worth:
        highest = max(highest, each)
        deepest = max(deepest, (highest - each) / highest if highest > 0 else Decimal(0))
    return deepest


def lines_of(
    period: Period, days: Sequence[DayRow], equity_now: Money | None, width: int, room: int
) -> Iterator[TextLine]:
    """Yield the sums, then as many as fit of: equity, the calendar of a month, the equity curve."""
    inside, worth = period.of(days), worths(period, days, equity_now)
    lines = [*_sums(by_strategy(inside), room)]
    if len(worth) > 1:
        lines.append(_worth(worth))
    parts = [[*_calendar(period, inside)]] if period.is_month else []
    parts += [_curve(worth, width)] if len(worth) >= CURVE_FROM else []
    for part in parts:
        if len(lines) + 1 + len(part) <= room:
            lines += [(), *part]
    yield from lines


def _sums(rows: Sequence[ClosedRow], room: int) -> Iterator[TextLine]:
    yield (Cell(f"{INDENT}{'STRATEGY':<{NAME}}{'TRADES':>{NUMBER}}{'WON':>{NUMBER}}{'P&L USD':>{SUM}}", "header"),)
    shown = rows if len(rows) < room - 1 else rows[: max(0, room - BLANK)]
    for row in shown:
        yield _sum(row)
    if len(shown) < len(rows):
        yield (Cell(f"{INDENT}and {len(rows) - len(shown)} more strategies", "muted"),)
    if len(rows) > 1:
        everything = [(row.trades, row.wins, row.profit) for row in rows]
        trades, wins, profits = zip(*everything, strict=True)
        yield _sum(ClosedRow("all", sum(trades), sum(wins), Money(sum(profits, NO_MONEY))))


def _sum(row: ClosedRow) -> TextLine:
    return (
        Cell(f"{INDENT}{fitted(row.strategy.upper(), NAME, Align.LEFT, 0)}", "strong"),
        Cell(f"{row.trades:>{NUMBER}}{row.wins:>{NUMBER}}"),
        Cell(f"{f.arrowed(row.profit):>{SUM}}", f.tone_of(row.profit)),
    )


def _worth(worth: Sequence[Money]) -> TextLine:
    """Format `equity 99,500.00 → 100,034.43, ▲ +0.54 %, drawdown 0.3 %, by day`."""
    first, last = worth[0], worth[-1]
    change = (last - first) / first if first else None
    fallen = drawdown(worth)
    return (
        Cell(f"{INDENT}equity {f.money(first)} → {f.money(last)}, "),
        Cell(f.signed_percent(change), f.tone_of_percent(change)),
        Cell(f", drawdown {f.percent(fallen)}, by day" if fallen else "", "muted"),
    )


def _curve(worth: Sequence[Money], width: int) -> list[TextLine]:
    """Draw the equity as a dotted line, with its highest and lowest value at the edge."""
    low, high = min(worth), max(worth)
    cells = max(BLANK, min(CURVE_CELLS, width - len(INDENT) - SUM - 1))
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
        (Cell(INDENT), *canvas.text(line), Cell(f" {edge.get(line, ''):>{SUM}}", "muted"))
        for line in range(CURVE_LINES)
    ]


def _calendar(period: Period, inside: Sequence[DayRow]) -> Iterator[TextLine]:
    """Yield a line for each week, Monday to Friday.

    A day without closed trades has a dot; a day without data is empty.
    """
    by_day = {row.day: row for row in inside}
    yield (Cell(INDENT + "".join(f"{name:<{DAY_CELLS}}" for name in WORKDAYS).rstrip(), "header"),)
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
