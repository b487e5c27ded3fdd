"""The first lines of a report: a day or a week in one line, and a table of a week's days (AN-06)."""

from __future__ import annotations

from collections.abc import Iterator

from core.model.session import HOME
from core.model.values import ZERO, Money
from core.post_mortem.trade_text import usd
from core.reports.figures import Figures
from core.reports.report import Report


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
    change = "" if report.whole.change is None else f"; equity {usd(report.whole.change)} USD"
    return f"{title_of(report)}: nothing was traded, held or proposed{change}"


def head_of(report: Report) -> Iterator[str]:
    """Yield the result in two or three lines."""
    whole = report.whole
    yield f"{title_of(report)}: {_equity(report)}"
    parts = "" if whole.realised in (None, whole.result) else f", realised by all fills {usd(whole.realised)}"
    yield f"  {trades_in_words(whole)}: {usd(whole.result)} USD{parts}; fees of fills {usd(whole.fees)}"
    if report.explained is not None and report.rest is not None:
        yield (
            f"  of the equity trades made {usd(whole.result)}, what else was held or moved "
            f"{usd(report.explained - whole.result)}; rest, explained by no record {usd(report.rest)}"
        )
    else:
        known = sum((part.amount for part in report.parts), ZERO)
        last, opening = report.by_the_broker, whole.opening
        rest = None if last is None or opening is None else last.equity - opening - known
        yield f"  explained so far {usd(known)} USD" + ("" if rest is None else f"; not yet {usd(rest)}")
    for note in dict.fromkeys(note for day in report.found.days for note in day.notes):
        yield f"  note: {note}"
    if report.is_week:
        yield from (f"  {line}" for line in _risk(report))
    if report.week_before is not None:
        yield f"  the week before: {_short(report.week_before)}"


def _risk(report: Report) -> Iterator[str]:
    """The deepest drawdown of the week, and of the quarter with its Sharpe ratio."""
    if (fall := report.fall) is not None:
        ends = f"{HOME.local(fall.begins):%a %H:%M} to {HOME.local(fall.ends):%a %H:%M}"
        yield f"deepest drawdown {usd(Money(-fall.amount))} USD ({fall.fraction * 100:.2f} %), {ends}"
    if (quarter := report.quarter) is None:
        return
    if quarter.max_drawdown is not None:
        sharpe = f"needs {quarter.needed}" if quarter.sharpe is None else f"{quarter.sharpe:.2f} a year"
        deepest = f"{abs(quarter.max_drawdown) * 100:.2f} %"
        yield f"last {many(quarter.returns, 'session')}, by closes: deepest drawdown {deepest}; Sharpe {sharpe}"


def _equity(report: Report) -> str:
    whole, last = report.whole, report.by_the_broker
    if whole.change is not None:
        return f"equity {usd(whole.change)} USD, {whole.opening:,.2f} → {whole.closing:,.2f}"
    if whole.opening is None:
        return "equity not recorded yet"
    if last is None:
        closed = [(day.last, day.closing) for day in report.days if day.closing is not None]
        if not closed:
            return "equity not recorded yet"
        day, closing = closed[-1]
        return f"equity {usd(closing - whole.opening)} USD up to {day:%A}, {whole.opening:,.2f} → {closing:,.2f}"
    at = HOME.clock(last.at)
    return f"equity {usd(last.equity - whole.opening)} USD up to {at}, {whole.opening:,.2f} → {last.equity:,.2f}"


def trades_in_words(figures: Figures) -> str:
    return f"{many(figures.trades, 'trade')} closed, {figures.won} won" if figures.trades else "no trade closed"


def _short(figures: Figures) -> str:
    return (
        f"equity {usd(figures.change)} USD; {trades_in_words(figures)}: {usd(figures.result)}; fees {usd(figures.fees)}"
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
