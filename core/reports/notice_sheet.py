"""A report as the sheet of a notice: the figures of the page that say most, by the same functions (SY-03, AN-06)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from core.model.notification_sanitizer import harmless
from core.model.order_terms import order_in_words
from core.model.report_sheet import ReportSheet, section_of
from core.model.signal import EXIT_WORDS
from core.model.sizing import UNKNOWN
from core.model.values import plain, priced
from core.post_mortem.page import usd
from core.reports.figures import OfGroup, by_exit_reason, by_strategy, not_taken, result_of
from core.reports.report import Report
from core.reports.report_text import (
    controls_of,
    equity_in_words,
    held_in_words,
    many,
    of_not_taken,
    open_in_words,
    quiet_line,
    risk_of,
    short_of,
    shown_trades,
    title_of,
    trades_in_words,
    trouble_in_words,
    unprotected_in_words,
)
from core.risk.regime import in_words as regime_in_words

Rows = Iterable[tuple[str, str]]


def sheet_of(report: Report) -> ReportSheet:
    """Return the sheet: what needs the operator first, because a channel may cut the end."""
    title = title_of(report)
    if report.is_quiet:
        return ReportSheet(harmless(title), harmless(quiet_line(report)))
    whole, kept = report.whole, []
    for name, rows in _sections(report):
        if (section := section_of(name, rows)).rows:
            kept.append(section)
    head = f"{equity_in_words(report)}; {trades_in_words(whole)}: {usd(whole.result)} USD"
    return ReportSheet(harmless(title), harmless(head), tuple(kept))


def _sections(report: Report) -> Iterator[tuple[str, Rows]]:
    standing = report.standing
    waiting = (
        *(("exit", order_in_words(each.order)) for each in standing.exits),
        *(("entry", order_in_words(each.order)) for each in standing.entries),
    )
    yield "shut", (("", words) for words in standing.shut)
    yield "waits for your key at the desk", waiting
    yield "shares without their stop", (("", words) for words in unprotected_in_words(report))
    yield "result", _result(report)
    if report.is_week:
        yield "by day", _days(report)
    told = [each.told for each in report.trades]
    yield "by strategy", map(_group, by_strategy(told))
    yield "by exit reason", map(_group, by_exit_reason(told))
    yield "trades", _trades(report)
    yield "held", (("", held_in_words(each)) for each in standing.held)
    yield (
        "orders",
        chain(
            (("in doubt at the broker", order_in_words(order)) for order in standing.doubts),
            (("works", order_in_words(order)) for order in standing.orders),
        ),
    )
    yield "controls", (("", words) for words in controls_of(report))
    yield "data and connection", (("", trouble_in_words(each)) for each in report.quality.troubles)
    yield "market and what was not taken", _rest(report)


def _days(report: Report) -> Rows:
    for day, of_day in zip(report.days, report.found.days, strict=True):
        equity = f"{usd(of_day.explained)} so far" if day.change is None else usd(day.change)
        trades = f"{trades_in_words(day)}: {usd(day.result)}"
        yield f"{day.first:%a %d %B}", f"equity {equity}; {trades}; fees {usd(day.fees)}"


def _group(each: OfGroup) -> tuple[str, str]:
    won = "" if each.is_failed else f", {each.won} won"
    return each.name, f"{usd(each.result)}, {many(each.trades, 'trade')}{won}"


def _result(report: Report) -> Rows:
    whole = report.whole
    if whole.realised is not None:
        yield "realised by all fills", f"{usd(whole.realised)} USD"
    yield "open result", open_in_words(report.standing)
    fees = f", of the account {usd(whole.charged)}" if whole.charged else ""
    yield "fees of fills", f"{usd(whole.fees)} USD{fees}"
    if report.rest is not None:
        yield "explained by no record", f"{usd(report.rest)} USD"
    if report.is_week:
        yield from (("", line) for line in risk_of(report))
    if report.week_before is not None:
        yield "the week before", short_of(report.week_before)


def _trades(report: Report) -> Rows:
    for each in shown_trades(report):
        trade = each.told.story.trade
        side = "long" if each.told.story.is_long else "short"
        yield (
            usd(result_of(each.told)),
            f"{trade.symbol} {plain(trade.quantity)} {side}, {trade.strategy}: {priced(trade.entry_price)} → "
            f"{priced(trade.exit_price)}, {EXIT_WORDS[trade.exit_reason][0]}",
        )
    if (more := len(report.trades) - len(shown_trades(report))) > 0:
        yield "", f"and {more} more, each smaller"


def _rest(report: Report) -> Rows:
    regime = report.standing.regime
    yield "market regime", "not measured" if regime == UNKNOWN else regime_in_words(regime)
    for each in not_taken(report.found.let_go):
        yield "not taken", f"{of_not_taken(each)} would have made {usd(each.would_have_made)}"
