"""A report as a self-contained HTML file, with charts of the equity and of its causes (AN-06)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.analytics.equity_change import Part
from core.analytics.html_text import escaped
from core.model.session import HOME
from core.model.signal import EXIT_WORDS
from core.model.values import ZERO, Money, plain, priced
from core.post_mortem.page import WIDTH, amounts, document, table
from core.post_mortem.trade_text import name_of, usd
from core.reports.figures import biggest_of, by_cause, by_strategy, not_taken, result_of, the_biggest
from core.reports.head import head_of, quiet_line, table_of, title_of
from core.reports.report import Report
from core.reports.words import (
    SHOWN,
    controls_of,
    more_trades,
    of_not_taken,
    quality_of,
    shown_trades,
    standing_of,
    unprotected_in_words,
)

HEIGHT, PAD = 200, 6
"""Pixels of the equity chart."""


def page(report: Report) -> str:
    """Return the complete file."""
    return document(f"Keyturn: {title_of(report)}", _body(report))


def _body(report: Report) -> Iterator[str]:
    if report.is_quiet:
        yield f"<p>{escaped(quiet_line(report))}</p>"
        return
    yield from (f"<p>{escaped(line.strip())}</p>" for line in head_of(report))
    if report.is_week:
        yield table(table_of(report))
    yield _curve(report)
    if report.trades:
        yield "<h2>Trades</h2>" + table(_trades(report))
        yield from (f"<p>{escaped(line)}</p>" for line in more_trades(report))
        yield "<h2>By strategy</h2>" + amounts(_strategies(report))
        yield "<h2>By cause</h2>" + amounts(by_cause(each.told for each in report.trades))
    if report.parts:
        yield "<h2>Equity by position and cash</h2>" + amounts(the_biggest(report.parts, SHOWN))
    if report.found.let_go:
        yield "<h2>Not taken, and what it would have made</h2>" + table(
            [(of_not_taken(each), usd(each.would_have_made)) for each in not_taken(report.found.let_go)]
        )
    for name, lines in (
        ("Controls", controls_of(report)),
        ("Shares without their stop", unprotected_in_words(report)),
        ("Data and connection", quality_of(report)),
        ("Stands at the end", standing_of(report)),
    ):
        if rows := [(line,) for line in lines]:
            yield f"<h2>{name}</h2>{table(rows)}"


def _trades(report: Report) -> Iterator[Sequence[str]]:
    for each in shown_trades(report):
        told, trade = each.told, each.told.story.trade
        part = biggest_of(told)
        yield (
            usd(result_of(told)),
            f"{HOME.local(trade.exit_time):%a %H:%M}",
            f"{trade.symbol} {plain(trade.quantity)} {'long' if told.story.is_long else 'short'}",
            trade.strategy,
            f"{priced(trade.entry_price)} → {priced(trade.exit_price)}",
            each.entered,
            EXIT_WORDS[trade.exit_reason][0],
            "" if part is None else f"{name_of(part)} {usd(part.amount)}",
            told.story.key[:6],
        )


def _strategies(report: Report) -> list[Part]:
    found = by_strategy(each.told for each in report.trades)
    parts = [Part(each.strategy, each.result) for each in found[:SHOWN]]
    if rest := found[SHOWN:]:
        parts.append(Part(f"{len(rest)} more", Money(sum((each.result for each in rest), ZERO))))
    return parts


def _curve(report: Report) -> str:
    """Return the equity chart, with a line between the days."""
    points = report.curve
    values = [float(value) for _, value in report.equity]
    if len(set(values)) <= 1:
        return ""
    low, high = min(values), max(values)

    def x(number: int) -> float:
        return number * WIDTH / (len(values) - 1)

    def y(value: float) -> float:
        return HEIGHT - PAD - (value - low) / (high - low) * (HEIGHT - 2 * PAD)

    line = " ".join(f"{x(number):.1f},{y(value):.1f}" for number, value in enumerate(values))
    days = "".join(
        f'<line x1="{x(number):.1f}" x2="{x(number):.1f}" y1="0" y2="{HEIGHT}" stroke="#9aa4ae"/>'
        f'<text x="{x(number) + 4:.1f}" y="12">{point.day:%a %d}</text>'
        for number, point in enumerate(points)
        if not number or points[number - 1].day != point.day
    )
    drawn = f'{days}<polyline fill="none" stroke="#1f77b4" stroke-width="1.5" points="{line}"/>'
    words = f"Equity by fills and the closes of bars, {low:,.2f} to {high:,.2f} USD"
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{drawn}</svg><p>{escaped(words)}</p>'
