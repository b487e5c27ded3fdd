"""Events while no desk was attached, with times (RK-27)."""

from __future__ import annotations

from datetime import datetime

from console.details.lines import WIDTH
from core.views import AwayView, DeskView
from widgets import format as f
from widgets.format import short_ids
from widgets.lines import Cell, TextLine
from widgets.ticket import wrapped

BEFORE = 16
"""Cells of the kind before the text of an event."""


def away(view: DeskView, _key: str, now: datetime) -> list[TextLine]:
    """Return the period, the number of events of each kind, and the events in order."""
    if view.away is None:
        return []
    lines: list[TextLine] = [(Cell(_span(view.away, now), "strong"),), (Cell(_counts(view.away)),)]
    for row in view.away.rows:
        lines += wrapped(f"{f.dated_clock(row.at, now)}  {row.kind:<{BEFORE}}", short_ids(row.words), WIDTH)
    left = sum(count for _, count in view.away.counts) - len(view.away.rows)
    return [*lines, *([(Cell(f"{left} more; the log has them", "muted"),)] if left else [])]


def _span(away: AwayView, now: datetime) -> str:
    until = "now" if away.until is None else f.dated_clock(away.until, now)
    return f"no desk from {f.dated_clock(away.since, now)} to {until}"


def _counts(away: AwayView) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in away.counts) or "nothing happened"
