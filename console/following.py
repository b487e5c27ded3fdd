"""What an act of the operator's leads to some frames later: a proposal's ticket, a sent order's row, or a refusal."""

from __future__ import annotations

from console.awaited import PATIENCE, Awaited, NotStaged, Staged, awaited
from console.screens.behind import Behind
from core.model.values import ClientOrderId, Symbol
from core.views import DeskView
from widgets.grid import Grid


class Following:
    """At most one proposal and one order are waited for: the newest that was asked for."""

    def __init__(self, behind: Behind, orders: Grid) -> None:
        self.behind = behind
        self.orders = orders
        self._awaited: Awaited | None = None
        self._order: tuple[ClientOrderId, float] | None = None

    def wait_for_proposal(self, view: DeskView, symbol: Symbol, strategy: str) -> None:
        self._awaited = awaited(view, symbol, strategy, self.behind.now())

    def wait_for_order(self, order_id: ClientOrderId) -> None:
        self._order = (order_id, self.behind.now())

    def look(self, view: DeskView, may_open: bool) -> None:
        """One picture; `may_open` is false while a dialog is open, which is never covered by another uninvited."""
        self._look_for_order(view)
        self._look_for_proposal(view, may_open)

    def _look_for_order(self, view: DeskView) -> None:
        if self._order is None:
            return
        order_id, since = self._order
        if any(row.id == order_id for row in view.orders):
            self.orders.select(order_id)
            self._order = None
        elif self.behind.now() - since > PATIENCE:
            self._order = None

    def _look_for_proposal(self, view: DeskView, may_open: bool) -> None:
        if self._awaited is None:
            return
        waited = self.behind.now() - self._awaited.since
        match self._awaited.answer(view):
            case Staged(proposal_id):
                self._awaited = None
                if may_open:
                    self.behind.open_ticket(proposal_id)
            case NotStaged(reason):
                self._awaited = None
                self.behind.say(reason, "warning")
            case None if waited > PATIENCE:
                self._awaited = None
                self.behind.say("no answer; nothing was staged", "warning")
