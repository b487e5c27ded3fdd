"""Holds the desk to what must always be true, from outside: it reads the journal and the exchange's log, and decides
nothing by the desk's own state.

It never raises: it is called from inside the engine, which would take that for a fault of its own and halt. It notes
what is wrong, and the test asks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from core import facts
from core.brokers.simulated.log import CancelRequest, decoded
from core.execution import order_status
from core.execution.ledger_state import UNKNOWN_OWNER, position_key
from core.execution.order import Order
from core.execution.past_orders import order_of
from core.messages.effects import CancelOrder, Effect, ReplaceOrder, SubmitOrder
from core.model.broker import OrderReport
from core.model.codes import SHUTS_ENTRIES_ALONE, BlockCode, CancelCode, EndCode, HaltCause, ProposalEnd, ReadOnlyCode
from core.model.order import AnyRole, Elsewhere, LegRole, OrderClass, OrderRequest, OrderStatus, Side
from core.model.order_terms import StatedTerms
from core.model.signal import ExitReason
from core.model.staging import MANUAL, Approval, AuthorizationKind, Proposal, StandingAuthorization, Ticket
from core.model.values import Quantity, Symbol
from core.ports import NoCheckpoint
from core.risk.protections.protection import GLOBAL
from core.trading_state import checkpoint
from core.trading_state.state import TradingState
from core.workflows.operator.notification_delivery import STOP
from core.workflows.workflow import NEVER
from tests.simulation.bareness import names_stop
from tests.simulation.cancel_audit import CancelAudit
from tests.simulation.clock_audit import ClockAudit
from tests.simulation.corporate_actions import Held
from tests.simulation.corporate_audit import CorporateAudit
from tests.simulation.debt_audit import DebtAudit
from tests.simulation.desk_audit import DeskAudit
from tests.simulation.difference_audit import DifferenceAudit
from tests.simulation.plan_audit import PlanAudit
from tests.simulation.reckoning import A_MOMENT, all_reports, ended_unseen, hangs, is_kept_here
from tests.simulation.refusal_audit import RefusalAudit

MADE_TO_RAISE = "a workflow was made to raise"
"""What says a fault that a session puts into its desk on purpose."""
UNREQUESTED = "unrequested"
"""The zero of orders that no key and no authorization requested."""
TAKEN_AWAY = frozenset({CancelCode.OPERATOR, CancelCode.FLATTENED, CancelCode.KILLED})
A_CENT = Decimal("0.01")
ENDED_BY_WORD = (EndCode.NEVER_ARRIVED, EndCode.FILLED_SHORT)
"""Ends that the desk gives an order when the broker's word cannot be its whole state."""
NOT_OURS = (OrderStatus.EXPIRED, OrderStatus.REJECTED)
"""What explains a stop that is gone while its position is not: a person, the session's end, the broker, the line."""


@dataclass(frozen=True, slots=True)
class Act:
    """A corporate action at the exchange: shares of a symbol that became these, of the same symbol or of another."""

    symbol: Symbol
    to: Symbol
    before: Quantity
    after: Quantity
    new: int = field(default=1, compare=False)
    old: int = field(default=1, compare=False)
    at: datetime | None = field(default=None, compare=False)
    cash: Decimal | None = field(default=None, compare=False)
    """USD a share for which all of them left."""
    held: Mapping[str, Held] = field(default_factory=dict, compare=False)
    """Each owner's shares before."""
    executed: frozenset[str] = field(default=frozenset(), compare=False)
    """Executions of the new shares' symbol before."""
    named: frozenset[str] = field(default=frozenset(), compare=False)
    """Owners whose ticket said that the broker holds their stop."""


@dataclass(slots=True)
class Seen:
    """One order as the facts tell it."""

    order: OrderRequest
    sequence: int
    strategy: str
    at: datetime
    status: OrderStatus = OrderStatus.PENDING
    filled: Decimal = Decimal(0)
    reason: str = ""
    code: EndCode = EndCode.AS_ITS_STATE_SAYS
    blocked: BlockCode | None = None
    parent: str | None = None
    role: AnyRole | None = None
    names_stop: bool = False
    last_fill: datetime | None = None
    came_late: datetime | None = None
    missed_at: datetime | None = None
    """When a look-up first did not find it."""
    beside: tuple[str, ...] = ()
    """Sales of the same shares that were out when this was written."""
    knew: dict[str, Decimal] = field(default_factory=dict)
    """What the desk knew at its key, or then, to be filled of each entry of its owner."""
    is_of_a_stop: bool = False
    """The exit of a stop that the market had passed."""
    taken_back: Decimal = Decimal(0)
    """Shares of its fills that the broker took back."""
    raised: Decimal = Decimal(0)
    """Shares by which the broker made it more than was signed."""
    again_of: str | None = None

    @property
    def is_sale(self) -> bool:
        """An exit, but for stops and legs."""
        return self.order.effect.only_reduces and not self.order.type.is_stop and self.role is None


@dataclass(slots=True)
class Story:
    """What the journal has told so far."""

    proposals: dict[str, Proposal] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)
    paused: set[tuple[str, str]] = field(default_factory=set)
    refused_symbols: set[tuple[str, date]] = field(default_factory=set)
    tickets: dict[str, Ticket] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    confirmed: dict[str, facts.ConfirmationReceived] = field(default_factory=dict)
    at_the_key: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    """By the order of a ticket: what was known at its key to be filled of each entry of its owner."""
    authorizations: dict[str, StandingAuthorization] = field(default_factory=dict)
    unattended: set[str] = field(default_factory=set)
    released: Counter[str] = field(default_factory=Counter)
    used: set[str] = field(default_factory=set)
    redeemed: facts.ApprovalRedeemed | None = None
    orders: dict[str, Seen] = field(default_factory=dict)
    executions: set[str] = field(default_factory=set)
    positions: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    killed: bool = False
    naked: bool = False
    naked_since: int = 0
    """The record in which NAKED was typed last."""
    halts: set[HaltCause] = field(default_factory=set)
    started: int = 0
    down: tuple[datetime, datetime] | None = None
    has_compared: bool = False
    taken_away: set[str] = field(default_factory=set)
    declined: dict[tuple[str, str], int] = field(default_factory=dict)
    """By whose shares: the record in which a person declined their stop last."""
    exits_of_stops: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """By whose shares: when the proposed exit of a stop that the market had passed was withdrawn last."""
    called_off: set[str] = field(default_factory=set)
    raised: int = 0
    """How often a workflow was made to raise."""
    asked_for: dict[str, int] = field(default_factory=dict)
    """Entries whose stop waits for a key, as it could not be written down twice or the broker changed them; since which
    record.
    """
    acts: list[Act] = field(default_factory=list)
    taken_over: set[Symbol] = field(default_factory=set)
    """Symbols whose shares were corrected."""
    of_before: set[str] = field(default_factory=set)
    """Orders for shares of before a corporate action."""
    sent_again: set[str] = field(default_factory=set)
    """Stops and exits that go again by their own name: the broker took no requests, or is proven not to have them."""
    trips: dict[tuple[str, str], datetime | None] = field(default_factory=dict)
    passes: dict[tuple[str, str], tuple[datetime, datetime]] = field(default_factory=dict)


def indexed(state: TradingState) -> tuple[object, ...]:
    """What ledger and stage know beside their state, so that no question scans every order."""
    ledger, stage = state.ledger, state.stage
    groups = {
        (g.symbol, g.side, g.strategy): (g.sums(), set(g.untouched), set(g.touched)) for g in ledger.entry_groups()
    }
    uses = {kind: [use.authorization.id for use in stage.authorizations(kind)] for kind in AuthorizationKind}
    pending, warned = ([order.id for order in orders] for orders in (ledger.pending(), ledger.warned()))
    return groups, {order.id for order in ledger.working_exits()}, pending, warned, uses, list(stage.undecided)


class Auditor:
    """Follows one journal; after a crash a new one reads it from the first line and takes over what was sent."""

    def __init__(self, world: Any, before: Auditor | None = None) -> None:
        self.world = world
        self.story = Story()
        self.wrong: list[str] = before.wrong if before else []
        self.sent: dict[str, OrderRequest] = before.sent if before else {}
        self.zeros: Counter[str] = before.zeros if before else Counter()
        self.is_reading = False
        self.debts = DebtAudit(self)
        self.clocks = ClockAudit(self)
        self.differences = DifferenceAudit(self)
        self.plans = PlanAudit(self)
        self.cancels = CancelAudit(self)
        self.desks = DeskAudit(self)
        self.actions = CorporateAudit(self)
        self.refusals = RefusalAudit(self, before.refusals if before else None)
        self.hearers = {
            facts.EngineStarted: self._started,
            facts.StrategyPaused: self._paused,
            facts.StrategyResumed: self._went_on,
            facts.SymbolRefused: self._symbol_refused,
            facts.ProposalStaged: self._staged,
            facts.ProposalEdited: self._edited,
            facts.ProposalEnded: self._proposal_ended,
            facts.TicketOpened: self._opened,
            facts.TicketClosed: self._closed,
            facts.ExitReleased: self._released_exit,
            facts.ConfirmationReceived: self._confirmed,
            facts.ConfirmationRefused: self._refused,
            facts.ProtectionTripped: self._tripped,
            facts.ProtectionExpired: self._expired,
            facts.ProtectionOverridden: self._overridden,
            facts.OverrideEnded: self._override_ended,
            facts.OrderApproved: self._approved,
            facts.ApprovalRedeemed: self._redeemed,
            facts.OrderCreated: self._created,
            facts.LegResized: self._resized,
            facts.OrderKept: self._kept,
            facts.OrderRestated: self._restated,
            facts.OrderRevived: self._revived,
            facts.KeptOrderReleased: self._released,
            facts.PermissionReturned: self._returned,
            facts.AuthorizationProlonged: self._prolonged,
            facts.OrderStateUnknown: self._doubted,
            facts.OrderNotFound: self._not_found,
            facts.SubmissionBlocked: self._blocked,
            facts.OrderStateChanged: self._changed,
            facts.CancelRequested: self._cancel_requested,
            facts.CancelDropped: self._cancel_dropped,
            facts.OrderFilled: self._filled,
            facts.FillReversed: self._reversed,
            facts.PositionCorrected: self._corrected,
            facts.CorporateActionApplied: self._acted,
            facts.ReconciliationFailed: self._unreconciled,
            facts.StopAskedFor: self._asked_for,
            facts.Halted: self._halted,
            facts.Resumed: self._resumed,
            facts.Killed: self._killed,
            facts.AuthorizationEnded: self._authorization_ended,
            facts.Rearmed: self._rearmed,
        }

    def hear(self, sequence: int, at: datetime, fact: facts.Fact) -> None:
        """One record of the journal."""
        if isinstance(fact, facts.EngineStarted):
            died = getattr(self, "_at", at)
            if self.story.down is not None and not self.story.has_compared:
                died = self.story.down[0]  # it died again before it knew what had happened meanwhile
            self.story.down, self.story.has_compared = (died, at), False
        if isinstance(fact, facts.ReconciliationPassed | facts.ReconciliationFailed):
            self.story.has_compared = True
        self._sequence, self._at = sequence, at
        self.story.counts[type(fact).__name__] += 1
        if isinstance(fact, facts.TradeClosed):
            self.story.counts[fact.trade.exit_reason.value] += 1
        hearer = self.hearers.get(type(fact))
        if hearer is not None:
            hearer(fact)
        self.plans.hear(sequence, at, fact)
        self.desks.hear(at, fact)
        self.debts.hear(at, fact)
        self.clocks.hear(at, fact)
        self.actions.hear(at, fact)
        self.refusals.hear(at, fact)
        if not isinstance(fact, facts.ApprovalRedeemed):
            self.story.redeemed = None

    def require(self, claim: bool, otherwise: str, zero: str = "") -> None:
        """Note it where it is not so; under the name of the zero that it counts for, if any."""
        if not claim:
            self.wrong.append(otherwise)
            if zero:
                self.zeros[zero] += 1

    # ── what is staged, and what the operator shut ───────────────────────────────────────────────────────────────

    def _staged(self, fact: facts.ProposalStaged) -> None:
        proposal = fact.proposal
        self.story.proposals[proposal.id] = proposal
        self.story.waiting.add(proposal.id)
        is_a_persons = proposal.only_reduces or proposal.order.replaces is not None  # a working entry is edited
        self.require(
            is_a_persons or (proposal.strategy, proposal.symbol) not in self.story.paused,
            f"{proposal.strategy} staged an entry while it was paused",
        )
        self._may_open(proposal)

    def _edited(self, fact: facts.ProposalEdited) -> None:
        """Nothing that was shown of it can be confirmed any more, and no turned key of it stands."""
        story, after = self.story, fact.proposal
        before = story.proposals[after.id]
        story.proposals[after.id] = after
        self.require(before.order.client_order_id == after.order.client_order_id, f"{after.id}: edited into another")
        if before.only_reduces:
            self.require(after.order.quantity <= before.order.quantity, f"exit {after.id} was edited up")
        for ticket in story.tickets.values():
            if ticket.proposal_id == after.id:
                self.require(ticket.id in story.closed, f"ticket {ticket.id} is open on an edited proposal")
                is_void = ticket.id not in story.confirmed or ticket.id in story.refused
                self.require(is_void, f"{after.id} was edited under its turned key")
        self._may_open(after)

    def _may_open(self, proposal: Proposal) -> None:
        day = self.world.engine.state.calendar.trading_day(self._at)
        is_refused = (proposal.symbol, day) in self.story.refused_symbols
        self.require(proposal.only_reduces or not is_refused, f"{proposal.id} opens a symbol that was refused")

    def _started(self, _fact: facts.EngineStarted) -> None:
        """What a screen showed is gone with it, and a key that was not redeemed is void."""
        story = self.story
        story.started = self._sequence
        for seen in story.orders.values():
            seen.missed_at = None  # it is looked up anew
        story.closed.update(story.tickets)
        story.refused.update(ticket_id for ticket_id in story.confirmed if not self._has_redeemed(ticket_id))

    def _paused(self, fact: facts.StrategyPaused) -> None:
        self.story.paused.add((fact.strategy, fact.symbol))

    def _went_on(self, fact: facts.StrategyResumed) -> None:
        self.story.paused.discard((fact.strategy, fact.symbol))

    def _symbol_refused(self, fact: facts.SymbolRefused) -> None:
        self.story.refused_symbols.add((fact.symbol, fact.day))

    # ── what protections shut (RK-06, RK-09) ─────────────────────────────────────────────────────────────────────

    def _tripped(self, fact: facts.ProtectionTripped) -> None:
        self.story.trips[fact.name, fact.scope] = fact.until
        self.story.passes.pop((fact.name, fact.scope), None)

    def _expired(self, fact: facts.ProtectionExpired) -> None:
        self.story.trips.pop((fact.name, fact.scope), None)

    def _overridden(self, fact: facts.ProtectionOverridden) -> None:
        was_told = (fact.name, fact.scope) in self.story.trips
        self.require(was_told, f"{fact.name} {fact.scope} was overridden and had not tripped")
        self.story.passes[fact.name, fact.scope] = (fact.begins, fact.until)

    def _override_ended(self, fact: facts.OverrideEnded) -> None:
        self.story.passes.pop((fact.name, fact.scope), None)

    def _approved(self, fact: facts.OrderApproved) -> None:
        """No entry that a trip covers passes the last review, the time of an override aside."""
        story = self.story
        proposal = story.proposals[story.tickets[fact.ticket_id].proposal_id]
        if proposal.only_reduces:
            return
        direction = "long" if proposal.order.side is Side.BUY else "short"
        its = {proposal.symbol, direction, proposal.strategy, GLOBAL}
        for (name, scope), until in story.trips.items():
            begins, ends = story.passes.get((name, scope), (self._at, self._at))
            is_shut = (until is None or self._at < until) and not begins <= self._at < ends
            self.require(not is_shut or not its.issuperset(scope.split()), f"{proposal.id} opens what {name} shut")

    # ── from the key to the intent (OP-01, OP-02) ────────────────────────────────────────────────────────────────

    def _opened(self, fact: facts.TicketOpened) -> None:
        self.require(fact.ticket.id not in self.story.tickets, f"ticket {fact.ticket.id} was opened twice")
        self.story.tickets[fact.ticket.id] = fact.ticket

    def _closed(self, fact: facts.TicketClosed) -> None:
        self.story.closed.add(fact.ticket_id)

    def _confirmed(self, fact: facts.ConfirmationReceived) -> None:
        story, ticket = self.story, self.story.tickets.get(fact.ticket_id)
        if ticket is None:
            self.wrong.append(f"ticket {fact.ticket_id} was confirmed and never opened")
            return
        press = (ticket.id, ticket.digest, ticket.order.effect.value, ticket.order.replaces)
        is_signed = ticket.proposal_id in story.unattended
        story.unattended.discard(ticket.proposal_id)
        is_turned = is_signed or press in self.world.presses or self.plans.permits(ticket, fact)
        self.require(is_turned, f"ticket {ticket.id} was confirmed and no such key was pressed", UNREQUESTED)
        self.require(fact.digest == ticket.digest, f"ticket {ticket.id} was confirmed with another digest")
        self.require(ticket.id not in story.confirmed, f"ticket {ticket.id} was confirmed twice")
        self.require(ticket.id not in story.closed, f"ticket {ticket.id} was confirmed after it was closed")
        self.require(self._at <= ticket.ends_at, f"ticket {ticket.id} was confirmed after its end")
        proposal = story.proposals[ticket.proposal_id]
        story.at_the_key[ticket.order.client_order_id] = self._filled_of(proposal.symbol, proposal.strategy)
        is_its = (
            ticket.order.quantity <= proposal.order.quantity
            if proposal.only_reduces
            else (ticket.order == proposal.order)
        )
        self.require(is_its, f"ticket {ticket.id} was confirmed, and its proposal is another by now")
        self._may_open(proposal)
        story.confirmed[ticket.id] = fact
        story.authorizations.update({authorization.id: authorization for authorization in fact.authorizations})

    def has_signed_by_hand(self) -> bool:
        """Whether a typed order that opens was ever confirmed."""
        story = self.story
        confirmed = (story.proposals[story.tickets[ticket].proposal_id] for ticket in story.confirmed)
        return any(proposal.strategy == MANUAL and not proposal.only_reduces for proposal in confirmed)

    def has_signed_exits(self) -> bool:
        """Whether an entry was ever confirmed together with its exits."""
        return any(
            authorization.kind is AuthorizationKind.EXITS for authorization in self.story.authorizations.values()
        )

    def _released_exit(self, fact: facts.ExitReleased) -> None:
        """Within what was signed with the entry, on a desk that nobody halted, of an exit that nobody made (OP-06)."""
        story, proposal = self.story, self.story.proposals[fact.proposal_id]
        authorization = story.authorizations.get(fact.authorization_id)
        if authorization is None or authorization.kind is not AuthorizationKind.EXITS:
            words = f"exit {fact.proposal_id} was released and nothing like it was signed"
            self.require(False, words, UNREQUESTED)
            return
        limits = (proposal.symbol, proposal.order.side)
        self.require(
            limits == (authorization.symbol, authorization.side), f"{fact.proposal_id}: another exit than was signed"
        )
        self.require(
            proposal.is_exit and fact.quantity <= authorization.quantity, f"{fact.proposal_id}: more than was signed"
        )
        self.require(self._at <= authorization.ends_at, f"{fact.proposal_id}: released after its end")
        is_shut = story.killed or bool(story.halts - SHUTS_ENTRIES_ALONE)
        self.require(not is_shut, f"{fact.proposal_id}: released on a desk that is shut")
        story.unattended.add(fact.proposal_id)

    def _refused(self, fact: facts.ConfirmationRefused) -> None:
        if fact.ticket_id in self.story.confirmed and not self._has_redeemed(fact.ticket_id):
            self.story.refused.add(fact.ticket_id)

    def _proposal_ended(self, fact: facts.ProposalEnded) -> None:
        """A turned key whose proposal went away permits nothing any more."""
        self.story.waiting.discard(fact.proposal_id)
        if fact.end is ProposalEnd.SENT:
            return
        proposal = self.story.proposals[fact.proposal_id]
        if fact.end is ProposalEnd.WITHDRAWN and proposal.is_exit and proposal.exit_reason is ExitReason.STOP_LOSS:
            self.story.exits_of_stops[proposal.symbol, proposal.strategy] = self._at
        if fact.end is ProposalEnd.DECLINED and proposal.is_owed:
            self.story.declined[proposal.symbol, proposal.strategy] = self._sequence
        for ticket_id in self.story.confirmed:
            if self.story.tickets[ticket_id].proposal_id == fact.proposal_id and not self._has_redeemed(ticket_id):
                self.story.refused.add(ticket_id)

    def _has_redeemed(self, ticket_id: str) -> bool:
        return ticket_id in self.story.used

    def _redeemed(self, fact: facts.ApprovalRedeemed) -> None:
        approval, story = fact.approval, self.story
        self.require(approval.id not in story.used, f"approval {approval.id} was redeemed twice", UNREQUESTED)
        self.require(self._at <= approval.lapses_at, f"approval {approval.id} was redeemed after it lapsed")
        self.require(fact.order_digest == approval.order_digest, f"approval {approval.id} is for another order")
        self.require(
            approval.ticket_id not in story.refused, f"{approval.id}: its confirmation does not stand", UNREQUESTED
        )
        story.used.add(approval.id)
        story.redeemed = fact
        confirmed = story.confirmed.get(approval.ticket_id)
        if approval.less_of is not None:
            return  # what is created by it is compared with what was signed for more
        if confirmed is None:
            self.require(False, f"approval {approval.id} has no confirmation", UNREQUESTED)
        elif approval.authorization_id is None:
            self.require(confirmed.approval == approval, f"approval {approval.id} is not what was confirmed")
            ticket = story.tickets[approval.ticket_id]
            self.require(
                fact.order_digest == ticket.order.digest(ticket.account), f"{approval.id}: not the ticket's order"
            )
        else:
            is_signed = approval.authorization_id in story.authorizations
            self.require(is_signed, f"approval {approval.id} names no signed authorization", UNREQUESTED)
            self.plans.redeem(fact)

    def _created(self, fact: facts.OrderCreated) -> None:
        story, order, redeemed = self.story, fact.order, self.story.redeemed
        self.require(order.client_order_id not in story.orders, f"order {order.client_order_id} was created twice")
        seen = Seen(order, self._sequence, fact.strategy, self._at, parent=fact.parent, role=fact.role)
        seen.names_stop = names_stop(fact.stop.holder if fact.stop is not None else None)
        seen.is_of_a_stop = fact.exit_reason is ExitReason.STOP_LOSS
        seen.beside = tuple(
            id
            for id, other in story.orders.items()
            if other.is_sale and other.status.is_working and id != order.replaces
            if (other.order.symbol, other.strategy) == (order.symbol, fact.strategy)
        )
        known = self._filled_of(order.symbol, fact.strategy)
        seen.knew = story.at_the_key.get(order.client_order_id, known)
        if fact.again_of is not None:
            self._is_again(order, fact.again_of)
            seen.again_of = fact.again_of
        story.orders[order.client_order_id] = seen
        if isinstance(fact.role, Elsewhere):
            is_alone = order.effect.only_reduces and (bool(self.world.foreign) or self.actions.pays_out(order.symbol))
            self.require(is_alone, f"{order.client_order_id} records a close elsewhere, and there was none")
            return
        if fact.role is not None and order.replaces is None:
            self.world.adopted.add(order.client_order_id)  # a moved leg too, which an older folder does not know
            self._is_listed(fact.role, seen)
            return
        if redeemed is None or redeemed.client_order_id != order.client_order_id:
            words = f"order {order.client_order_id} was created and nothing was redeemed for it"
            self.require(False, words, UNREQUESTED)
            return
        digest = order.digest(self.world.engine.state.account_name)
        self.require(redeemed.order_digest == digest, f"order {order.client_order_id} is not what was redeemed")
        if redeemed.approval.authorization_id is not None:
            self._within(redeemed.approval, order, fact)
        if redeemed.approval.less_of is not None:
            self._is_less(order, story.orders.get(redeemed.approval.less_of))

    def _filled_of(self, symbol: str, strategy: str) -> dict[str, Decimal]:
        """What is known to be filled of each entry of an owner."""
        return {
            id: seen.filled
            for id, seen in self.story.orders.items()
            if not seen.order.effect.only_reduces and (seen.order.symbol, seen.strategy) == (symbol, strategy)
        }

    def _is_less(self, order: OrderRequest, signed: Seen | None) -> None:
        """Less of the very same exit (EX-13)."""
        is_same = signed is not None and signed.order.effect.only_reduces and order.quantity <= signed.order.quantity
        if signed is not None:
            ours, theirs = order, signed.order
            is_same &= (ours.symbol, ours.side, ours.terms) == (theirs.symbol, theirs.side, theirs.terms)
        self.require(is_same, f"order {order.client_order_id} is no less of what was signed")

    def _is_again(self, order: OrderRequest, first: str) -> None:
        """Once, the very same exit, and only if its id is of an order that the folder does not know (EX-24)."""
        before, name = self.story.orders.get(first), order.client_order_id
        self.require(first in self.world.foreign, f"{name} is sent again for {first}, which the broker may take")
        is_first = all(seen.again_of != first for seen in self.story.orders.values())
        self.require(is_first, f"{first} is sent again twice")
        is_same = before is not None and replace(order, client_order_id=before.order.client_order_id) == before.order
        is_open = before is not None and before.status is OrderStatus.PENDING and before.again_of is None
        self.require(is_same and is_open, f"{name} is not the exit that {first} was")

    def _is_listed(self, role: LegRole, leg: Seen) -> None:
        """A leg was made by the broker; the digest of its parent, which was redeemed, covers it (OP-02)."""
        parent = self.story.orders[leg.parent or ""].order
        listed = parent.leg(role)
        side = parent.side if parent.order_class is OrderClass.OCO else parent.side.opposite
        self.require(
            listed is not None
            and leg.order.side is side
            and leg.order.quantity <= parent.quantity
            and (leg.order.stop_price, leg.order.limit_price) == (listed.stop_price, listed.limit_price),
            f"leg {leg.order.client_order_id} was taken in, and no ticket listed it",
        )

    def _resized(self, fact: facts.LegResized) -> None:
        seen = self.story.orders[fact.client_order_id]
        self.require(seen.role is not None or seen.order.legs != (), f"{fact.client_order_id} is no leg to resize")
        self._raised(seen, fact.quantity)
        seen.order = replace(seen.order, quantity=fact.quantity)

    def _raised(self, seen: Seen, quantity: Decimal) -> None:
        """Only what the broker added to it counts: a leg that follows its entry is more because of that."""
        if seen.order.client_order_id in self.world.contradictions.restated:
            seen.raised = max(seen.raised + quantity - seen.order.quantity, Decimal(0))

    def _kept(self, fact: facts.OrderKept) -> None:
        """Only what reduces and has no answer goes again, by its own name (EX-22)."""
        if fact.again_at is None:
            return
        seen = self.story.orders[fact.client_order_id]
        self.require(seen.order.effect.only_reduces, f"the entry {fact.client_order_id} was sent again")
        if fact.was_refused:  # while the account was blocked: it is unsent again
            was_refused = seen.status is OrderStatus.REJECTED
            self.require(was_refused, f"{fact.client_order_id} was not refused, and is sent again")
            seen.status, seen.code, seen.reason = OrderStatus.PENDING, EndCode.AS_ITS_STATE_SAYS, ""
        self.require(seen.status is OrderStatus.PENDING, f"{fact.client_order_id} was sent again after an answer")
        self.story.sent_again.add(fact.client_order_id)
        self.world.wire.watch.keeps(fact.client_order_id)

    def _restated(self, fact: facts.OrderRestated) -> None:
        """The broker may change terms: those are the order's then (EX-13)."""
        seen = self.story.orders[fact.client_order_id]
        is_so = fact.client_order_id in self.world.contradictions.restated
        is_so |= self.world.is_restored  # a move that an older folder does not know
        self.require(is_so, f"{fact.client_order_id} was restated, and the broker changed nothing of it")
        self.require(fact.before == StatedTerms.of_order(seen.order), f"{fact.client_order_id}: other terms before")
        self._raised(seen, fact.after.quantity)
        seen.order = fact.after.of(seen.order)  # type: ignore[assignment]
        if self._is_adjusted(seen):
            self.story.of_before.discard(fact.client_order_id)

    def _is_adjusted(self, seen: Seen) -> bool:
        """Whether the broker adjusted it to a split, and the journal has told those terms."""
        now, its = self.world.disruptions.adjusted.get(seen.order.client_order_id), seen.order
        terms = its.quantity, its.stop_price, its.limit_price
        return now is not None and terms == (now.quantity, now.stop_price, now.limit_price)

    def _revived(self, fact: facts.OrderRevived) -> None:
        """Only a stop that the broker had ended works again by its word."""
        seen = self.story.orders[fact.client_order_id]
        self.require(seen.status.is_terminal and seen.order.type.is_stop, f"{fact.client_order_id} works again")
        seen.status = OrderStatus.PARTIALLY_FILLED if seen.filled else OrderStatus.SUBMITTED
        seen.code, seen.reason = EndCode.AS_ITS_STATE_SAYS, ""
        seen.sequence = self._sequence  # the newest of its stops again

    def _released(self, fact: facts.KeptOrderReleased) -> None:
        """What was kept when the desk was left is to be sent, as if it were written now."""
        self.story.orders[fact.client_order_id].sequence = self._sequence
        self.world.left_behind.discard(fact.client_order_id)

    def _returned(self, fact: facts.PermissionReturned) -> None:
        """What the broker is proven not to have, or never left, may be released once more (EX-22)."""
        seen = self.story.orders[fact.client_order_id]
        is_gone = seen.code is EndCode.LOST_THERE or not seen.filled
        self.require(is_gone, f"{fact.client_order_id} filled, and what permitted it was given back", UNREQUESTED)
        self.story.released[fact.authorization_id] -= fact.quantity

    def _prolonged(self, fact: facts.AuthorizationProlonged) -> None:
        """Only a close waits for a stop in doubt, or for the clock (EX-23), and none whose time was over (EX-21)."""
        authorization = self.story.authorizations[fact.authorization_id]
        self.require(authorization.kind is AuthorizationKind.CLOSE, f"{authorization.id} was prolonged")
        self.require(self._at < authorization.ends_at < fact.ends_at, f"{authorization.id} was prolonged after its end")
        ticket = self.story.tickets[authorization.ticket_id]
        held = (self.story.orders.get(order_id) for order_id in ticket.cancels)
        is_open = any(order is not None and order.status is OrderStatus.PENDING for order in held)
        is_by_clock = self.clocks.since is not None
        self.require(is_open or is_by_clock, f"{authorization.id} was prolonged, and no stop in its way is in doubt")
        self.story.authorizations[authorization.id] = replace(authorization, ends_at=fact.ends_at)

    def _within(self, approval: Approval, order: OrderRequest, fact: facts.OrderCreated) -> None:
        """Within its authorization's limits, all that went before counted."""
        story = self.story
        authorization = story.authorizations.get(approval.authorization_id or "")
        if authorization is None:
            return
        story.released[authorization.id] += order.quantity
        limits = (authorization.symbol, authorization.side, authorization.stop_price)
        self.require((order.symbol, order.side, order.stop_price) == limits, f"{authorization.id}: another order")
        self.require(
            story.released[authorization.id] <= authorization.quantity, f"{authorization.id}: more than was signed"
        )
        self.require(self._at <= authorization.ends_at, f"{authorization.id}: released after its end")
        if authorization.kind is AuthorizationKind.PROTECTIVE_STOP:
            parent = story.orders[authorization.parent]
            filled = self._filled_there(authorization.parent, parent)
            # Shares that are back because an exit's fill was taken back may be taken for those of a lost entry.
            is_upset = self.world.disruptions.is_upset(authorization.symbol)
            is_within = is_upset or story.released[authorization.id] <= filled
            self.require(is_within, f"{authorization.id}: more stop than was filled")
        if authorization.kind is AuthorizationKind.CLOSE:
            self.require(story.released[authorization.id] == order.quantity, f"{authorization.id}: sold twice")

    # ── orders, fills, positions (EX-01, EX-05, EX-08) ───────────────────────────────────────────────────────────

    def _doubted(self, fact: facts.OrderStateUnknown) -> None:
        """Doubt begins when a request was sent, never while it waits in the desk's own queue (EX-22)."""
        is_queued = not self.is_reading and self.world.wire.watch.has_not_left(fact.client_order_id)
        self.require(not is_queued, f"order {fact.client_order_id} is in doubt, and it never left")
        if not self.is_reading:
            self.world.wire.watch.doubts(fact.client_order_id, self._at)

    def _not_found(self, fact: facts.OrderNotFound) -> None:
        seen = self.story.orders[fact.client_order_id]
        seen.missed_at = seen.missed_at or self._at

    def _blocked(self, fact: facts.SubmissionBlocked) -> None:
        """No permission of what only reduces lapses while it waits in the desk's own queue (EX-22)."""
        seen = self.story.orders.get(fact.client_order_id)
        is_lapsed = seen is not None and seen.order.effect.only_reduces and fact.code is BlockCode.LAPSED
        self.require(not is_lapsed, f"{fact.client_order_id} was to reduce: {fact.reason}")
        if seen is not None:
            seen.blocked = fact.code

    def _changed(self, fact: facts.OrderStateChanged) -> None:
        seen = self.story.orders[fact.client_order_id]
        step = f"order {fact.client_order_id}: {fact.before.value} → {fact.after.value}"
        self.require(fact.before is seen.status, f"{step}, and it was {seen.status.value}")
        self.require(fact.after in order_status.TRANSITIONS[fact.before], f"{step} is no transition")
        seen.status, seen.reason, seen.code = fact.after, fact.reason, fact.code

    def _cancel_requested(self, fact: facts.CancelRequested) -> None:
        self.cancels.asked_for[fact.client_order_id] = self._sequence
        if fact.code in TAKEN_AWAY:
            self.story.taken_away.add(fact.client_order_id)
        if fact.code is CancelCode.FLAT:
            self.story.called_off.add(fact.client_order_id)

    def _cancel_dropped(self, fact: facts.CancelDropped) -> None:
        self.cancels.asked_for.pop(fact.client_order_id, None)

    def _filled(self, fact: facts.OrderFilled) -> None:
        its = self.world.engine.state.ledger.order(fact.fill.client_order_id)
        is_of_before = fact.fill.client_order_id in self.story.of_before and its is not None
        self.require(
            not is_of_before or its.cancel_requested_at is not None,
            f"{fact.fill.client_order_id} is from before a corporate action, and traded",
        )
        story, fill = self.story, fact.fill
        seen = story.orders[fill.client_order_id]
        self.require(fill.execution_id not in story.executions, f"execution {fill.execution_id} was counted twice")
        story.executions.add(fill.execution_id)
        seen.filled += fill.quantity
        self.require(seen.filled <= seen.order.quantity, f"order {fill.client_order_id} is filled beyond its quantity")
        signed = fill.quantity if seen.order.side is Side.BUY else -fill.quantity
        key = position_key(seen.order.symbol, seen.strategy)
        before = story.positions[key]
        story.positions[key] = after = before + signed
        is_too_late = fill.client_order_id in story.called_off and bool(self.world.foreign)
        is_too_late |= self._filled_with_its_sibling(seen, fill.at)
        is_too_late |= self._less_of_it_is_on_its_way(fill.client_order_id, seen, abs(after))
        is_too_late |= self._was_sold_by_a_late_one(seen)
        is_too_late |= fill.client_order_id in self.world.surprises.pending  # the broker sat on its cancel
        is_too_late |= self.world.is_restored  # what is held is not known until a person has said so
        seen.last_fill = fill.at
        seen.came_late = self._at if fact.is_late else seen.came_late
        if seen.order.effect.only_reduces and not fact.is_late and not is_too_late:
            # a request that arrives when it was given up after a minute, or when somebody else closed what it was to
            # close and its cancel is on the way, is real money, and nobody can take it back; so is what both of a pair
            # sell in one moment where the exchange links them in nothing, or while the request for less of it hangs;
            # and what an exit sells that was signed in the place of one that was given up and came after all
            self.require(before * after >= 0 and abs(after) <= abs(before), f"exit {fill.client_order_id} flips {key}")

    def _reversed(self, fact: facts.FillReversed) -> None:
        """Only what the broker took back, and no more of it."""
        seen, upset = self.story.orders[fact.client_order_id], self.world.disruptions
        seen.filled -= fact.quantity
        seen.taken_back += fact.quantity
        words = f"{fact.client_order_id}: {seen.taken_back} shares were taken back here"
        self.require(seen.taken_back <= upset.taken_back[fact.client_order_id], words)
        is_corrected = fact.quantity or fact.client_order_id in upset.corrected
        self.require(bool(is_corrected), f"{fact.client_order_id} was given another price, and the broker has not")
        signed = fact.quantity if seen.order.side is Side.BUY else -fact.quantity
        self.story.positions[position_key(seen.order.symbol, seen.strategy)] -= signed

    def _was_sold_by_a_late_one(self, seen: Seen) -> bool:
        """An exit that was given up came after all, when this one, for the same shares, was written already."""
        return any(
            late.came_late is not None and late.came_late >= seen.at and late.order.effect.only_reduces
            for late in self.story.orders.values()
            if late is not seen and (late.order.symbol, late.strategy) == (seen.order.symbol, seen.strategy)
        )

    def _filled_with_its_sibling(self, seen: Seen, at: datetime) -> bool:
        """Both of a pair in less time than the word of the one and the cancel of the other take, or with no desk up."""
        if not self._is_linked_to_nothing(seen):
            return False
        siblings = [o for o in self.story.orders.values() if o.role is not None and o.parent == seen.parent]
        filled = [o.last_fill for o in siblings if o is not seen and o.last_fill is not None]
        died, came_up = self.story.down or (at, at)
        was_down = any(died - A_MOMENT <= other for other in filled) and at <= came_up + A_MOMENT
        return was_down or any(at - other <= A_MOMENT for other in filled)

    def _is_linked_to_nothing(self, seen: Seen) -> bool:
        """A leg at an exchange that leaves its sibling alone."""
        manners = self.world.manners
        return seen.role is not None and manners is not None and not manners.ends_siblings

    def _less_of_it_is_on_its_way(self, order_id: str, seen: Seen, beyond: Decimal) -> bool:
        """What its sibling filled was to be taken off it, and the request for less hangs."""
        if not self._is_linked_to_nothing(seen):
            return False
        replacements = (o for o in self.story.orders.values() if o.order.replaces == order_id)
        hanging = (o for o in replacements if hangs(o, o.at, self._at))
        return any(beyond <= seen.order.quantity - less.order.quantity for less in hanging)

    def _hides_a_fill(self, symbol: str) -> bool:
        """Whether the broker does not tell of an order, and it filled more than the desk has heard; or did not, and the
        desk heard after it had given the order up.
        """
        orders = self.story.orders
        hidden = [(name, orders[name]) for name in self.world.contradictions.hidden if name in orders]
        its = [(name, seen) for name, seen in hidden if seen.order.symbol == symbol]
        was_late = any(seen.filled and seen.code is EndCode.LOST_THERE for _, seen in its)
        return was_late or any(self._filled_there(name, seen) > seen.filled for name, seen in its)

    def _filled_there(self, order_id: str, seen: Seen) -> Decimal:
        """What is known of its fills; what the exchange says of one that it hid."""
        booked = self.world.exchange._book.find(order_id)
        is_hidden = order_id in self.world.contradictions.hidden
        return max(seen.filled, booked.filled) if is_hidden and booked is not None else seen.filled

    def _corrected(self, fact: facts.PositionCorrected) -> None:
        """Whose it is then says the fact; where nobody held any, it is the broker's."""
        is_foreseen = bool(self.world.foreign) or self._hides_a_fill(fact.symbol)
        is_foreseen |= self.world.disruptions.is_upset(fact.symbol)
        is_foreseen |= self.actions.is_foreseen(fact)
        self.story.taken_over.add(fact.symbol)
        self.require(is_foreseen, f"a position had to be corrected, and nobody else trades here: {fact}")
        positions = self.story.positions
        keys = [key for key in positions if key.startswith(f"{fact.symbol}/") and positions[key]]
        for key in keys:
            positions[key] = Decimal(0)
        self.require(
            sum((share.quantity for share in fact.owners), fact.quantity * (not fact.owners)) == fact.quantity,
            f"a correction's parts are not its whole: {fact}",
        )
        for share in fact.owners:
            positions[position_key(fact.symbol, share.strategy)] = share.quantity
        if fact.quantity and not fact.owners:
            positions[position_key(fact.symbol, UNKNOWN_OWNER)] = fact.quantity

    def _acted(self, fact: facts.CorporateActionApplied) -> None:
        """Only what the broker did, and each once; the orders of before are for other shares, but for adjusted ones."""
        if fact.evidence is facts.ActionEvidence.ANNOUNCED:
            return  # nobody holds any: the audit of actions judges it
        ours = Act(fact.symbol, fact.symbol_now, fact.quantity_before, fact.quantity_after)
        is_so = self.world.acts.count(ours) > self.story.acts.count(ours)
        self.require(is_so, f"nobody did this with these shares, or it counts twice: {fact}")
        self.story.acts.append(ours)
        for owner in fact.owners:
            self.story.positions.pop(position_key(fact.symbol, owner.strategy), None)
            self.story.positions[position_key(fact.symbol_now, owner.strategy)] = owner.quantity
        self.story.of_before |= {
            order_id
            for order_id, seen in self.story.orders.items()
            if seen.order.symbol == fact.symbol and order_id not in fact.followed and not self._is_adjusted(seen)
        }

    def _unreconciled(self, fact: facts.ReconciliationFailed) -> None:
        is_foreseen = fact.code is not ReadOnlyCode.APART or bool(self.world.foreign) or bool(self.world.actions.open())
        is_foreseen = is_foreseen or any(map(self._hides_a_fill, self.world.symbols))
        is_foreseen = is_foreseen or bool(self.world.disruptions.taken_back) or "sides" in self.world.odd_rows.kinds
        self.require(is_foreseen, f"the books do not agree: {fact.reasons}")

    # ── halts (EX-14, OP-07) ─────────────────────────────────────────────────────────────────────────────────────

    def _halted(self, fact: facts.Halted) -> None:
        self.story.halts.add(fact.cause)
        self.story.raised += MADE_TO_RAISE in fact.reason
        is_foreseen = fact.cause is not HaltCause.INVARIANT or MADE_TO_RAISE in fact.reason
        self.require(is_foreseen, f"an invariant broke: {fact.reason}")

    def _asked_for(self, fact: facts.StopAskedFor) -> None:
        if self.story.raised > 1 or fact.client_order_id in self.world.contradictions.restated:
            self.story.asked_for[fact.client_order_id] = self._sequence

    def _resumed(self, fact: facts.Resumed) -> None:
        self.story.halts.discard(fact.cause)

    def _killed(self, fact: facts.Killed) -> None:
        self.story.killed = True
        self.story.naked_since = self._sequence if fact.naked else self.story.naked_since
        self.story.naked |= fact.naked
        self.story.halts.discard(HaltCause.KEY)

    def _rearmed(self, _fact: facts.Rearmed) -> None:
        self.story.killed = self.story.naked = False

    def _authorization_ended(self, fact: facts.AuthorizationEnded) -> None:
        """After NAKED what made way for a close does not go back, and what was signed for that ends so."""
        authorization = self.story.authorizations.get(fact.authorization_id)
        if self.story.naked and authorization is not None and authorization.kind is AuthorizationKind.RESTORE_STOP:
            self.story.taken_away.update(self.story.tickets[authorization.ticket_id].cancels)

    # ── the wire ─────────────────────────────────────────────────────────────────────────────────────────────────

    def leaves(self, effect: Effect) -> None:
        """A request is about to leave the desk."""
        self.refusals.leaves(effect)
        if isinstance(effect, CancelOrder):
            self.cancels.leaves(effect)
        if not isinstance(effect, SubmitOrder | ReplaceOrder):
            return
        self.require(
            isinstance(effect, ReplaceOrder) is (effect.order.replaces is not None),
            f"order {effect.order.client_order_id} leaves by the wrong door",
        )
        order, story = effect.order, self.story
        seen = story.orders.get(order.client_order_id)
        if seen is None:
            self.require(False, f"order {order.client_order_id} leaves without an intent", UNREQUESTED)
            return
        self.require(
            seen.sequence <= self.world.journal.synced, f"order {order.client_order_id} leaves before it is on the disk"
        )
        self.clocks.leaves(effect, seen)
        if not order.effect.only_reduces:
            self.require(not story.killed and not story.halts, f"{order.client_order_id} opens while killed or halted")
            return
        if effect.approval.less_of is not None:
            return  # it makes less of what was too much
        held = abs(story.positions[position_key(order.symbol, seen.strategy)])
        out = sum(
            (
                max(other.order.quantity - other.raised - other.filled, Decimal(0))
                for other in story.orders.values()
                if other.order.effect.only_reduces
                and other.order.symbol == order.symbol
                and other.strategy == seen.strategy
                and other.status.is_working
                and not self._waits_for_another(other)
                and not self._holds_nothing(other)
                and other.order.client_order_id not in story.of_before
            ),
            Decimal(0),
        )
        if self.world.foreign:
            return  # what is held is known again when the books were compared; the end shows what was left working
        self.require(out <= held, f"exits of {out} are out for a position of {held}")

    def _holds_nothing(self, seen: Seen) -> bool:
        """A leg whose entry is not filled; a target, whose stop holds the same shares."""
        parent = self.story.orders.get(seen.parent or "")
        is_held = seen.role is not None and parent is not None and parent.filled < parent.order.quantity
        is_paired = any(o.parent == seen.order.client_order_id and o.role for o in self.story.orders.values())
        return (is_held and not parent.order.effect.only_reduces) or seen.role is LegRole.TARGET or is_paired

    def _waits_for_another(self, seen: Seen) -> bool:
        """Of an order and the one whose place it is to take the broker has one at a time: the pair counts once.

        One whose other ended without making way cannot arrive any more.
        """
        old = self.story.orders.get(seen.order.replaces or "")
        if old is None:
            return False
        has_made_way = old.status is OrderStatus.CANCELLED and old.code is EndCode.REPLACED
        return old.status.is_working or (seen.status is OrderStatus.PENDING and not has_made_way)

    def arrives(self, record: Mapping[str, str | None]) -> None:
        """The exchange is about to act on a request."""
        request = decoded(record)
        if isinstance(request, CancelRequest):
            return
        order = request.order
        if order.client_order_id in self.world.foreign:
            return
        is_again = order.client_order_id in self.story.sent_again and self.sent.get(order.client_order_id) == order
        is_new = order.client_order_id not in self.sent
        self.require(is_new or is_again, f"order {order.client_order_id} was sent twice")
        self.sent[order.client_order_id] = order
        seen = self.story.orders.get(order.client_order_id)
        if seen is None:
            self.wrong.append(f"order {order.client_order_id} arrives, and the journal knows nothing of it")
            return
        self.require(seen.order == order, f"order {order.client_order_id} arrives altered")

    # ── books against books ──────────────────────────────────────────────────────────────────────────────────────

    def compare_deadlines(self) -> None:
        """Every deadline that is kept until the next fact is the one that its workflow names now."""
        deadlines = self.world.engine._deadlines
        for number in deadlines._by_facts & deadlines._first.keys():
            workflow, kept = deadlines.workflows[number], deadlines._first[number]
            asked = min(workflow.next_due(), default=NEVER)
            if asked != kept:
                self.wrong.append(f"{type(workflow).__name__} keeps the deadline {kept}, and names {asked}")

    def compare_folds(self) -> None:
        """The state that lives, the journal folded from nothing, and the checkpoint with its tail are one (SP-03)."""
        live = self.world.engine.state
        self._same(live, None, "the journal alone")
        if not isinstance(self.world.drawer.load(), NoCheckpoint):
            self._same(live, self.world.drawer, "checkpoint and tail")

    def _same(self, live: TradingState, documents: Any, name: str) -> None:
        again = TradingState(live.account_name, live.mode, self.world.table, live.journal)  # as at a start
        checkpoint.rebuild(again, documents)
        theirs = checkpoint.states(again)
        for part, state in checkpoint.states(live).items():
            if state != theirs[part]:
                self.wrong.append(f"{part} rebuilt from {name} differs:\n{state}\n{theirs[part]}")
        self.require(
            list(again.ledger.working()) == list(live.ledger.working()), f"working orders rebuilt from {name} differ"
        )
        self.require(indexed(again) == indexed(live), f"the indexes rebuilt from {name} differ")

    def uncovered(self) -> list[str]:
        """Positions whose entry asked for a stop at the broker and that none guards, though nobody took it away."""
        world = self.world
        if world.is_restored:
            return []  # which shares have a stop was forgotten with the folder
        ledger, found = world.engine.state.ledger, []
        orders = ledger.state.orders
        for position in ledger.positions():
            if position.entry_order in self.story.asked_for:
                continue  # it waits on a ticket
            if world.meter.waits_for_a_key((position.symbol, position.strategy)):
                continue
            if world.disruptions.is_upset(position.symbol):
                continue  # whether somebody was told of what is left is judged as it happens
            if position.entry_order in self.story.called_off:
                continue  # nobody asked for it, and no ticket named a stop: the status line says UNCOVERED
            opened = orders.get(position.entry_order)
            if opened is not None and opened.only_reduces:
                continue  # so is what both of a pair sold in one moment; whether they may is judged at their fills
            entries = [o for o in orders.values() if not o.only_reduces and o.strategy == position.strategy]
            stops = [o for o in orders.values() if o.is_protective and o.strategy == position.strategy]
            touched = [o for o in stops if o.status in NOT_OURS or self._was_taken_away(o)]
            filled = [entry for entry in entries if entry.filled_quantity]
            if touched or not filled or not all(entry.wants_broker_stop for entry in filled):
                continue
            if all(self.story.orders[entry.id].sequence < self.story.naked_since for entry in filled):
                continue  # the operator wanted no stop for what they buy
            if any(entry.status.is_working and entry.request.legs for entry in filled):
                continue  # its legs wait until it is filled whole; the status line names what is bare meanwhile
            at_most = abs(position.quantity)
            if self._is_for_a_person():  # the desk is read-only and says so; a stop for what is not there would open
                at_most = min(at_most, abs(world.exchange._ledger.quantity(position.symbol)))
            if ledger.exits.reserved(position.symbol, position.strategy) < at_most:
                found.append(f"{position.quantity} {position.symbol} of {position.strategy} are not covered")
        return found

    def _was_taken_away(self, stop: Order) -> bool:
        pair = {stop.id}
        if stop.status is OrderStatus.CANCELLED:  # the broker ends both of a pair where its target is taken back
            pair |= {sibling.id for sibling in self.world.engine.state.ledger.legs.oco_siblings(stop)}
        is_taken = bool(pair & {*self.story.taken_away, *self.world.meddled})
        is_taken |= self.world.contradictions.ended.get(stop.id) == "canceled" and self._is_told_of_stop(stop)
        is_cut = stop.cancel_code is CancelCode.NONE_AT_THE_BROKER and self._is_for_a_person()  # nothing to guard there
        return is_taken or is_cut or stop.cancel_code in TAKEN_AWAY or stop.end_code is EndCode.NEVER_ARRIVED

    def _is_told_of_stop(self, stop: Order) -> bool:
        told = self.world.engine.state.notifications.state.matters
        return f"{STOP} {stop.strategy} {stop.request.symbol}" in told

    def compare_with_exchange(self) -> None:
        """Everything was delivered and compared: orders, fills and positions are the exchange's own (EX-09, EX-20)."""
        world, ledger = self.world, self.world.engine.state.ledger
        reports = all_reports(world)
        theirs = {report.client_order_id: report for report in reports}
        listed = {report.client_order_id for report in world.exchange.books(world.wire.at).orders}
        forgotten = [order_of(past) for name in theirs if (past := ledger.retention.forgotten(name)) is not None]
        for order in (*ledger.state.orders.values(), *forgotten):
            if order.role is Elsewhere.CLOSED:
                self._is_rightly_counted(order, reports)
                continue
            report = theirs.pop(order.id, None)
            if report is None or order.id in world.foreign - world.adopted:
                self._is_rightly_absent(order)
                continue
            if order.id in world.disruptions.unlisted or self._waits_for_a_person(order):
                continue  # it is listed as before, or the desk says that the two differ
            if order.id in world.disruptions.taken_back and (world.is_restored or world.foreign):
                continue  # an order that the folder does not know makes up for it: the positions agree
            if order.id in world.disruptions.taken_back and order.id not in listed:
                continue  # its fill came back over a week in which no desk ran: no list names it any more
            ours = (order.status, order.filled_quantity, order.broker_order_id)
            true = (report.status, report.filled_quantity, report.broker_order_id)
            late = order.status.is_terminal and order.filled_quantity == report.filled_quantity
            never_came = order.end_code in ENDED_BY_WORD or order.id in world.contradictions.contradicted
            if order.status is OrderStatus.REJECTED and order.id in self.story.sent_again:
                never_came = True  # the second request was refused, and the first came late
            if order.is_working:
                self._same_terms(order, report)
            self.require(ours == true or (late and never_came), f"{order.id}: {ours}, not {true}")
            self._same_sum(order, is_listed=order.id in listed)
            opens = order.is_working and not order.only_reduces and not order.is_cancelling
            is_killed = world.engine.state.control.killed_by is not None
            self.require(not (opens and is_killed), f"{order.id} opens, and the desk is killed")
        for other in self.world.foreign | self.world.disruptions.external:
            theirs.pop(other, None)
        theirs = {id: one for id, one in theirs.items() if not ended_unseen(one)}
        self.require(not theirs, f"orders that only the exchange knows: {sorted(theirs)}")
        net = Counter[str]()
        for report in reports:
            net[report.symbol] += report.filled_quantity if report.side is Side.BUY else -report.filled_quantity
        for act in world.acts:
            net[act.symbol] -= act.before
            net[act.to] += act.after
        held = {position.symbol: position.quantity for position in world.exchange.books(world.wire.at).positions}
        for symbol in {*net, *held, *(p.symbol for p in ledger.positions())}:
            ours = ledger.net_quantity(symbol)
            if self._is_for_a_person():
                continue
            self.require(
                ours == net[symbol] == held.get(symbol, Decimal(0)),
                f"{symbol}: {ours} in the ledger, {net[symbol]} by executions, {held.get(symbol)} at the exchange",
            )

    def _is_rightly_counted(self, record: Order, reports: Sequence[OrderReport]) -> None:
        """What somebody else filled is counted once, at the price of that order (EX-18)."""
        theirs = next((r for r in reports if r.broker_order_id == record.broker_order_id), None)
        self.require(not record.is_working, f"{record.id} works, and nobody sent it")
        if not record.filled_quantity or (theirs is None and self.actions.pays_out(record.request.symbol)):
            return
        orders = self.world.engine.state.ledger.state.orders
        name = "" if theirs is None else theirs.client_order_id
        is_foreign = name in self.world.foreign and name not in orders
        self.require(is_foreign, f"{record.id} counts fills that nobody else had")
        its = [o for o in orders.values() if o.role is Elsewhere.CLOSED and o.broker_order_id == record.broker_order_id]
        counted, paid = sum(o.filled_quantity for o in its), sum(o.filled_cost for o in its)
        if theirs is None or theirs.average_price is None or counted != theirs.filled_quantity:
            self.require(theirs is None or counted <= theirs.filled_quantity, f"{record.id} is counted twice")
            return
        true = record.request.instrument.cost(theirs.filled_quantity, theirs.average_price)
        self.require(abs(paid - true) < A_CENT, f"{record.id}: counted for {paid} USD, and it was {true}")

    def _same_sum(self, order: Order, *, is_listed: bool) -> None:
        """What it filled cost what the broker says, whoever told of it and in whatever order (EX-05)."""
        booked = self.world.exchange._book.find(order.id)
        if self.world.is_restored and self._is_for_a_person():
            return  # what was corrected since is followed once a person has accepted the books
        if self.world.is_restored and order.id in self.world.disruptions.corrected and not is_listed:
            return  # the older folder does not know the corrected price, and no list of the broker's names it any more
        if booked is not None and booked.filled == order.filled_quantity:
            ours, true = order.filled_cost, booked.paid
            self.require(
                abs(ours - true) < A_CENT, f"{order.id}: filled for {ours} USD here and {true} at the exchange"
            )

    def _same_terms(self, order: Order, report: OrderReport) -> None:
        """What works is what the broker has, and what was to replace it is not waited for once that has ended."""
        here = StatedTerms.of_order(order.request)
        there = StatedTerms.of_report(report, here)
        self.require(here == there, f"{order.id}: {here.changes(there)} here and there")
        other = self.story.orders.get(order.replaced_by or order.replacement or "")
        is_over = other is not None and other.status.is_terminal
        self.require(not is_over, f"{order.id} counts as replaced, and what was to replace it has ended")

    def _is_for_a_person(self) -> bool:
        """More was done elsewhere than may be corrected by itself: the desk is read-only, and says so."""
        is_elsewhere = bool(self.world.foreign) or bool(self.world.disruptions.taken_back)
        is_elsewhere |= bool(self.world.actions.open())
        return is_elsewhere and not self.world.engine.state.control.state.is_reconciled

    def _waits_for_a_person(self, order: Order) -> bool:
        return order.id in self.world.disruptions.taken_back and self._is_for_a_person()

    def _is_rightly_absent(self, order: Order) -> None:
        has_ended = order.status in (OrderStatus.REJECTED, OrderStatus.CANCELLED) and not order.filled_quantity
        self.require(
            has_ended or is_kept_here(self.world, order),
            f"order {order.id} is {order.status.value}, and the exchange never had it",
        )
