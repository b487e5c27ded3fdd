"""A report as lines of text, about one page for any journal; long lists are cut, with a note (AN-06)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from core.analytics.equity_change import Part
from core.analytics.plot import plotted
from core.model.order import StopHolder
from core.model.order_terms import OWED, order_in_words
from core.model.session import HOME
from core.model.signal import EXIT_WORDS
from core.model.sizing import UNKNOWN
from core.model.values import ZERO, percent, plain, priced
from core.post_mortem.missed_trades import TripKind
from core.post_mortem.trade_text import WIDTH, name_of, usd
from core.reports.figures import NotTaken, biggest_of, by_cause, by_strategy, not_taken, result_of, the_biggest
from core.reports.head import head_of, many, quiet_line, span_of, table_of
from core.reports.quality import Noted, lasted
from core.reports.report import Report, TradeTold
from core.reports.standing import Held
from core.risk.regime import in_words as regime_in_words

SHOWN, FEW = 6, 3
"""Rows of a list on a page, and of one that is rarely long; more are counted."""
HEIGHT = 5
"""Lines of the plot."""
WORDS = 110
"""The maximum length of a record's text on a page."""
COLUMNS = (12, 12, 8, 5, 10, 16)
"""Widths of the columns after the day in the table of a week."""
NAME = 36
"""Columns of a name before its amount."""


def lines_of(report: Report) -> Iterator[str]:
    """Yield the lines of the page."""
    if report.is_quiet:
        yield quiet_line(report)
        return
    yield from head_of(report)
    if report.is_week:
        yield from (_row(row) for row in table_of(report))
    equity = [float(value) for _, value in report.equity]
    yield from plotted(equity if len(set(equity)) > 1 else [], WIDTH, HEIGHT, lambda equity: f"{equity:,.2f}")
    yield from _section("trades", trades_of(report))
    yield from _section("by strategy", _strategies(report))
    yield from _section("by cause", _amounts(by_cause(each.told for each in report.trades)))
    yield from _section("equity by position and cash", _amounts(the_biggest(report.parts, SHOWN)))
    yield from _section("not taken, and what it would have made", _not_taken(report))
    yield from _section("controls", controls_of(report))
    yield from _section("shares without their stop", unprotected_in_words(report))
    yield from _section("data and connection", quality_of(report))
    yield from _section("stands at the end", standing_of(report))


def _section(name: str, lines: Iterator[str]) -> Iterator[str]:
    """Yield a section, or nothing if it has no lines."""
    for number, line in enumerate(lines):
        if not number:
            yield name
        yield f"  {line}"


def _row(cells: tuple[str, ...]) -> str:
    name, *rest = cells
    return f"  {name:<15}" + "".join(f"{cell:>{wide}}" for cell, wide in zip(rest, COLUMNS, strict=True))


# ── trades ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def trades_of(report: Report) -> Iterator[str]:
    """Yield the trades in order; of many only those with the largest results."""
    for each in shown_trades(report):
        yield from _trade(each)
    yield from more_trades(report)


def more_trades(report: Report) -> Iterator[str]:
    if (more := len(report.trades) - SHOWN) > 0:
        yield f"… and {more} more: keyturn explain {span_of(report)}"


def shown_trades(report: Report) -> list[TradeTold]:
    biggest = sorted(range(len(report.trades)), key=lambda number: -abs(result_of(report.trades[number].told)))
    return [report.trades[number] for number in sorted(biggest[:SHOWN])]


def _trade(each: TradeTold) -> Iterator[str]:
    told, trade = each.told, each.told.story.trade
    part = biggest_of(told)
    mostly = "" if part is None else f"; mostly {name_of(part)} {usd(part.amount)}"
    side = "long" if told.story.is_long else "short"
    yield (
        f"{usd(result_of(told)):>10}  {trade.symbol} {plain(trade.quantity)} {side}, {trade.strategy}: "
        f"{priced(trade.entry_price)} → {priced(trade.exit_price)}, {EXIT_WORDS[trade.exit_reason][0]}{mostly} "
        f"(order {told.story.key[:6]})"
    )
    if each.entered:
        yield f"{'':>12}entered: {cut(each.entered)}"


def _strategies(report: Report) -> Iterator[str]:
    found = by_strategy(each.told for each in report.trades)
    for each in found[:SHOWN]:
        name = f"{each.strategy}: {many(each.trades, 'trade')}, {each.won} won"
        yield f"{name:<{NAME}}{usd(each.result):>12}"
    if rest := found[SHOWN:]:
        yield f"{f'… and {len(rest)} more':<{NAME}}{usd(sum((each.result for each in rest), ZERO)):>12}"
    if len(found) > 1:
        yield f"{'in all':<{NAME}}{usd(report.whole.result):>12}"
    if report.is_week and len(report.trades) > 1:
        ends = sorted(report.trades, key=lambda each: result_of(each.told))
        yield f"best {_named(ends[-1])}, worst {_named(ends[0])}"


def _named(each: TradeTold) -> str:
    trade = each.told.story.trade
    day = f"{HOME.local(trade.exit_time):%a}"
    return f"{trade.symbol} {trade.strategy} {usd(result_of(each.told))} on {day} (order {each.told.story.key[:6]})"


def _amounts(parts: Sequence[Part]) -> Iterator[str]:
    for part in parts:
        yield f"{name_of(part):<{NAME}}{usd(part.amount):>12}"
    if parts:
        yield f"{'in all':<{NAME}}{usd(sum((part.amount for part in parts), ZERO)):>12}"


# ── missed trades ────────────────────────────────────────────────────────────────────────────────────────────────────


def _not_taken(report: Report) -> Iterator[str]:
    found = not_taken(report.found.let_go)
    for each in found[:SHOWN]:
        yield f"{of_not_taken(each):<{NAME + 14}}{usd(each.would_have_made):>12}"
    if (more := len(found) - SHOWN) > 0:
        yield f"… and {more} more strategies: keyturn explain {span_of(report)}"


def of_not_taken(each: NotTaken) -> str:
    return f"{each.strategy}: {', '.join(f'{many} {end}' for end, many in each.ends)}"


# ── controls, data, state ────────────────────────────────────────────────────────────────────────────────────────────


def controls_of(report: Report) -> Iterator[str]:
    """Yield the actions, the most frequent first, then the near misses."""
    acted = sorted(report.controls.acted, key=lambda each: (each.kind is TripKind.REFUSED, -each.many))
    for each in acted[:SHOWN]:
        yield f"{each.name} {each.kind.value}{_times(each.many, each.record.at)}: {cut(each.words)}"
    if (more := len(acted) - SHOWN) > 0:
        yield f"… and {more} more controls: keyturn explain {span_of(report)}"
    for miss in report.controls.near[:FEW]:
        how = "warned" if miss.most is None else f"at {percent(miss.most, 0)} of its limit"
        yield f"near: {miss.name} {how}{_times(miss.many, miss.record.at)}: {cut(miss.words)}"
    if (more := len(report.controls.near) - FEW) > 0:
        yield f"near: … and {more} more controls"


def _times(many: int, last: datetime) -> str:
    return f" {dated(last)}" if many == 1 else f" {many} times, last {dated(last)}"


def unprotected_in_words(report: Report) -> Iterator[str]:
    """Describe each cause.

    `62.4 s in all, 2 times, the longest 60.1 s, last Thu 14:03: in doubt at the broker, looked up`
    """
    for each in report.unprotected:
        going = f", {each.open} not over" if each.open else ""
        times = f"{_seconds(each.spent)} in all, {many(each.times, 'time')}{going}"
        yield f"{times}, the longest {_seconds(each.longest)}, last {dated(each.last_at)}: {OWED[each.why]}"


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():,.1f} s"


def quality_of(report: Report) -> Iterator[str]:
    quality = report.quality
    heard = f"{many(quality.bars, 'minute')} of {many(quality.symbols, 'symbol')}"
    ran = f"{many(len(quality.starts), 'start')} and {many(len(quality.ends), 'end')} of the engine"
    yield f"{heard}; {ran}; {many(quality.comparisons, 'comparison')} with the broker"
    for each in quality.troubles[:SHOWN]:
        yield f"{trouble_in_words(each)}: {cut(each.words)}"
    if (more := len(quality.troubles) - SHOWN) > 0:
        yield f"… and {more} more: keyturn explain {span_of(report)}"
    if report.by_the_broker is not None:
        last = report.by_the_broker
        yield f"by the broker's list at {dated(last.at)}: equity {last.equity:,.2f}, cash {last.cash:,.2f} USD"


def trouble_in_words(each: Noted) -> str:
    """Describe a trouble: `disconnects 3, 14 min in all, last Thu 14:03`."""
    when = dated(each.at)
    span = "" if each.span is None else f", {lasted(each.span)}"
    if each.many == 1:
        return f"{each.name} 1{span}, {when}"
    return f"{each.name} {each.many}{f'{span} in all' if span else ''}, last {when}"


def standing_of(report: Report) -> Iterator[str]:
    found = report.standing
    for held in found.held[:SHOWN]:
        yield held_in_words(held)
    if (more := len(found.held) - SHOWN) > 0:
        yield f"… and {more} more positions"
    yield from _few("SHUT", [cut(words) for words in found.shut])
    yield from _few("exit waits for its key", [order_in_words(each.order) for each in found.exits])
    yield from _few("entry waits for its key", [order_in_words(each.order) for each in found.entries])
    yield from _few("in doubt at the broker", [order_in_words(order) for order in found.doubts])
    yield from _few("works", [order_in_words(order) for order in found.orders])
    if found.regime != UNKNOWN:
        yield f"market regime: {regime_in_words(found.regime)}"


def _few(name: str, things: Sequence[str]) -> Iterator[str]:
    yield from (f"{name}: {each}" for each in things[:FEW])
    if (more := len(things) - FEW) > 0:
        yield f"{name}: … and {more} more"


def held_in_words(held: Held) -> str:
    standing = held.standing
    at = "" if standing.average is None else f" at {priced(standing.average)}"
    now = "" if held.last is None else f", last {priced(held.last)}"
    return f"{plain(standing.quantity)} {held.symbol} {held.strategy}{at}{now}: {_stop(held)}"


def _stop(held: Held) -> str:
    where = "" if held.stop is None else f" {priced(held.stop)}"
    match held.holder:
        case StopHolder.BROKER:
            part = "" if held.covered >= abs(held.standing.quantity) else f", for {plain(held.covered)} of it alone"
            return f"stop{where} at the broker{part}"
        case StopHolder.DESK:
            return f"stop{where} held by this desk"
        case StopHolder.YOU:
            return "NO STOP"


def dated(at: datetime) -> str:
    """Format a time with its weekday: `Thu 14:03`."""
    return f"{HOME.local(at):%a %H:%M}"


def cut(words: str) -> str:
    return words if len(words) <= WORDS else f"{words[: WORDS - 1]}…"
