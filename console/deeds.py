"""What a key on a row, or one for the whole desk, asks of the engine: decline, close, cancel, flatten.

Each says on the last line what it did; none of them sends an order: what opens or closes is staged, and gets a ticket.
"""

from __future__ import annotations

from collections.abc import Callable

from console.following import Following
from console.screens.behind import Behind
from console.screens.question import CancelQuestion
from core.inputs import Decline, ProposeClose, ProposeFlattening, RequestCancel
from core.model.values import ClientOrderId, ProposalId
from core.views import DeskView, OrderRow, PositionRow
from widgets import format as f
from widgets.lines import Cell


class Deeds:
    """The acts of the panes, by the name that a pane asks for."""

    def __init__(self, behind: Behind, following: Following) -> None:
        self.behind = behind
        self.following = following
        self._acts: dict[str, Callable[[DeskView, str], None]] = {
            "decline": self._decline,
            "close": self._close,
            "cancel": self._cancel,
        }

    def do(self, what: str, key: str) -> None:
        """`what` on the row with that key; nothing where the row is gone."""
        if self.behind.view is not None:
            self._acts[what](self.behind.view, key)

    def flatten(self) -> None:
        """Stages a close of each position; says what came of it, one picture later."""
        view = self.behind.view
        if view is None:
            return
        if not view.positions:
            self.behind.say("nothing is held")
            return
        exits = {(row.symbol, row.strategy) for row in view.proposals if row.is_urgent}
        waiting = [row.symbol for row in view.positions if (row.symbol, row.strategy) in exits]
        if len(waiting) == len(view.positions):
            self.behind.say(f"an exit of {', '.join(waiting)} waits already: ! opens it", "strong")
            return
        self.following.wait_for_closes(view)
        self.behind.handle.send(ProposeFlattening())
        self.behind.say("staging…")

    def open_urgent_exit(self) -> None:
        view = self.behind.view
        exits = [row for row in view.proposals if row.is_urgent] if view is not None else []
        if exits:
            self.behind.open_ticket(exits[0].id)
        else:
            self.behind.say("no exit waits")

    def _decline(self, _view: DeskView, key: str) -> None:
        self.behind.handle.send(Decline(ProposalId(key), "declined"))

    def _close(self, view: DeskView, key: str) -> None:
        """An exit that waits already is the one to confirm."""
        held = next((row for row in view.positions if row.key == key), None)
        if held is None:
            return
        waiting = self._waiting_exit(view, held)
        if waiting is not None:
            self.behind.open_ticket(waiting)
            return
        self.following.wait_for_proposal(view, held.symbol, held.strategy)
        self.behind.handle.send(ProposeClose(held.symbol))

    def _waiting_exit(self, view: DeskView, held: PositionRow) -> ProposalId | None:
        mine = (r for r in view.proposals if r.is_urgent and (r.symbol, r.strategy) == (held.symbol, held.strategy))
        row = next(mine, None)
        return row.id if row is not None else None

    def _cancel(self, view: DeskView, key: str) -> None:
        order = next((row for row in view.orders if row.id == key), None)
        if order is None:
            return
        if not order.status.is_working:
            self.behind.say(f"this order is {order.status.value} already")
            return
        name = order_in_words(order)
        if not order.is_protective:
            self._send_cancel(order.id, name)
            return
        lines = [(Cell(name, "strong"),), (Cell(f"{order.symbol} would have NO STOP at the broker.", "warning"),)]
        self.behind.ask(CancelQuestion("Cancel this stop?", lines, lambda: self._send_cancel(order.id, name)))

    def _send_cancel(self, order_id: ClientOrderId, name: str) -> None:
        self.behind.handle.send(RequestCancel(order_id))
        self.behind.say(f"asked to cancel {name}")


def order_in_words(order: OrderRow) -> str:
    """`BUY 47 SPY limit 166.76`."""
    what = f"{f.side_word(order.side)} {f.quantity(order.quantity)} {order.symbol}"
    return f"{what} {f.terms(order.type, order.limit_price, order.stop_price)}"
