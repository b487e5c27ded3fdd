"""The measures of a desk as lines, as JSON and as an HTML file (AN-01)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from textwrap import wrap

from core.analytics import charts
from core.analytics.account_days import HEAD, ProfitMonth, calendar_lines, largest_of, month_rows, months_of, shade_of
from core.analytics.charts import chart
from core.analytics.desk_measures import DeskMeasures, Figures, MarginDay
from core.analytics.groups import FEW_WINS, MANY_WINS, mark_of
from core.analytics.metrics import drawdowns, framed
from core.analytics.presentation import (
    LINES,
    NONE,
    ROLLING,
    document,
    drawdown_in_words,
    escaped,
    folded,
    paragraphs,
    plotted,
    table,
    value_of,
)
from core.model.session import HOME
from core.model.signal import FAILED_WORDS
from core.model.values import Money

WIDTH, HIGH = 80, 7
NAME = 16
"""Columns of a group's name; a longer one is wrapped."""
SHOWN_DAYS = 20
"""The newest days with margin in use; --json has all."""
NEWEST = 10
"""The newest closes; --html and --json have all."""
COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("trades", "trades", "count"),
    ("wins", "win_rate", "percent"),
    ("USD each", "expectancy", "money"),
    ("gain", "mean_gain", "money"),
    ("loss", "mean_loss", "money"),
    ("R each", "mean_r", "ratio"),
    ("R", "total_r", "ratio"),
    ("no R", "without_r", "count"),
    ("factor", "profit_factor", "ratio"),
    ("USD", "profit", "money"),
)
"""For each figure of a group: its column heading, key and format."""
WIDTHS: Mapping[str, int] = {
    "trades": 6, "win_rate": 9, "expectancy": 10, "mean_gain": 10, "mean_loss": 10, "profit_factor": 7, "profit": 12,
}  # fmt: skip
"""The figures of a group that fit into the text; --html and --json have its R too."""
GROUPS: Mapping[str, str] = {
    "strategy": "strategy (manual: your own orders)",
    "by": "manual or strategy",
    "regime": "regime at the entry",
    "symbol": "symbol",
    "half_hour": (
        f"half-hour of the entry, {HOME.name}; "
        f"▲ over {value_of(MANY_WINS, 'percent')} won, ▼ under {value_of(FEW_WINS, 'percent')}"
    ),
    "held": "time held",
    "reason": "exit reason",
}
ROLLED: tuple[tuple[str, str, str], ...] = (
    ("total_return", "total return", "percent"),
    ("volatility", "volatility a year", "percent"),
    ("sharpe", "Sharpe", "ratio"),
    ("sortino", "Sortino", "ratio"),
    ("calmar", "Calmar", "ratio"),
    ("max_drawdown", "deepest drawdown", "percent"),
)
OF_TRADES = (
    *("trades", "profit", "win_rate", "expectancy", "mean_gain", "mean_loss"),
    *("profit_factor", "best_trade", "worst_trade"),
)
MORE_OF_TRADES = ("slippage", "fees")


def lines_of(found: DeskMeasures) -> Iterator[str]:
    yield title(found)
    yield from _account(found)
    yield ""
    yield from _trades(found)
    yield ""
    yield from _margin(found)


def title(found: DeskMeasures) -> str:
    days = f"{found.first}" if found.first == found.last else f"{found.first} to {found.last}"
    trades, made = found.trades["trades"], value_of(found.trades["profit"], "money")
    failed = f"; {failed_in_words(found)}" if found.failed["trades"] else ""
    return f"{days}: {trades:,} {'trade' if trades == 1 else 'trades'}, {made} USD{failed}"


def failed_in_words(found: DeskMeasures) -> str:
    """Format `2 failed in execution, -31.20 USD`."""
    return f"{found.failed['trades']} {FAILED_WORDS}, {value_of(found.failed['profit'], 'money')} USD"


def account_rows(found: DeskMeasures) -> list[tuple[str, str]]:
    """Return name and value of each measure of the account, or the required number of days if there are too few."""
    rows = [
        (name, of_too_few(found, key) or value_of(found.measures.get(key), kind))
        for key, name, kind in LINES
        if key in found.measures and key not in (*OF_TRADES, *MORE_OF_TRADES, "sessions")
    ]
    more = (("account fees, USD", "charged"), ("paid in and out, USD", "moved"))
    return [*rows, *((name, value_of(found.measures[key], "money")) for name, key in more)]


def of_too_few(found: DeskMeasures, key: str) -> str:
    """Describe the required number of days; empty if there are enough."""
    needed = found.too_few.get(key)
    return "" if needed is None else f"{NONE} needs {needed} {_returns(needed)}, there {_are(found.returns)}"


def notes_of(found: DeskMeasures) -> Iterator[str]:
    """Yield the basis of the account's figures."""
    closes = len(found.days) - len(found.missing)
    if not found.days:
        yield "no close of the account is recorded yet: the first figures of the next trading day tell it"
        return
    yield f"closes: {closes}, from {found.days[0].day} to {found.days[-1].day}; returns of a session: {found.returns}"
    if found.days[-1].day < found.last:
        yield f"after {found.days[-1].day} no close is recorded yet: the next trading day tells it"
    if found.missing:
        many, first = len(found.missing), found.missing[0]
        yield f"closes in between that were not recorded: {many}, the first of {first}; no return is made of them"
    if first_figures := sum(day.is_first_figure for day in found.days):
        yield f"closes that the broker did not tell, the first figure of the next day is used: {first_figures}"
    if found.unpriced:
        yield f"transfers of shares without a price, whose worth counts as a result: {found.unpriced}"
    if not rolling_rows(found):
        yield f"rolling figures need {ROLLING + 1} closes without a gap"


def rolling_rows(found: DeskMeasures) -> list[tuple[str, ...]]:
    """Return the rolling figures of the last 63 sessions: current, lowest and highest; empty with too few days."""
    rows: list[tuple[str, ...]] = []
    for key, name, kind in ROLLED:
        known = [value for each in found.rolling if isinstance(value := each[key], float)]
        if known:
            now = value_of(found.rolling[-1][key], kind)
            rows.append((name, now, value_of(min(known), kind), value_of(max(known), kind)))
    return rows


def trade_rows(found: DeskMeasures) -> list[tuple[str, str]]:
    shown = (*OF_TRADES, *MORE_OF_TRADES)
    rows = [(name, value_of(found.measures[key], kind)) for key, name, kind in LINES if key in shown]
    in_r = (("mean R", "mean_r", "ratio"), ("R in all", "total_r", "ratio"), ("trades without R", "without_r", "count"))
    rows += [(name, value_of(found.trades[key], kind)) for name, key, kind in in_r]
    return [*rows, ("beside them", failed_in_words(found))] if found.failed["trades"] else rows


def group_rows(found: DeskMeasures, by: str) -> list[dict[str, str]]:
    """Return the figures of each group as text, by their keys, with its `name`; a half-hour has its mark and count."""
    return [
        {"name": _marked(name, each) if by == "half_hour" else name}
        | {key: value_of(each[key], kind) for _, key, kind in COLUMNS}
        for name, each in found.groups[by].items()
    ]


def _marked(name: str, group: Figures) -> str:
    """Mark a half-hour of many or few wins, with its number of trades (AN-01)."""
    mark = mark_of(group["win_rate"])
    return f"{name} {mark} of {value_of(group['trades'], 'count')}" if mark else name


DAY_HEAD = ("day", "equity, USD", "in and out, USD", "return")


def day_rows(found: DeskMeasures) -> list[tuple[str, ...]]:
    """Return each close, with the return since the previous one; a dash if either is missing."""
    worth = [day.equity for day in found.growth]
    changes = [after / before - 1 if before > 0 else math.nan for before, after in pairwise(worth)]
    returns = [None, *(None if math.isnan(change) else change for change in changes)]
    return [
        (
            day.day.isoformat(),
            value_of(None if day.equity is None else float(day.equity), "money"),
            value_of(float(day.moved), "money"),
            value_of(made, "percent"),
        )
        for day, made in zip(found.days, returns, strict=True)
    ]


def margin_rows(found: DeskMeasures) -> list[tuple[str, ...]]:
    """Return the newest days with margin in use."""
    return [_margin_row(day) for day in found.margin[-SHOWN_DAYS:]]


MARGIN_HEAD = ("day", "highest", "at", "mean in use", "initial, highest", "instants")


def as_json(found: DeskMeasures) -> dict[str, object]:
    """Return the measures as JSON: ratios as fractions, money in USD.

    `growth` is the equity without deposits and withdrawals.
    """
    return {
        "first": found.first,
        "last": found.last,
        "days": [
            {
                "day": day.day,
                "equity": None if day.equity is None else str(day.equity),
                "moved": str(day.moved),
                "is_first_figure": day.is_first_figure,
                "growth": each.equity,
            }
            for day, each in zip(found.days, found.growth, strict=True)
        ],
        "months": [
            {
                "month": each.name,
                "profit": None if each.profit is None else str(each.profit),
                "days": [{"day": day, "profit": None if made is None else str(made)} for day, made in each.days],
            }
            for each in months_of(found.days)
        ],
        "returns": found.returns,
        "missing": list(found.missing),
        "measures": dict(found.measures),
        "too_few": {key: {"needs": needed, "has": found.returns} for key, needed in found.too_few.items()},
        "rolling": [dict(row) for row in found.rolling],
        "trades": found.trades,
        "failed": {key: found.failed[key] for key in ("trades", "profit")},
        "groups": {by: dict(groups) for by, groups in found.groups.items()},
        "margin": {
            "days": [
                {
                    "day": day.day,
                    "highest": day.highest,
                    "at": day.at,
                    "mean": day.mean,
                    "initial": day.initial,
                    "instants": day.instants,
                }
                for day in found.margin
            ],
            "instants": [
                {"at": each.at, "maintenance": each.maintenance, "initial": each.initial} for each in found.instants
            ],
        },
        "notes": list(notes_of(found)),
    }


def _account(found: DeskMeasures) -> Iterator[str]:
    for note in notes_of(found):
        yield from wrap(note, WIDTH, initial_indent="  ", subsequent_indent="    ")
    if not found.days:
        return
    yield from (f"  {name:<26}{value}" for name, value in account_rows(found))
    if found.measures["drawdown_from"]:
        yield f"  drawdown {drawdown_in_words(found.measures)}"
    worth = [day.equity for day in found.growth if not math.isnan(day.equity)]
    if len(worth) > 2:  # noqa: PLR2004
        yield "  equity without what was paid in and out, USD"
        yield from (f"  {line}" for line in plotted(worth, WIDTH - 2, HIGH, lambda value: f"{value:,.2f}"))
    if months := months_of(found.days):
        yield "  profit by month"
        yield from ("  " + "".join(f"{cell:>15}" for cell in row) for row in (HEAD, *month_rows(months)))
        yield from (f"  {line}".rstrip() for line in calendar_lines(months))
    newest = day_rows(found)[-NEWEST:]
    yield from ("  " + "".join(f"{cell:>17}" for cell in row) for row in (DAY_HEAD, *newest))
    if rows := rolling_rows(found):
        yield f"  {f'rolling, {ROLLING} sessions':<22}{'now':>12}{'lowest':>12}{'highest':>12}"
        yield from (f"  {name:<22}{now:>12}{low:>12}{high:>12}" for name, now, low, high in rows)


def _trades(found: DeskMeasures) -> Iterator[str]:
    yield "trades"
    yield from (f"  {name:<26}{value}" for name, value in trade_rows(found))
    for by, name in GROUPS.items():
        if found.groups[by]:
            yield ""
            yield f"by {name}"
            heads = {key: head for head, key, _ in COLUMNS}
            for row in ({"name": ""} | heads, *group_rows(found, by)):
                yield from _fitted(row)


def _fitted(row: Mapping[str, str]) -> Iterator[str]:
    first, *more = wrap(row["name"], NAME - 1) or [""]
    yield f"{first:<{NAME}}" + "".join(f"{row[key]:>{width}}" for key, width in WIDTHS.items())
    yield from more


def _margin(found: DeskMeasures) -> Iterator[str]:
    if not found.margin:
        yield "margin: none was in use by any figure of these days, or the broker tells none"
        return
    yield "maintenance margin / equity"
    values = [value for _, value in margin_series(found)]
    if len(values) > 1:
        yield from plotted(values, WIDTH, HIGH, lambda value: value_of(value, "percent"))
    widths = (12, 10, 10, 13, 18, 10)
    for row in (MARGIN_HEAD, *margin_rows(found)):
        yield "".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))
    if len(found.margin) > SHOWN_DAYS:
        yield f"the last {SHOWN_DAYS} of {len(found.margin)} days; --json has all"


def margin_series(found: DeskMeasures) -> list[tuple[datetime, float]]:
    """Return the highest value of each day, with its time; for a single day every instant."""
    if len(found.margin) > 1:
        return [(day.at, day.highest) for day in found.margin if day.highest is not None]
    return [(each.at, each.maintenance) for each in found.instants if each.maintenance is not None]


def _margin_row(day: MarginDay) -> tuple[str, ...]:
    highest = "over 100 %" if day.highest is None else value_of(day.highest, "percent")
    mean, initial = value_of(day.mean, "percent"), value_of(day.initial, "percent")
    return (day.day.isoformat(), highest, f"{HOME.local(day.at):%H:%M}", mean, initial, f"{day.instants:,}")


def _returns(number: int) -> str:
    return "return" if number == 1 else "returns"


def _are(number: int) -> str:
    return "is 1" if number == 1 else f"are {number}"


MORE = "td:not(:first-child),th:not(:first-child){text-align:right}h3{margin-top:1.6rem}"


def page(found: DeskMeasures) -> str:
    """Return the complete file."""
    return document(f"Keyturn, {title(found)}", _body(found), MORE + charts.STYLE)


def _body(found: DeskMeasures) -> Iterator[str]:
    yield "<h2>Account</h2>"
    yield from paragraphs(notes_of(found))
    if found.days:
        yield table(account_rows(found))
        yield from _plots(found)
        if months := months_of(found.days):
            yield "<h3>Profit by month</h3>" + table(month_rows(months), HEAD)
            yield from _calendar(months)
        yield folded(f"{len(found.days):,} closes", table(day_rows(found), DAY_HEAD))
    if rows := rolling_rows(found):
        yield f"<h3>Rolling, {ROLLING} sessions</h3>" + table(rows, ("", "now", "lowest", "highest"))
    yield "<h2>Trades</h2>" + table(trade_rows(found))
    head = ("", *(name for name, *_ in COLUMNS))
    for by, name in GROUPS.items():
        if found.groups[by]:
            rows = [tuple(row.values()) for row in group_rows(found, by)]
            yield f"<h3>By {escaped(name)}</h3>" + table(rows, head)
    yield "<h2>Maintenance margin / equity</h2>"
    yield from _margin_section(found)


def _plots(found: DeskMeasures) -> Iterator[str]:
    equity = framed(found.growth)["equity"].dropna()
    if len(equity) > 1:
        days, period = list(equity.index), f"{equity.index[0]} to {equity.index[-1]}"
        draw = charts.lines(days, [("equity", list(equity), charts.FIRST)], charts.dollars)
        yield chart("equity", "Equity without what was paid in and out, USD", f"Closes of {period}.", draw)
        falls = [("drawdown", [-each for each in drawdowns(equity)], charts.LOSS)]
        words = f"Closes of {period}. Deepest drawdown {drawdown_in_words(found.measures)}."
        yield chart("drawdown", "Drawdown", words, charts.areas(days, falls, charts.percent))


def _calendar(months: Sequence[ProfitMonth]) -> Iterator[str]:
    """A table a month, Monday to Friday: green for a profit, red for a loss, darker the larger it is."""
    largest = largest_of(months)
    for each in months:
        profits = dict(each.days)
        rows = "".join(
            "<tr>" + "".join(_day_cell(day, profits, largest) for day in week) + "</tr>" for week in each.weeks
        )
        yield f"<details open><summary>{each.name}</summary><table>{rows}</table></details>"


def _day_cell(day: date, profits: Mapping[date, Money | None], largest: Decimal) -> str:
    if day not in profits:
        return "<td></td>"
    profit = profits[day]
    if profit is None:
        return f"<td>{day.day} ?</td>"
    colour = "46,160,67" if profit > 0 else "192,57,43"
    alpha = 0.2 * shade_of(profit, largest) - 0.05 if profit else 0
    return f'<td style="background:rgba({colour},{alpha:.2f})">{day.day} {profit:+,.2f}</td>'


def _margin_section(found: DeskMeasures) -> Iterator[str]:
    if not found.margin:
        yield "<p>None was in use by any figure of these days, or the broker tells none.</p>"
        return
    if len(series := margin_series(found)) > 1:
        at, values = zip(*series, strict=True)
        draw = charts.lines(at, [("maintenance margin", values, charts.FIRST)], charts.percent)
        yield chart("margin", "Maintenance margin of equity", "The highest of each day, or each instant of one.", draw)
    yield table(margin_rows(found), MARGIN_HEAD)
