"""Why the broker is asked to end an order: the journal asked for it, and that is on the disk before.

A request too many does no harm by itself; that nobody can say why it left does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.messages.effects import CancelOrder

if TYPE_CHECKING:
    from simulation.auditor import Auditor


class CancelAudit:
    def __init__(self, auditor: Auditor) -> None:
        self.auditor = auditor
        self.asked_for: dict[str, int] = {}
        """Orders whose end the journal asked for, and did not give up since: the number of that record."""

    def leaves(self, cancel: CancelOrder) -> None:
        """It is about to leave the desk."""
        world, order_id = self.auditor.world, cancel.client_order_id
        seen = self.auditor.story.orders.get(order_id)
        if seen is None:
            is_killed = world.engine.state.control.killed_by is not None
            self._require(is_killed, f"another's order is cancelled, and nobody killed: {cancel}")
            return
        recorded = self.asked_for.get(order_id)
        words = f"{order_id} ({seen.status.value}: {seen.reason}) is cancelled"
        if recorded is None:
            self._require(False, f"{words}, and nobody asked for it")
        else:
            self._require(recorded <= world.journal.synced, f"{words} before that is on the disk")

    def _require(self, claim: bool, otherwise: str) -> None:
        self.auditor.require(claim, otherwise, "unrecorded")
