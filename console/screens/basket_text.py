"""The text above the keys of a basket: its head, its orders with the selection, and its events."""

from __future__ import annotations

from datetime import datetime

from core.model.basket import BasketOrderState, BasketPhase
from core.model.values import ProposalId
from core.views import BasketRowView, BasketView
from widgets.basket import detail_lines, event_lines, head_lines, order_lines, report_lines
from widgets.lines import Cell, TextLine

EVENTS = 5
"""Least lines of events while it runs."""


class BasketText:
    """The text of one basket screen.

    Attributes
    ----------
    selected
        The order that the operator selected, or the latest one with activity.
    """

    def __init__(self) -> None:
        self.selected: ProposalId | None = None
        self._moved_in: BasketPhase | None = None

    def take(self, plan: BasketView) -> None:
        """Take a new view; if the selected order is gone, the first is selected."""
        rows = [row.proposal_id for row in plan.rows]
        if self.selected not in rows:
            self.selected = rows[0] if rows else None

    def row(self, plan: BasketView) -> BasketRowView | None:
        """Return the selected row."""
        return next((row for row in plan.rows if row.proposal_id == self.selected), None)

    def move(self, plan: BasketView, step: int) -> bool:
        """Move the selection at the operator's request; return whether there is a row."""
        rows = [row.proposal_id for row in plan.rows]
        if self.selected not in rows:
            return False
        self.selected = rows[max(0, min(len(rows) - 1, rows.index(self.selected) + step))]
        self._moved_in = plan.phase
        return True

    def lines(self, plan: BasketView, now: datetime, width: int, room: int) -> list[TextLine]:
        """Return at most `room` lines; the others are counted."""
        lines = self._lines(plan, now, width, room)
        if len(lines) <= room:
            return lines
        more = f"… {len(lines) - room + 1} lines more: a taller terminal shows them"
        return [*lines[: room - 1], (Cell(more, "warning"),)]

    def _lines(self, plan: BasketView, now: datetime, width: int, room: int) -> list[TextLine]:
        if not plan.is_open:
            self.selected = self._followed(plan)
        head = [*head_lines(plan, now, width), *report_lines(plan, width)]
        below = detail_lines(self.row(plan), width)
        if plan.is_open:
            below = below[: max(1, room // 3)]
            return [*head, *order_lines(plan, self.selected, width, room - len(head) - len(below)), *below]
        wanted = len(plan.rows) + 2
        left = room - len(head)
        listed = order_lines(plan, self.selected, width, max(4, min(wanted, left - EVENTS)))
        below = below[:2] if plan.phase is BasketPhase.OVER else []
        return [*head, *listed, *below, *event_lines(plan, now, width, left - len(listed) - len(below))]

    def _followed(self, plan: BasketView) -> ProposalId | None:
        """Return the order with activity or an error, until the operator moves the selection in this phase."""
        if self._moved_in is plan.phase:
            return self.selected
        signed = [row for row in plan.rows if row.standing is not None]
        busy = [row for row in signed if not row.standing.is_over and row.standing is not BasketOrderState.WAITING]  # type: ignore[union-attr]
        wrong = [row for row in signed if row.standing in (BasketOrderState.REFUSED, BasketOrderState.ENDED)]
        found = [*busy, *wrong] if plan.phase in (BasketPhase.OVER, BasketPhase.ASKING) else busy
        return found[0].proposal_id if found else self.selected
