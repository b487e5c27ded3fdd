"""The last look before the wire: an order leaves only with an approval for exactly it, unused, in time, unlatched.

The gateway knows nothing of why an order is wanted. It compares, and lets pass or names what is wrong (OP-02, OP-08).
It keeps its own used set, apart from the staging's, so that one mistake alone sends nothing twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from core.advisers.authority import only_for_people
from core.effects import ReplaceOrder, SubmitOrder
from core.model.hours import new_york_clock


class Latch(Protocol):
    """The kill latch as it stands this instant; read just before each request."""

    def shut(self) -> str | None:
        """Why nothing that opens or adds may leave now, or None."""
        ...


@dataclass(slots=True)
class Gateway:
    account: str
    latch: Latch
    used: set[str] = field(default_factory=set)

    def refusal(self, effect: SubmitOrder | ReplaceOrder, now: datetime) -> str | None:
        """Why this order must not leave, or None; where None, its approval is used up by the asking.

        Raises
        ------
        UnauthorizedAIActionError
            An adviser calls (OP-09).
        """
        only_for_people("send an order")
        order, approval = effect.order, effect.approval
        if not order.effect.only_reduces and (reason := self.latch.shut()):
            return f"{reason}: nothing that opens or adds leaves"
        if approval.id in self.used:
            return f"approval {approval.id} was used already; confirm a new ticket"
        if approval.order_digest != order.digest(self.account):
            return f"the order is not the one that approval {approval.id} was given for; confirm a new ticket"
        if now > approval.lapses_at:
            again = "confirm a new ticket" if approval.mandate_id is None else "what was signed permits it no more"
            return f"approval {approval.id} lapsed at {new_york_clock(approval.lapses_at)}; {again}"
        self.used.add(approval.id)
        return None
