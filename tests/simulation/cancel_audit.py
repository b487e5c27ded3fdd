"""Why the broker is asked to end an order: the journal asked for it, or what the desk had given up works after all.

A request too many does no harm by itself; that nobody can say why it left does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.messages.effects import CancelOrder
from core.model.codes import EndCode
from core.model.values import ClientOrderId

if TYPE_CHECKING:
    from simulation.auditor import Auditor


class CancelAudit:
    def __init__(self, auditor: Auditor) -> None:
        self.auditor = auditor
        self.asked_for: set[str] = set()
        """Orders whose end the journal asked for, and did not give up since."""

    def leaves(self, cancel: CancelOrder) -> None:
        """It is about to leave the desk."""
        seen = self.auditor.story.orders.get(cancel.client_order_id)
        if seen is None:
            is_killed = self.auditor.world.engine.state.control.killed_by is not None
            self.auditor.require(is_killed, f"another's order is cancelled, and nobody killed: {cancel}")
            return
        has_ended = not seen.status.is_working
        works_after_all = seen.code is EndCode.NEVER_ARRIVED or self._works_there(cancel.client_order_id)
        self.auditor.require(
            cancel.client_order_id in self.asked_for or (has_ended and works_after_all),
            f"{cancel.client_order_id} ({seen.status.value}: {seen.reason}) is cancelled, and nobody asked for it",
        )

    def _works_there(self, order_id: ClientOrderId) -> bool:
        booked = self.auditor.world.exchange._book.find(order_id)
        return booked is not None and booked.is_working
