"""A report as a message: its first lines, for people away from the desk (SY-03).

It triggers nothing. Every line is made harmless: no link, no code, no name of an order.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.model.harmless_words import harmless
from core.post_mortem.trade_text import usd
from core.reports.figures import by_strategy, not_taken
from core.reports.head import head_of, quiet_line, title_of
from core.reports.report import Report
from core.reports.words import controls_of, held_in_words, of_not_taken, trouble_in_words

MOST = 4
"""The maximum length of each list."""


def subject_of(report: Report, desk: str) -> str:
    """Return the subject: `Keyturn paper-demo: Thursday 19 November 2026`."""
    return harmless(f"{f'Keyturn {desk}'.strip()}: {title_of(report)}")


def text_of(report: Report) -> str:
    """Return short lines, one per topic."""
    return "\n".join(harmless(line) for line in _lines(report))


def _lines(report: Report) -> Iterator[str]:
    if report.is_quiet:
        yield quiet_line(report)
        return
    yield from head_of(report)
    if strategies := by_strategy(each.told for each in report.trades):
        yield _listed("by strategy", [f"{each.strategy} {usd(each.result)}" for each in strategies])
    if found := not_taken(report.found.let_go):
        told = [f"{of_not_taken(each)} would have made {usd(each.would_have_made)}" for each in found]
        yield _listed("not taken", told)
    if controls := list(controls_of(report)):
        yield _listed("controls", controls)
    if troubles := report.quality.troubles:
        yield _listed("data and connection", [trouble_in_words(each) for each in troubles])
    standing = report.standing
    if standing.held:
        yield _listed("held", [held_in_words(each) for each in standing.held])
    waiting = (
        (len(standing.exits), "exits waiting for a key"),
        (len(standing.entries), "entries waiting for a key"),
        (len(standing.orders), "orders working"),
        (len(standing.doubts), "orders in doubt"),
    )
    if told := [f"{words} {many}" for many, words in waiting if many]:
        yield _listed("at the end", told)
    if standing.shut:
        yield _listed("shut", list(standing.shut))


def _listed(name: str, things: list[str]) -> str:
    more = f"; and {len(things) - MOST} more" if len(things) > MOST else ""
    return f"{name}: {'; '.join(things[:MOST])}{more}"
