"""`x` and `X` in Orders: cancel the working entries of one symbol, or all, after a question that names each.

Only the named orders are cancelled, by id: no later entry, no entry that has filled meanwhile, and no order that guards
or reduces. Any desk may cancel entries (OP-13).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from console.order_words import order_in_words
from console.screens.dialog import DialogHost
from console.screens.question import WIDTH, EverybodysQuestion
from core.messages.commands import RequestCancel
from core.model.order import OrderStatus
from core.model.values import ClientOrderId, Symbol
from core.views import DeskView, OrderRow
from widgets import format as f
from widgets.format import short_ids
from widgets.lines import Cell, TextLine

MOST_LINES = 10
"""Lines for names in a question, as many as fit in the smallest terminal; an unnamed order is not cancelled."""
BETWEEN = "  "
STAY = "Stops, targets and exits stay."
PATIENCE = 5.0
"""Seconds to wait for the broker's answers."""


@dataclass(frozen=True, slots=True)
class AskedToGo:
    """The requested cancels and their time."""

    ids: Collection[ClientOrderId]
    since: float


class EntryCancels:
    """Follows at most one request, the newest."""

    def __init__(self, behind: DialogHost) -> None:
        self.behind = behind
        self._asked: AskedToGo | None = None

    # ── the question ─────────────────────────────────────────────────────────────────────────────────────────────

    def ask_for_symbol(self, view: DeskView, symbol: Symbol) -> None:
        entries = [row for row in view.orders if row.symbol == symbol and row.can_be_cancelled_as_entry]
        self._ask(entries, f"Cancel the entries of {symbol}?", f"no entry of {symbol} works")

    def ask_for_all(self, view: DeskView) -> None:
        entries = [row for row in view.orders if row.can_be_cancelled_as_entry]
        self._ask(entries, "Cancel all working entries?", "no entry works")

    def _ask(self, entries: Sequence[OrderRow], title: str, nothing: str) -> None:
        if not entries:
            self.behind.say(f"{nothing}: there is nothing to cancel")
            return
        names = {row.id: entry_in_words(row) for row in entries}
        lines, named = _named(names)
        if left := len(names) - len(named):
            lines.append((Cell(f"{left} more have no room here and stay: ask again for them", "warning"),))
        lines.append((Cell(STAY, "muted"),))
        does = f"cancel {'it' if len(named) == 1 else f'these {len(named)}'}"
        self.behind.ask(EverybodysQuestion(self.behind, title, lines, does, lambda: self._cancel(named)))

    def _cancel(self, named: dict[ClientOrderId, str]) -> None:
        """Cancel the orders that still work; ended ones are reported."""
        view = self.behind.view
        if view is None:
            return
        rows = {row.id: row for row in view.orders if row.id in named}
        going = [order_id for order_id, row in rows.items() if row.can_be_cancelled_as_entry]
        for order_id in going:
            self.behind.handle.send(RequestCancel(order_id))
        self._asked = AskedToGo(going, self.behind.now()) if going else None
        over = _over(row for id, row in rows.items() if id not in going)
        asked = f"asked to cancel {_entries(len(going))}" if going else "nothing was cancelled"
        self.behind.say("; ".join([asked, *over]), "warning" if over else "")

    # ── the result ───────────────────────────────────────────────────────────────────────────────────────────────

    def look(self, view: DeskView) -> None:
        """Take a new view; once all have ended, report that and name those that filled."""
        if self._asked is None:
            return
        rows = [row for row in view.orders if row.id in self._asked.ids]
        working = [row for row in rows if row.status.is_working]
        if working and self.behind.now() - self._asked.since <= PATIENCE:
            return
        gone = sum(row.status is OrderStatus.CANCELLED for row in rows)
        said = [f"{_entries(gone)} cancelled"] if gone else []
        said += _over(row for row in rows if row.status is not OrderStatus.CANCELLED or row.filled_quantity)
        said += [f"{entry_in_words(row)} is not gone yet" for row in working]
        self._asked = None
        self.behind.say("; ".join(said), "warning" if len(said) > 1 or not gone else "")


def _over(rows: Iterable[OrderRow]) -> list[str]:
    """Format ended orders, such as `BUY 300 BAC limit 13.85 is FILLED: not cancelled`, with the filled part."""
    told = []
    for row in rows:
        name, filled = entry_in_words(row), f.quantity(row.filled_quantity)
        if row.status is OrderStatus.CANCELLED and row.filled_quantity:
            told.append(f"{filled} of {name} filled before")
        elif row.status.is_terminal:
            told.append(f"{name} is {short_ids(row.state_in_words)}: not cancelled")
    return told


def _named(names: dict[ClientOrderId, str]) -> tuple[list[TextLine], dict[ClientOrderId, str]]:
    """Return the lines of names, one or several on each, and the orders that they name."""
    if len(names) <= MOST_LINES:
        return [(Cell(name, "strong"),) for name in names.values()], names
    lines = [""]
    named: dict[ClientOrderId, str] = {}
    for order_id, name in names.items():
        fuller = f"{lines[-1]}{BETWEEN}{name}" if lines[-1] else name
        if len(fuller) <= WIDTH:
            lines[-1] = fuller
        elif len(lines) < MOST_LINES:
            lines.append(name)
        else:
            break
        named[order_id] = name
    return [(Cell(line, "strong"),) for line in lines], named


def entry_in_words(order: OrderRow) -> str:
    """Format `BUY 47 SPY limit 166.76`, or `BUY 300 BAC limit 13.85, 60 filled` for a partial fill."""
    is_partial = order.status is OrderStatus.PARTIALLY_FILLED
    return (
        f"{order_in_words(order)}, {f.quantity(order.filled_quantity)} filled" if is_partial else order_in_words(order)
    )


def _entries(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"
