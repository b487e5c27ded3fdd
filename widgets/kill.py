"""What the kill screen says: since when, what is taken back, which stops stay, what nobody protects (OP-07)."""

from __future__ import annotations

from core.model.values import plain
from core.views import DeskView, OrderRow, PositionRow
from widgets import format as f
from widgets.lines import Cell, TextLine
from widgets.ticket import wrapped


def halted_lines(view: DeskView | None, width: int) -> list[TextLine]:
    """Before `K`."""
    if view is None:
        return [(Cell("HALTED before the engine was there: it starts halted.", "urgent"),)]
    status = view.status
    since = f"HALTED {f.clock(status.halted_at)}" if status.halts else "HALTING…"
    lines: list[TextLine] = [(Cell(f"{since}  No entries. Nothing new leaves.", "urgent"),)]
    for halt in status.halts:
        if not halt.startswith("key:"):
            lines += wrapped("also    ", f"{halt}. Type CLEAR to end this halt", width, "warning")
    return [*lines, *_entries(view, "K cancels ", width), *_protection(view, width)]


def killed_lines(view: DeskView, width: int) -> list[TextLine]:
    """After it."""
    status = view.status
    head = f"KILLED since {f.clock(status.killed_at)} by {status.killed_by}. It stays killed after a restart."
    lines: list[TextLine] = wrapped("", head, width, "urgent")
    lines += _entries(view, "not gone  ", width)
    if not view.kill.entries_working:
        lines.append((Cell("No order works that could open or add."),))
    lines += _protection(view, width)
    if view.positions:
        held = ", ".join(f"{row.symbol} {f.quantity(row.quantity)}" for row in view.positions)
        lines += wrapped("open      ", held, width)
    return lines


def _entries(view: DeskView, label: str, width: int) -> list[TextLine]:
    return [line for row in view.kill.entries_working for line in wrapped(label, _order(row), width, "warning")]


def _protection(view: DeskView, width: int) -> list[TextLine]:
    lines: list[TextLine] = []
    for row in view.kill.stops_working:
        lines += wrapped("stays     ", _order(row), width)
    for held in view.kill.uncovered:
        lines += wrapped("NO STOP   ", _uncovered(held), width, "warning")
    return lines


def _order(row: OrderRow) -> str:
    what = f"{f.side_word(row.side)} {plain(row.quantity)} {row.symbol}"
    marks = f", {', '.join(row.marks)}" if row.marks else ""
    return f"{what} {f.terms(row.type, row.limit_price, row.stop_price)}, {row.status.value}{marks}"


def _uncovered(row: PositionRow) -> str:
    left = abs(row.quantity) - row.covered
    return f"{row.symbol}: {plain(left)} of {plain(abs(row.quantity))} shares have no stop at the broker"
