"""While a clock is in doubt, and while nobody is there: what time alone may do, from the facts alone (EX-23, RK-27)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from core import facts
from core.messages.effects import ReplaceOrder, SubmitOrder
from core.model.codes import SHUTS_ENTRIES_ALONE, CancelCode, HaltCause, ProposalEnd
from core.model.order import OrderStatus
from core.model.staging import AuthorizationKind
from core.workflows.operator.notification_delivery import BY_HAND, EXIT

if TYPE_CHECKING:
    from simulation.auditor import Auditor, Seen

BY_TIME = frozenset({CancelCode.OUTLIVED, CancelCode.UNATTENDED})
AT_MOST = timedelta(seconds=5)
"""From when a signed exit is proposed until it goes, where the broker answers."""


class ClockAudit:
    """`since` is when the doubt began; `waiting` has signed exits that are to go, by proposal, and since when.

    `unjudged` has those of them for which the broker's figures did not come in time. `asked` has the orders for which a
    cancel by time was requested while the clock was good: its repetition carries that out.
    """

    def __init__(self, auditor: Auditor) -> None:
        self.auditor = auditor
        self.since: datetime | None = None
        self.waiting: dict[str, datetime] = {}
        self.unjudged: set[str] = set()
        self.asked: set[str] = set()

    def hear(self, at: datetime, fact: facts.Fact) -> None:
        match fact:
            case facts.ClockJumped() | facts.ClockDiffered():
                self.since = self.since or at
            case facts.ClockSettled():
                self.since = None
            case facts.ExitReleased():
                self._by_time(f"exit {fact.proposal_id} was released", "unrequested")
                self.waiting.pop(fact.proposal_id, None)
            case facts.ProposalEnded():
                self.waiting.pop(fact.proposal_id, None)
                if fact.end is ProposalEnd.EXPIRED:
                    self._by_time(f"{fact.proposal_id} expired")
            case facts.TicketClosed():
                self.unjudged.add(self.auditor.story.tickets[fact.ticket_id].proposal_id)
            case facts.CallAnswered() if fact.call == "figures":
                self.unjudged.clear()
            case facts.CancelRequested() if fact.code in BY_TIME and self.since is None:
                self.asked.add(fact.client_order_id)
            case facts.CancelRequested() if fact.code in BY_TIME and fact.client_order_id not in self.asked:
                self._by_time(f"{fact.client_order_id} was cancelled: {fact.reason}")
            case facts.DayStarted():
                self._by_time(f"{fact.day} began")
            case facts.Halted() if fact.cause is HaltCause.UNATTENDED:
                self._by_time("a dead man's timer ended")
            case facts.ProposalStaged() if fact.proposal.is_exit and self._is_signed(at, fact):
                self.waiting[fact.proposal.id] = at

    def _by_time(self, what: str, zero: str = "") -> None:
        self.auditor.require(self.since is None, f"{what} while the clock was in doubt since {self.since}", zero)

    def _is_signed(self, at: datetime, fact: facts.ProposalStaged) -> bool:
        """Whether its entry's ticket let it go unattended, and nothing but a timer shuts the desk."""
        story, proposal = self.auditor.story, fact.proposal
        only_entries = HaltCause.UNATTENDED in story.halts and story.halts <= SHUTS_ENTRIES_ALONE
        if not only_entries or story.killed or self.since is not None or proposal.exit_reason in BY_HAND:
            return False
        desk, its = self.auditor.world.engine.state, (proposal.symbol, proposal.strategy)
        position = desk.ledger.position(*its)
        if position is None or any(
            seen.status is OrderStatus.REJECTED and (seen.order.symbol, seen.strategy) == its
            for seen in story.orders.values()
        ):
            return False
        uses = desk.stage.authorizations(AuthorizationKind.EXITS, position.entry_order)
        its_own = (
            use for use in uses if use.authorization.side is proposal.order.side and at <= use.authorization.ends_at
        )
        return any(proposal.order.quantity <= use.authorization.quantity - use.released for use in its_own)

    def leaves(self, effect: SubmitOrder | ReplaceOrder, seen: Seen) -> None:
        """No entry that was written in doubt leaves."""
        is_new = self.since is not None and seen.at > self.since
        opens = not effect.order.effect.only_reduces
        words = f"entry {effect.order.client_order_id} leaves, and the clock is in doubt since {self.since}"
        self.auditor.require(not (is_new and opens), words, "unrequested")

    def look(self, at: datetime) -> None:
        """Between two inputs of the engine."""
        if not self.waiting:
            return
        world = self.auditor.world
        if self.since is not None or world.line.waiting or not world.engine.state.control.state.is_reconciled:
            self.waiting = dict.fromkeys(self.waiting, at)
        told = world.engine.state.notifications.state.matters.keys()
        for proposal_id, since in list(self.waiting.items()):
            proposal = self.auditor.story.proposals[proposal_id]
            if proposal_id in self.unjudged and f"{EXIT} {proposal.strategy} {proposal.symbol}" in told:
                self.waiting[proposal_id] = at
            elif at - since > AT_MOST:
                del self.waiting[proposal_id]
                words = f"exit {proposal_id} was signed with its entry, and waits since {since:%H:%M:%S}"
                self.auditor.require(False, f"{words}: a dead man's timer shut it out")
