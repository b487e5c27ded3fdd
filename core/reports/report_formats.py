"""A report as JSON and as a self-contained HTML file (AN-06)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from core.analytics import charts
from core.analytics.charts import chart
from core.analytics.equity import Part
from core.analytics.presentation import document, figures, paragraphs, table
from core.model.order_terms import order_in_words
from core.model.session import HOME
from core.model.signal import EXIT_WORDS
from core.model.sizing import UNKNOWN
from core.model.values import ZERO, Money, plain, priced
from core.post_mortem.page import MORE, amounts, cents, name_of, part_as_json, usd
from core.reports.figures import (
    Fall,
    Figures,
    OfGroup,
    biggest_of,
    by_cause,
    by_exit_reason,
    by_strategy,
    not_taken,
    result_of,
    the_biggest,
)
from core.reports.report import Held, Report, StillStands, TradeTold
from core.reports.report_text import (
    SHOWN,
    SUMMARIES,
    controls_of,
    counted,
    head_of,
    more_trades,
    of_not_taken,
    quality_of,
    quiet_line,
    shown_trades,
    standing_of,
    summary_in_words,
    table_of,
    title_of,
    unprotected_in_words,
)
from core.risk.regime import in_words as regime_in_words


def as_json(report: Report) -> dict[str, object]:
    """Return the report: `whole` and `days` have the sums, `trades`, `strategies` and `causes` their origin."""
    trades = [each.told for each in report.trades]
    return {
        "is_week": report.is_week,
        "whole": _figures(report.whole),
        "explained": _cents(report.explained),
        "rest": _cents(report.rest),
        "days": [_figures(day) for day in report.days],
        "week_before": None if report.week_before is None else _figures(report.week_before),
        "trades": [_trade(each) for each in report.trades],
        "strategies": [_group("strategy", each) for each in by_strategy(trades)],
        "exit_reasons": [_group("reason", each) for each in by_exit_reason(trades)],
        "causes": [part_as_json(part) for part in by_cause(trades)],
        "parts": [part_as_json(part) for part in report.parts],
        "not_taken": [
            {
                "strategy": each.strategy,
                "entries": each.many,
                "ends": dict(each.ends),
                "not_followed": each.left_out,
                "would_have_made": _cents(each.would_have_made),
            }
            for each in not_taken(report.found.let_go)
        ],
        "controls": [
            {
                "control": each.name,
                "did": each.kind.value,
                "times": each.many,
                "last": each.record.at,
                "words": each.words,
            }
            for each in report.controls.acted
        ],
        "near_misses": [
            {
                "control": each.name,
                "times": each.many,
                "of_limit": None if each.most is None else f"{each.most:.4f}",
                "at": each.record.at,
                "words": each.words,
            }
            for each in report.controls.near
        ],
        "unprotected": [
            {
                "why": each.why.value,
                "times": each.times,
                "seconds": round(each.spent.total_seconds(), 3),
                "longest_seconds": round(each.longest.total_seconds(), 3),
                "open": each.open,
                "last_at": each.last_at,
            }
            for each in report.unprotected
        ],
        "quality": {
            "minutes": report.quality.bars,
            "symbols": report.quality.symbols,
            "starts": list(report.quality.starts),
            "ends": list(report.quality.ends),
            "comparisons": report.quality.comparisons,
            "troubles": [
                {
                    "what": each.name,
                    "times": each.many,
                    "seconds": None if each.span is None else round(each.span.total_seconds(), 3),
                    "at": each.at,
                    "words": each.words,
                }
                for each in report.quality.troubles
            ],
        },
        "by_the_broker": None
        if report.by_the_broker is None
        else {
            "at": report.by_the_broker.at,
            "equity": cents(report.by_the_broker.equity),
            "cash": cents(report.by_the_broker.cash),
        },
        "standing": _standing(report.standing),
        "fall": None if report.fall is None else _fall(report.fall),
        "quarter": None if report.quarter is None else asdict(report.quarter),
        "summaries": [
            {"day": each.day, "agent": each.agent, "at": each.at, "text": each.text} for each in report.summaries
        ],
    }


def _cents(amount: Money | None) -> str | None:
    return None if amount is None else cents(amount)


def _group(of: str, each: OfGroup) -> dict[str, object]:
    return {
        of: each.name,
        "trades": each.trades,
        "won": None if each.is_failed else each.won,
        "result": cents(each.result),
        "failed": each.is_failed,
    }


def _figures(figures: Figures) -> dict[str, object]:
    return {
        "first": figures.first.isoformat(),
        "last": figures.last.isoformat(),
        "trades": figures.trades,
        "won": figures.won,
        "failed": figures.failed,
        "result": cents(figures.result),
        "realised": _cents(figures.realised),
        "fees": cents(figures.fees),
        "fees_of_the_account": cents(figures.charged),
        "opening": _cents(figures.opening),
        "closing": _cents(figures.closing),
        "equity_change": _cents(figures.change),
    }


def _trade(each: TradeTold) -> dict[str, object]:
    trade, part = each.told.story.trade, biggest_of(each.told)
    return {
        "symbol": trade.symbol,
        "strategy": trade.strategy,
        "side": "long" if each.told.story.is_long else "short",
        "quantity": plain(trade.quantity),
        "entry_price": plain(trade.entry_price),
        "exit_price": plain(trade.exit_price),
        "entered": each.entered,
        "left": trade.exit_reason.value,
        "left_at": trade.exit_time,
        "result": cents(result_of(each.told)),
        "biggest": None if part is None else part_as_json(part),
        "exit_order": trade.exit_order,
        "record": each.told.story.record,
    }


def _standing(found: StillStands) -> dict[str, object]:
    return {
        "positions": [_held(each) for each in found.held],
        "open_result": cents(found.open_result),
        "orders": [order_in_words(order) for order in found.orders],
        "exits_waiting": [order_in_words(each.order) for each in found.exits],
        "entries_waiting": [order_in_words(each.order) for each in found.entries],
        "in_doubt": [order_in_words(order) for order in found.doubts],
        "shut": list(found.shut),
        "regime": None if found.regime == UNKNOWN else regime_in_words(found.regime),
    }


def _fall(fall: Fall) -> dict[str, object]:
    return {"amount": cents(fall.amount), "fraction": float(fall.fraction), "from": fall.begins, "to": fall.ends}


def _held(each: Held) -> dict[str, object]:
    return {
        "symbol": each.symbol,
        "strategy": each.strategy,
        "quantity": plain(each.standing.quantity),
        "average_price": None if each.standing.average is None else plain(each.standing.average),
        "last": None if each.last is None else plain(each.last),
        "stop": None if each.stop is None else plain(each.stop),
        "stop_held_by": each.holder.value,
        "covered": plain(each.covered),
        "open_result": _cents(each.open_result),
    }


TRADES_HEAD = ("USD", "closed", "position", "strategy", "prices", "entered", "left", "largest part", "order")
"""The columns of the table of trades."""


def page(report: Report) -> str:
    """Return the complete file."""
    return document(f"Keyturn: {title_of(report)}", _body(report), MORE + charts.STYLE)


def _body(report: Report) -> Iterator[str]:
    if report.is_quiet:
        yield from paragraphs([quiet_line(report)])
        return
    yield from paragraphs(line.strip() for line in head_of(report))
    if report.is_week:
        head, *days = table_of(report)
        yield figures(head, days)
    yield _curve(report)
    if report.trades:
        yield "<h2>Trades</h2>" + table(_trades(report), TRADES_HEAD)
        yield from paragraphs(more_trades(report))
        yield "<h2>By strategy</h2>" + amounts(_strategies(report))
        reasons = by_exit_reason(each.told for each in report.trades)
        yield "<h2>By exit reason</h2>" + amounts([Part(counted(each), each.result) for each in reasons])
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
    if report.summaries:
        yield f"<h2>{SUMMARIES.capitalize()}</h2>"
        yield from paragraphs(map(summary_in_words, report.summaries))


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
    parts = [Part(each.name, each.result) for each in found[:SHOWN]]
    if rest := found[SHOWN:]:
        parts.append(Part(f"{len(rest)} more", Money(sum((each.result for each in rest), ZERO))))
    return parts


def _curve(report: Report) -> str:
    """Return the equity chart of the days, by the time of the venue; empty if the equity did not move."""
    points = report.equity
    values = [float(value) for _, value in points]
    if len(set(values)) <= 1:
        return ""
    words = f"Equity by fills and the closes of bars, {min(values):,.2f} to {max(values):,.2f} USD."
    draw = charts.lines([at for at, _ in points], [("equity", values, charts.FIRST)], charts.dollars)
    return chart("equity", "Equity, USD", words, draw)
