"""What a basket may send: what was marked and signed, each order once, what reduces first, and nothing after its end.

Like the auditor it decides nothing by the desk's own state: it knows the facts, and the keys that a person pressed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from core import facts
from core.messages.commands import BasketRow
from core.model.basket import Basket, BasketEnd, BasketPhase, BasketSource, SignedOrder, digest_of_basket
from core.model.order import OrderRequest
from core.model.staging import AuthorizationKind, Proposal, StandingAuthorization, Ticket
from core.model.values import ClientOrderId, Digest, ProposalId, TicketId

if TYPE_CHECKING:
    from simulation.auditor import Seen


@dataclass(slots=True)
class PlanKeys:
    """What a person pressed at baskets, and what was on the screen then.

    Attributes
    ----------
    files
        The rows that were written under a name.
    marks
        Basket, order, and whether the key set its mark or took it away.
    signatures
        What was painted as going when `P` was pressed on a basket and a digest.
    told
        Baskets that asked when the operator said go on.
    stops
        The journal's last record when the operator put a basket aside or stopped it; nothing of it goes after that.
    """

    files: dict[str, tuple[BasketRow, ...]] = field(default_factory=dict)
    marks: set[tuple[TicketId, ProposalId, bool]] = field(default_factory=set)
    signatures: dict[tuple[TicketId, Digest], tuple[OrderRequest, ...]] = field(default_factory=dict)
    told: set[TicketId] = field(default_factory=set)
    stops: dict[TicketId, int] = field(default_factory=dict)

    def go_back_to(self, sequence: int) -> None:
        """Forget the stops of a later folder: a basket that comes again in the older one is another of the same id."""
        self.stops = {basket: at for basket, at in self.stops.items() if at <= sequence}


@dataclass(slots=True)
class PlanSeen:
    """One basket as the facts tell it; `shut` says why nothing of it may go any more."""

    plan: Basket
    marked: set[ProposalId]
    signed: facts.BasketSigned | None = None
    turns: set[ProposalId] = field(default_factory=set)
    redeemed: set[str] = field(default_factory=set)
    skipped: set[ProposalId] = field(default_factory=set)
    asked: bool = False
    shut: str = ""
    end: BasketEnd | None = None

    @property
    def runs(self) -> bool:
        return self.signed is not None and self.end is None


class PlanAudit:
    """The auditor's part for baskets; what is wrong goes where the auditor's own goes."""

    def __init__(self, auditor: Any) -> None:
        self.auditor = auditor
        self.require = auditor.require
        self.plans: dict[TicketId, PlanSeen] = {}
        self.turns: dict[TicketId, tuple[PlanSeen, SignedOrder]] = {}
        self.authorizations: dict[str, tuple[PlanSeen, SignedOrder]] = {}
        self.hearers = {
            facts.BasketOpened: self._opened,
            facts.BasketMarked: self._marked,
            facts.BasketSigned: self._signed,
            facts.BasketTurnBegun: self._turn,
            facts.BasketOrderSkipped: self._skipped,
            facts.BasketPhaseChanged: self._moved,
            facts.BasketEnded: self._ended,
            facts.Halted: self._shut,
            facts.Killed: self._shut,
            facts.EngineStarted: self._shut,
        }

    def hear(self, sequence: int, at: datetime, fact: facts.Fact) -> None:
        self._sequence, self._at = sequence, at
        hearer = self.hearers.get(type(fact))
        if hearer is not None:
            hearer(fact)

    # ── until it is signed (OP-05) ───────────────────────────────────────────────────────────────────────────────

    def _opened(self, fact: facts.BasketOpened) -> None:
        plan = fact.plan
        self.require(plan.id not in self.plans, f"basket {plan.id} was opened twice")
        self.require(
            not any(seen.runs for seen in self.plans.values()), f"basket {plan.id} opened beside one that runs"
        )
        reduces = [line.proposal.only_reduces for line in plan.lines]
        self.require(reduces == sorted(reduces, reverse=True), f"basket {plan.id}: a buy stands before a sell")
        comes_marked = {line.proposal.id for line in plan.lines} if plan.source is BasketSource.FLATTEN else set()
        self.require(set(fact.marked) == comes_marked, f"basket {plan.id} came with other marks than its kind has")
        for line in plan.lines:
            if plan.source is BasketSource.FILE:
                self._as_written(plan, line.proposal)
            else:
                waiting = self.auditor.story.proposals.get(line.proposal.id)
                self.require(waiting == line.proposal, f"basket {plan.id}: {line.proposal.id} is not what waited")
            if plan.source is BasketSource.FLATTEN:
                self.require(line.proposal.is_exit, f"basket {plan.id}: {line.proposal.id} is no exit")
        self.plans[plan.id] = PlanSeen(plan, set(fact.marked))

    def _as_written(self, plan: Basket, proposal: Proposal) -> None:
        """No order is another, or for more, than its row said (RK-18: what was worked out stays within it)."""
        place = proposal.reason.split(",")[0].split(";")[0]
        rows = [row for row in self.auditor.world.plan_keys.files[plan.name] if row.place == place]
        name, order = f"basket {plan.id}: {place}", proposal.order
        if len(rows) != 1:
            self.auditor.wrong.append(f"{name} was never written")
            return
        (row,) = rows
        self.require(order.symbol == row.symbol, f"{name} is about {order.symbol}, not {row.symbol}")
        self.require(
            order.effect.only_reduces is row.effect.only_reduces, f"{name} is {order.effect}, not {row.effect}"
        )
        self.require((order.type, order.limit_price) == (row.type, row.limit_price), f"{name} has another price")
        if row.quantity is not None:
            is_within = order.quantity <= row.quantity if row.effect.only_reduces else order.quantity == row.quantity
            self.require(is_within, f"{name}: {order.quantity}, and {row.quantity} were written")
        elif row.notional is not None and row.limit_price is not None:
            self.require(order.quantity * row.limit_price <= row.notional, f"{name} costs more than was written")
        if not row.effect.only_reduces and row.stop_price is not None:
            stop = getattr(proposal.stop, "price", None)
            self.require(stop == row.stop_price, f"{name} has its stop at {stop}, not at {row.stop_price}")

    def _marked(self, fact: facts.BasketMarked) -> None:
        seen = self.plans[fact.plan_id]
        key = (fact.plan_id, fact.proposal_id, fact.is_marked)
        self.require(key in self.auditor.world.plan_keys.marks, f"basket {fact.plan_id}: a mark that nobody set")
        self.require(seen.signed is None and seen.end is None, f"basket {fact.plan_id} was marked after its key")
        (seen.marked.add if fact.is_marked else seen.marked.discard)(fact.proposal_id)

    def _signed(self, fact: facts.BasketSigned) -> None:
        seen, world = self.plans[fact.plan_id], self.auditor.world
        name, account = f"basket {fact.plan_id}", world.engine.state.account_name
        painted = world.plan_keys.signatures.get((fact.plan_id, fact.digest))
        orders = tuple(signed.proposal.order for signed in fact.orders)
        self.require(painted is not None, f"{name} was signed and no such key was pressed")
        self.require(painted is None or painted == orders, f"{name}: what was signed is not what was painted")
        digests = tuple(signed.digest(account) for signed in fact.orders)
        signed_as = digest_of_basket(account, fact.plan_id, digests, fact.taken_back)
        self.require(signed_as == fact.digest, f"{name}: not its digest")
        is_flattening = seen.plan.source is BasketSource.FLATTEN
        self.require(is_flattening or not fact.taken_back, f"{name} takes entries back and flattens nothing")
        self.require(seen.signed is None, f"{name} was signed twice")
        self.require(seen.end is None and not seen.shut, f"{name} was signed after its end")
        self.require(fact.plan_id not in self._stopped(), f"{name} was signed after it was put aside")
        self.require(self._at < seen.plan.ends_at, f"{name} was signed after its time")
        lines = {line.proposal.id: line.proposal for line in seen.plan.lines}
        for signed, authorization in zip(fact.orders, fact.authorizations, strict=True):
            proposal = signed.proposal
            self.require(proposal.id in seen.marked, f"{name}: {proposal.id} was signed without its mark")
            self.require(lines.get(proposal.id) == proposal, f"{name}: {proposal.id} is not what was opened")
            self._is_for_it(name, authorization, signed, fact)
            self.authorizations[authorization.id] = seen, signed
        seen.signed = fact

    def _is_for_it(
        self, name: str, authorization: StandingAuthorization, signed: SignedOrder, fact: facts.BasketSigned
    ) -> None:
        order = signed.proposal.order
        its = (AuthorizationKind.BASKET, order.client_order_id, order.symbol, order.side, order.quantity, fact.ends_at)
        its_own = authorization
        given = (its_own.kind, its_own.parent, its_own.symbol, its_own.side, its_own.quantity, its_own.ends_at)
        self.require(given == its, f"{name}: the authorization {authorization.id} is not for {order.client_order_id}")
        self.require(
            authorization.id not in self.authorizations,
            f"{name}: {authorization.id} was given before",
        )
        self.auditor.story.authorizations[authorization.id] = authorization

    # ── order by order (EX-10) ───────────────────────────────────────────────────────────────────────────────────

    def _turn(self, fact: facts.BasketTurnBegun) -> None:
        seen = self.plans[fact.plan_id]
        signed = (
            next((o for o in seen.signed.orders if o.proposal.id == fact.proposal_id), None) if seen.signed else None
        )
        if signed is None:
            self.auditor.wrong.append(f"basket {fact.plan_id}: {fact.proposal_id} has a turn and was not signed")
            return
        self.require(fact.proposal_id not in seen.turns, f"basket {fact.plan_id}: {fact.proposal_id} has a second turn")
        self.require(
            fact.proposal_id not in seen.skipped, f"basket {fact.plan_id}: {fact.proposal_id} was told as not sent"
        )
        self._may_go(seen, signed)
        seen.turns.add(fact.proposal_id)
        self.turns[fact.ticket_id] = seen, signed

    def permits(self, ticket: Ticket, fact: facts.ConfirmationReceived) -> bool:
        """Whether a ticket that nobody pressed a key on is an order's turn: exactly what was signed (OP-02)."""
        if ticket.id not in self.turns:
            return False
        _, signed = self.turns[ticket.id]
        name = f"ticket {ticket.id}"
        self.require(ticket.order == signed.proposal.order, f"{name} is not the order that the basket's key signed")
        self.require(ticket.digest == signed.digest(ticket.account), f"{name} lists other stops than were signed")
        authorization = fact.approval.authorization_id or ""
        its = self.authorizations.get(authorization)
        self.require(
            its is not None and its[1] is signed, f"{name} is confirmed by {authorization}, which is not for it"
        )
        return True

    def redeem(self, fact: facts.ApprovalRedeemed) -> None:
        """A turn's approval: it goes, once."""
        authorization, ticket = fact.approval.authorization_id or "", fact.approval.ticket_id
        if authorization not in self.authorizations:
            return
        seen, signed = self.authorizations[authorization]
        name = f"basket {seen.plan.id}: {signed.order_id}"
        self.require(self.turns.get(ticket) == (seen, signed), f"{name} goes without its turn")
        self.require(authorization not in seen.redeemed, f"{name} goes a second time")
        confirmed = self.auditor.story.confirmed.get(ticket)
        is_its = confirmed is not None and confirmed.approval == fact.approval
        self.require(is_its, f"{name} goes by another approval than its turn gave")
        self.require(fact.client_order_id == signed.order_id, f"{name} goes as {fact.client_order_id}")
        self.require(fact.quantity <= signed.proposal.order.quantity, f"{name} goes for more than was signed")
        self._may_go(seen, signed)
        seen.redeemed.add(authorization)

    def _may_go(self, seen: PlanSeen, signed: SignedOrder) -> None:
        name, keys = f"basket {seen.plan.id}: {signed.order_id}", self.auditor.world.plan_keys
        assert seen.signed is not None
        self.require(not seen.shut, f"{name} goes, and the basket is over: {seen.shut}")
        self.require(seen.end is None, f"{name} goes after the basket's end")
        stopped = keys.stops.get(seen.plan.id)
        self.require(stopped is None or self._sequence <= stopped, f"{name} goes after the operator's stop")
        self.require(self._at < seen.signed.ends_at, f"{name} goes after the time that was signed")
        if signed.proposal.only_reduces:
            return
        open_ = [o.order_id for o in seen.signed.orders if o.proposal.only_reduces and not self._is_filled(o)]
        is_told = seen.asked and seen.plan.id in keys.told
        self.require(not open_ or is_told, f"{name} opens, and sells of its basket are not filled: {open_}")
        waiting = [o.order_id for o in seen.signed.orders if o.proposal.only_reduces and self._has_no_turn(seen, o)]
        self.require(not waiting, f"{name} opens before the turn of {waiting}")

    def _is_filled(self, signed: SignedOrder) -> bool:
        order = self._standing_for(signed)
        return order is not None and order.filled >= order.order.quantity

    def _standing_for(self, signed: SignedOrder) -> Seen | None:
        """Its order, or the one that went again for it under a new id (EX-24)."""
        orders = self.auditor.story.orders
        again = (seen for seen in orders.values() if seen.again_of == signed.order_id)
        return next(again, orders.get(signed.order_id))

    def _has_no_turn(self, seen: PlanSeen, signed: SignedOrder) -> bool:
        return signed.proposal.id not in seen.turns | seen.skipped

    def _skipped(self, fact: facts.BasketOrderSkipped) -> None:
        self.plans[fact.plan_id].skipped.add(fact.proposal_id)

    def _moved(self, fact: facts.BasketPhaseChanged) -> None:
        seen, name = self.plans[fact.plan_id], f"basket {fact.plan_id}"
        self.require(seen.runs, f"{name} moves to {fact.phase.value} and does not run")
        is_over = seen.shut or fact.plan_id in self._stopped()
        self.require(
            not is_over or fact.phase is BasketPhase.REPORTING, f"{name} goes on to {fact.phase.value}: {is_over}"
        )
        if fact.phase is BasketPhase.ASKING:
            seen.asked = True

    def _stopped(self) -> set[TicketId]:
        stops = self.auditor.world.plan_keys.stops
        return {plan_id for plan_id, sequence in stops.items() if self._sequence > sequence}

    # ── its end ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _shut(self, fact: facts.Halted | facts.Killed | facts.EngineStarted) -> None:
        """A halt, a kill or a restart ends what was signed, but a flattening a restart alone; what was not signed a
        restart ends (OP-07, EX-20).
        """
        for seen in self.plans.values():
            if seen.plan.source is BasketSource.FLATTEN and not isinstance(fact, facts.EngineStarted):
                continue
            if seen.end is None and (seen.signed is not None or isinstance(fact, facts.EngineStarted)):
                seen.shut = seen.shut or type(fact).__name__

    def _ended(self, fact: facts.BasketEnded) -> None:
        seen, story, name = self.plans[fact.plan_id], self.auditor.story, f"basket {fact.plan_id}"
        self.require(seen.end is None, f"{name} ended twice")
        seen.end = fact.end
        is_signed = fact.end in (BasketEnd.DONE, BasketEnd.STOPPED)
        self.require(is_signed is (seen.signed is not None), f"{name} is {fact.end.value}, signed {bool(seen.signed)}")
        if seen.signed is None or fact.report is None:
            return
        for signed, line in zip(seen.signed.orders, fact.report.lines, strict=True):
            order = self._standing_for(signed)
            true = (None, Decimal(0)) if order is None else (order.status, order.filled)
            self.require(
                (line.status, line.filled) == true, f"{name} reports {line.status} {line.filled} of {signed.order_id}"
            )
            is_mute = order is None and not line.reason
            self.require(not is_mute, f"{name}: {signed.order_id} never went, and its end does not say why")
            is_left = seen.plan.source is BasketSource.FILE and signed.proposal.id in story.waiting
            self.require(not is_left, f"{name} is over, and {signed.proposal.id} of it waits")

    def unended(self) -> list[str]:
        """Baskets that were signed and never ended, though everything has settled."""
        return [f"basket {seen.plan.id} never ended" for seen in self.plans.values() if seen.runs]

    def order_ids(self) -> set[ClientOrderId]:
        """Orders of all baskets that were signed."""
        return {signed.order_id for _, signed in self.authorizations.values()}

    def asked(self) -> int:
        """How many baskets asked the operator."""
        return sum(seen.asked for seen in self.plans.values())
