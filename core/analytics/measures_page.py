"""The measures of a desk as a self-contained HTML file: style and plots inline, no network (AN-01)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from core.analytics.desk_measures import DeskMeasures
from core.analytics.html_page import HEIGHT, LOW, STYLE, plot
from core.analytics.html_text import escaped
from core.analytics.measures_words import (
    COLUMNS,
    DAY_HEAD,
    GROUPS,
    MARGIN_HEAD,
    account_rows,
    day_rows,
    group_rows,
    margin_rows,
    margin_series,
    notes_of,
    rolling_rows,
    title,
    trade_rows,
)
from core.analytics.metrics import drawdowns, framed
from core.analytics.profit_months import HEAD, ProfitMonth, largest_of, month_rows, months_of, shade_of
from core.analytics.wording import ROLLING, drawdown_in_words
from core.model.values import Money

MORE = "td:not(:first-child),th:not(:first-child){text-align:right}h3{margin-top:1.6rem}"


def page(found: DeskMeasures) -> str:
    """Return the complete file."""
    words = escaped(title(found))
    body = "\n".join(_body(found))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Keyturn, {words}</title>'
        f"<style>{STYLE}{MORE}</style></head>\n<body>\n<h1>{words}</h1>\n{body}\n</body></html>\n"
    )


def _body(found: DeskMeasures) -> Iterator[str]:
    yield "<h2>Account</h2>"
    yield from (f"<p>{escaped(note)}</p>" for note in notes_of(found))
    if found.days:
        yield _table((), account_rows(found))
        yield from _plots(found)
        if months := months_of(found.days):
            yield "<h3>Profit by month</h3>" + _table(HEAD, month_rows(months))
            yield from _calendar(months)
        days = _table(DAY_HEAD, day_rows(found))
        yield f"<details><summary>{len(found.days):,} closes</summary>{days}</details>"
    if rows := rolling_rows(found):
        yield f"<h3>Rolling, {ROLLING} sessions</h3>" + _table(("", "now", "lowest", "highest"), rows)
    yield "<h2>Trades</h2>" + _table((), trade_rows(found))
    head = ("", *(name for name, *_ in COLUMNS))
    for by, name in GROUPS.items():
        if found.groups[by]:
            yield f"<h3>By {escaped(name)}</h3>" + _table(head, group_rows(found.groups[by]))
    yield "<h2>Maintenance margin / equity</h2>"
    yield from _margin(found)


def _plots(found: DeskMeasures) -> Iterator[str]:
    equity = framed(found.growth)["equity"].dropna()
    if len(equity) > 1:
        yield "<h3>Equity without what was paid in and out, USD</h3>" + plot(list(equity), HEIGHT, "#1f77b4")
        below = [-each for each in drawdowns(equity)]
        yield f"<h3>Drawdown: {escaped(drawdown_in_words(found.measures))}</h3>" + plot(below, LOW, "#c0392b")


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


def _margin(found: DeskMeasures) -> Iterator[str]:
    if not found.margin:
        yield "<p>None was in use by any figure of these days, or the broker tells none.</p>"
        return
    values = margin_series(found)
    if len(values) > 1:
        yield plot(values, LOW, "#e08a00")
    yield _table(MARGIN_HEAD, margin_rows(found))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    over = "<tr>" + "".join(f"<th>{escaped(name)}</th>" for name in head) + "</tr>" if head else ""
    body = "".join("<tr>" + "".join(f"<td>{escaped(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{over}{body}</table>"
