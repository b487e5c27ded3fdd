"""A report as text of about one page (AN-06)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from textwrap import wrap

from core.analytics.equity import Part
from core.analytics.presentation import plotted
from core.model.order import StopHolder
from core.model.order_terms import OWED, order_in_words
from core.model.report_sheet import at_a_blank
from core.model.session import HOME
from core.model.signal import EXIT_WORDS, FAILED_WORDS
from core.model.sizing import UNKNOWN
from core.model.values import ZERO, Money, percent, plain, priced
from core.post_mortem.missed_trades import TripKind
from core.post_mortem.page import WIDTH, name_of, usd
from core.reports.figures import (
    Figures,
    NotTaken,
    OfGroup,
    biggest_of,
    by_cause,
    by_exit_reason,
    by_strategy,
    not_taken,
    result_of,
    the_biggest,
)
from core.reports.quality import Noted, lasted
from core.reports.report import ByTheBroker, Held, Report, StillStands, Summary, TradeTold
from core.risk.regime import in_words as regime_in_words


def span_of(report: Report) -> str:
    """Format the days, `2026-11-19` or `2026-11-16..2026-11-20`, as `explain` takes them."""
    whole = report.whole
    return f"{whole.first}" if whole.first == whole.last else f"{whole.first}..{whole.last}"


def title_of(report: Report) -> str:
    whole = report.whole
    if report.is_week:
        return f"Week of {whole.first:%d %B %Y} to {whole.last:%d %B %Y}"
    return f"{whole.first:%A %d %B %Y}"


def quiet_line(report: Report) -> str:
    whole = report.whole
    equity = "" if whole.opening is None else f"; equity still {whole.opening:,.2f} USD"
    if whole.change is not None:
        equity = f"; equity {usd(whole.change)} USD, now {whole.closing:,.2f}"
    return f"{title_of(report)}: nothing was traded, held or proposed{equity}"


def head_of(report: Report) -> Iterator[str]:
    """Yield the result in two or three lines."""
    whole = report.whole
    yield f"{title_of(report)}: {equity_in_words(report)}"
    parts = "" if whole.realised in (None, whole.result) else f", realised by all fills {usd(whole.realised)}"
    fees = f"fees of fills {usd(whole.fees)}{_charged(whole)}"
    yield f"  {trades_in_words(whole)}: {usd(whole.result)} USD{parts}; {fees}"
    if report.standing.held:
        yield f"  open result {open_in_words(report.standing)}"
    if report.explained is not None and report.rest is not None:
        yield (
            f"  of the equity trades made {usd(whole.result)}, what else was held or moved "
            f"{usd(report.explained - whole.result)}; rest, explained by no record {usd(report.rest)}"
        )
    else:
        known = sum((part.amount for part in report.parts), ZERO)
        last, opening = _newest_list(report), whole.opening
        rest = None if last is None or opening is None else last.equity - opening - known
        yield f"  explained so far {usd(known)} USD" + ("" if rest is None else f"; not yet {usd(rest)}")
    for note in dict.fromkeys(note for day in report.found.days for note in day.notes):
        yield f"  note: {note}"
    if report.is_week:
        yield from (f"  {line}" for line in risk_of(report))
    if report.week_before is not None:
        yield f"  the week before: {short_of(report.week_before)}"


def _newest_list(report: Report) -> ByTheBroker | None:
    """Return the broker's list of the last day, unless prices went on after it: a morning's says nothing of the day."""
    last = report.by_the_broker
    return None if last is not None and report.curve and report.curve[-1].at > last.at else last


def open_in_words(standing: StillStands) -> str:
    """Describe what is not realised yet: `+12.40 USD, 2 positions`."""
    unknown = sum(each.open_result is None for each in standing.held)
    without = f", {unknown} of them without a price" if unknown else ""
    return f"{usd(standing.open_result)} USD, {many(len(standing.held), 'position')}{without}"


def _charged(figures: Figures) -> str:
    return f", of the account {usd(figures.charged)}" if figures.charged else ""


def risk_of(report: Report) -> Iterator[str]:
    """The deepest drawdown of the week, and of the quarter with its Sharpe ratio."""
    if (fall := report.fall) is not None:
        ends = f"{HOME.local(fall.begins):%a %H:%M} to {HOME.local(fall.ends):%a %H:%M}"
        yield f"deepest drawdown {usd(Money(-fall.amount))} USD ({fall.fraction * 100:.2f} %), {ends}"
    if (quarter := report.quarter) is None:
        return
    if quarter.max_drawdown is not None:
        sharpe = f"needs {quarter.needed}" if quarter.returns < quarter.needed else "–: the closes do not move"
        if quarter.sharpe is not None:
            sharpe = f"{quarter.sharpe:.2f} a year"
        deepest = f"{abs(quarter.max_drawdown) * 100:.2f} %"
        yield f"last {many(quarter.returns, 'session')}, by closes: deepest drawdown {deepest}; Sharpe {sharpe}"


def equity_in_words(report: Report) -> str:
    whole, last = report.whole, _newest_list(report)
    if whole.change is not None:
        return f"equity {usd(whole.change)} USD, {whole.opening:,.2f} → {whole.closing:,.2f}"
    if whole.opening is None:
        return "equity not recorded yet"
    if last is None:
        now: Decimal = whole.opening
        for day, of_day in zip(report.days, report.found.days, strict=True):
            now = now + of_day.explained if day.closing is None else day.closing
        return f"equity {usd(now - whole.opening)} USD so far by fills and prices, {whole.opening:,.2f} → {now:,.2f}"
    at = HOME.clock(last.at)
    return f"equity {usd(last.equity - whole.opening)} USD up to {at}, {whole.opening:,.2f} → {last.equity:,.2f}"


def trades_in_words(figures: Figures) -> str:
    if not figures.trades:
        return "no trade closed"
    failed = f", {figures.failed} {FAILED_WORDS}" if figures.failed else ""
    return f"{many(figures.trades, 'trade')} closed, {figures.won} won{failed}"


def short_of(figures: Figures) -> str:
    return (
        f"equity {usd(figures.change)} USD; {trades_in_words(figures)}: {usd(figures.result)}; fees {usd(figures.fees)}"
        f"{_charged(figures)}"
    )


def table_of(report: Report) -> list[tuple[str, ...]]:
    """Return the table of a week: the headings, a row per day, and the total."""
    rows: list[tuple[str, ...]] = [("day", "equity", "result", "trades", "won", "fees", "closing")]
    for each in (*report.days, report.whole):
        name = "in all" if each is report.whole else f"{each.first:%a %d %B}"
        closing = "–" if each.closing is None else f"{each.closing:,.2f}"
        many = (str(each.trades), str(each.won))
        rows.append((name, usd(each.change), usd(each.result), *many, usd(each.fees), closing))
    return rows


def many(number: int, what: str) -> str:
    """Format a count: `1 trade`, `1,950 minutes`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


SHOWN, FEW = 6, 3
"""Rows of a list on a page, and of one that is rarely long; more are counted."""
HEIGHT = 5
"""Lines of the plot."""
WORDS = 110
"""The maximum length of a record's text on a page."""
COLUMNS = (12, 12, 8, 5, 10, 16)
"""Widths of the columns after the day in the table of a week."""
SUMMARIES = "summarised by agents, in their words: no figure here is the desk's"
NAME = 36
"""Columns of a name before its amount."""


def lines_of(report: Report) -> Iterator[str]:
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
    yield from _section("by exit reason", map(group_in_words, by_exit_reason(each.told for each in report.trades)))
    yield from _section("by cause", _amounts(by_cause(each.told for each in report.trades)))
    yield from _section("equity by position and cash", _amounts(the_biggest(report.parts, SHOWN)))
    yield from _section("not taken, and what it would have made", _not_taken(report))
    yield from _section("controls", controls_of(report))
    yield from _section("shares without their stop", unprotected_in_words(report))
    yield from _section("data and connection", quality_of(report))
    yield from _section("stands at the end", standing_of(report))
    yield from _section(SUMMARIES, (line for each in report.summaries for line in wrap(summary_in_words(each), WIDTH)))


def summary_in_words(told: Summary) -> str:
    return f"{told.agent}, of {told.day}, {dated(told.at)}: {told.text}"


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
    traded = [each for each in found if not each.is_failed]
    yield from map(group_in_words, traded[:SHOWN])
    if rest := traded[SHOWN:]:
        yield f"{f'… and {len(rest)} more':<{NAME}}{usd(sum((each.result for each in rest), ZERO)):>12}"
    yield from (group_in_words(each) for each in found if each.is_failed)
    if len(found) > 1:
        yield f"{'in all':<{NAME}}{usd(report.whole.result):>12}"
    if report.is_week and len(report.trades) > 1:
        ends = sorted(report.trades, key=lambda each: result_of(each.told))
        yield f"best {_named(ends[-1])}, worst {_named(ends[0])}"


def group_in_words(each: OfGroup) -> str:
    return f"{counted(each):<{NAME}}{usd(each.result):>12}"


def counted(each: OfGroup) -> str:
    """Format `vwap: 12 trades, 7 won`."""
    won = "" if each.is_failed else f", {each.won} won"
    return f"{each.name}: {many(each.trades, 'trade')}{won}"


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
    left_out = f", {each.left_out} not followed" if each.left_out else ""
    return f"{each.strategy}: {', '.join(f'{many} {end}' for end, many in each.ends)}{left_out}"


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
    now += "" if held.open_result is None else f", open {usd(held.open_result)}"
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
    return at_a_blank(words, WORDS)
