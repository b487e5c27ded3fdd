"""The risk report as a self-contained HTML page: scenarios, value at risk, its backtest, correlations."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import groupby

from core.analytics import charts
from core.analytics.charts import chart
from core.analytics.presentation import document, escaped, figures, paragraphs, table
from core.model.values import plain
from core.research.portfolio_risk.report import RiskReport
from core.research.portfolio_risk.report_text import (
    NONE,
    betas_of,
    causes_of,
    name_of,
    notes_of,
    p_value,
    proxy_lines,
    stress_terms,
    usd,
    verdict_of,
)
from core.research.portfolio_risk.scenarios import LONGEST_RUN
from core.research.portfolio_risk.value_at_risk import LEVELS

BAR, EDGES = 0.42, 0.5
"""Inches of a scenario's bar, and above and below the bars."""
ROW = 0.32
"""Inches of a row of the matrix."""
LEAST = 1.2
"""Inches of the lowest chart."""
LOSSES = tuple(f"{level * 100:.0f} % {what}" for level in LEVELS for what in ("VaR", "ES"))
MOST_SYMBOLS = 25
"""Symbols of the matrix that is drawn, by value; JSON has all."""


def page(report: RiskReport, source: str, warning: str = "") -> str:
    """Return the complete file; `source` names where the positions are from, `warning` says what its bars are."""
    return document("Keyturn risk", _parts(report, source, warning), charts.STYLE)


def _parts(report: RiskReport, source: str, warning: str) -> Iterator[str]:
    money = f"gross {usd(report.gross)}, net {usd(report.net)} USD"
    if warning:
        yield f"<p><strong>{escaped(warning)}</strong></p>"
    yield from paragraphs([f"Positions of {source}: {money}, by closes to {report.as_of}."])
    for left in report.left_out:
        worth = "value unknown" if left.value is None else f"{left.value:,.2f} USD"
        line = f"NOT INCLUDED: {plain(left.quantity)} {left.symbol}, {worth}: {left.reason}"
        yield f"<p><strong>{escaped(line)}</strong></p>"
    for line in proxy_lines(report):
        yield f"<p><strong>{escaped(line)}</strong></p>"
    yield from _scenarios(report)
    yield from _value_at_risk(report)
    yield from _backtest(report)
    if len(report.symbols) > 1:
        yield from _correlations(report)
    yield from _stresses(report)
    rows = [(each.symbol, plain(each.quantity), plain(each.price), f"{each.value:,.2f}") for each in report.positions]
    yield "<h3>Positions</h3>" + figures(("symbol", "quantity", "price", "value, USD"), rows)
    yield from paragraphs(notes_of(report))


def _scenarios(report: RiskReport) -> Iterator[str]:
    known = [(each, each.profit) for each in report.scenarios if each.profit is not None]
    if known:
        draw = charts.bars([each.name for each, _ in known], [profit for _, profit in known])
        caption = f"Positions held unchanged, without costs; closes to {report.as_of}."
        height = max(LEAST, EDGES + BAR * len(known))
        yield chart("scenarios", "Profit or loss by scenario, USD", caption, draw, height)
    rows = []
    for each in report.scenarios:
        amounts = (NONE, NONE) if each.profit is None else (usd(each.profit), f"{each.profit / report.gross:.1%}")
        without = "; ".join((*(f"{symbol}: {why}" for symbol, why in each.without.items()), each.reason)).strip("; ")
        rows.append((each.name, *amounts, causes_of(each), betas_of(each), without))
    head = ("scenario", "USD", "of gross", "caused by", "by beta", "without")
    yield f'<div class="scroll">{table(rows, head)}</div>'
    paths = [
        (
            each.name,
            *(usd(day.profit) for day in each.path),
            *(NONE for _ in range(LONGEST_RUN - len(each.path))),
            f"{usd(each.profit)}, {each.last}",
            usd(each.path[-1].total),
        )
        for each in report.scenarios
        if each.path and each.profit is not None
    ]
    if paths:
        days = (f"day {day + 1}" for day in range(LONGEST_RUN))
        yield f'<div class="scroll">{figures(("path, USD", *days, "lowest", "end"), paths)}</div>'


def _value_at_risk(report: RiskReport) -> Iterator[str]:
    rows = []
    for (horizon, method), found in groupby(report.estimates, lambda each: (each.horizon, each.method)):
        amounts = [usd(amount) for each in found for amount in (each.var, each.shortfall)]
        rows.append((name_of(horizon, method, report), *amounts))
    yield "<h3>Value at risk</h3>" + figures(("loss, USD", *LOSSES), rows)


def _backtest(report: RiskReport) -> Iterator[str]:
    rows = [
        (
            f"{each.method} {each.level * 100:.0f} %",
            each.violations,
            f"{each.expected:.1f}",
            *(p_value(test) for test in (each.coverage, each.independence, each.conditional)),
            verdict_of(each),
        )
        for each in report.tests
    ]
    if rows:
        head = (f"1-day VaR, {report.tests[0].days:,} days", "over", "expected", "p count", "p order", "p both", "")
        yield "<h3>The VaR against what was lost</h3>" + figures(head, rows)


def _correlations(report: RiskReport) -> Iterator[str]:
    shown = list(report.symbols[:MOST_SYMBOLS])
    cells = [
        [None if math.isnan(value) else float(value) for value in row[: len(shown)]]
        for row in report.correlations[: len(shown)]
    ]
    rest = len(report.symbols) - len(shown)
    more = f"; {rest} more are in the JSON" if rest else ""
    caption = f"Daily returns of the {report.days} days from {report.first}{more}."
    draw = charts.heat_map(cells, shown, shown, None, lambda value: f"{value:.2f}")
    yield chart("correlations", "Correlations", caption, draw, max(LEAST, EDGES + ROW * len(shown)))


def _stresses(report: RiskReport) -> Iterator[str]:
    rows = []
    for each in report.stresses:
        amounts = [usd(amount) for both in zip(each.var, each.shortfall, strict=True) for amount in both]
        rows.append((each.stress.name, stress_terms(each), *amounts))
    head = ("normal 1-day loss, USD, correlations", "", *LOSSES)
    yield "<h3>Stress of correlations and volatilities</h3>" + figures(head, rows)
