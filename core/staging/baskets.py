"""The slice of the basket, the state of its run, and the status of each of its orders.

Folded from facts. It sends nothing, and makes no risk decisions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field
from datetime import datetime

from core import facts
from core.execution.ledger import Ledger
from core.model.basket import Basket, BasketEnd, BasketOrderState, BasketPhase, BasketReport, BasketSource, SignedOrder
from core.model.codes import BasketStop
from core.model.lazy_dataclass import dataclass
from core.model.order import OrderStatus
from core.model.staging import AuthorizationKind
from core.model.values import ClientOrderId, Money, ProposalId, TicketId, plain, priced
from core.staging.stage import Stage


@dataclass(slots=True)
class BasketRun:
    """A basket and its run.

    Attributes
    ----------
    powers
        Buying power reported by the broker at each order's turn, USD.
    refusals
        Why a confirmed order is not sent.
    answered
        Orders whose request was answered by the broker, or given up.
    refused_because
        Why its last confirmation was refused; a mark clears it.
    spared
        Working entries that a flattening does not cancel: their mark was removed.
    taken_back
        Those that it cancels, once it is confirmed.
    stop
        Why no further order is sent, as recorded; None while it continues.
    halted, halted_by
        Why it must stop, before that is recorded, as text and code; empty if nothing stops it.
    events
        Events with their times, the newest last.
    """

    plan: Basket
    phase: BasketPhase = BasketPhase.OPEN
    phase_since: datetime | None = None
    phase_reason: str = ""
    stop: BasketStop | None = None
    marked: set[ProposalId] = field(default_factory=set)
    spared: set[ClientOrderId] = field(default_factory=set)
    taken_back: tuple[ClientOrderId, ...] = ()
    orders: tuple[SignedOrder, ...] = ()
    left_out: dict[ProposalId, tuple[str, ...]] = field(default_factory=dict)
    signed_at: datetime | None = None
    permitted_until: datetime | None = None
    power_before: Money | None = None
    tickets: dict[ProposalId, TicketId] = field(default_factory=dict)
    powers: dict[ProposalId, Money] = field(default_factory=dict)
    refusals: dict[ProposalId, tuple[str, ...]] = field(default_factory=dict)
    halted: str = ""
    halted_by: BasketStop | None = None
    answered: set[ClientOrderId] = field(default_factory=set)
    refused_because: tuple[str, ...] = ()
    events: list[tuple[datetime, str]] = field(default_factory=list)
    end: BasketEnd | None = None
    end_reason: str = ""
    report: BasketReport | None = None

    @property
    def id(self) -> TicketId:
        return self.plan.id

    @property
    def is_open(self) -> bool:
        return self.phase is BasketPhase.OPEN

    @property
    def runs(self) -> bool:
        return self.phase not in (BasketPhase.OPEN, BasketPhase.OVER)

    def sells(self) -> tuple[SignedOrder, ...]:
        return tuple(order for order in self.orders if order.proposal.only_reduces)

    def buys(self) -> tuple[SignedOrder, ...]:
        return tuple(order for order in self.orders if not order.proposal.only_reduces)

    def order(self, order_id: ClientOrderId) -> SignedOrder | None:
        return next((order for order in self.orders if order.order_id == order_id), None)

    def proposal_of(self, ticket_id: TicketId) -> ProposalId | None:
        return next((proposal for proposal, ticket in self.tickets.items() if ticket == ticket_id), None)


@dataclass(slots=True)
class BasketsState:
    run: BasketRun | None = None
    opened: int = 0


class BasketStanding:
    """Reads the ledger and the stage, and changes neither."""

    def __init__(self, stage: Stage, ledger: Ledger) -> None:
        self.stage = stage
        self.ledger = ledger

    def of(self, run: BasketRun, signed: SignedOrder) -> BasketOrderState:
        """Return an order's status by the books if it is in them; else by its turn."""
        order = self.ledger.standing_for(signed.order_id)
        ticket_id = run.tickets.get(signed.proposal.id)
        if order is not None and ticket_id is not None:
            if order.status is OrderStatus.FILLED:
                return BasketOrderState.FILLED
            if order.status.is_terminal:
                never_left = signed.proposal.id in run.refusals and not order.filled_quantity
                return BasketOrderState.REFUSED if never_left else BasketOrderState.ENDED
            if self.ledger.chains.is_in_doubt(order):
                return BasketOrderState.IN_DOUBT
            return BasketOrderState.SENT if order.status is OrderStatus.PENDING else BasketOrderState.WORKING
        if signed.proposal.id in run.refusals:
            return BasketOrderState.REFUSED
        if ticket_id is None:
            return BasketOrderState.WAITING
        confirmation = self.stage.state.confirmations.get(ticket_id)
        if confirmation is None or confirmation.is_void:
            return BasketOrderState.REFUSED
        return BasketOrderState.CLEARING if confirmation.is_decided else BasketOrderState.CHECKING

    def of_entry(self, order_id: ClientOrderId) -> BasketOrderState:
        """Return the status of a cancelled entry: gone, being cancelled, or filled before the cancel reached the
        broker.
        """
        order = self.ledger.order(order_id)
        if order is None or order.status.is_terminal:
            is_filled = order is not None and order.status is OrderStatus.FILLED
            return BasketOrderState.FILLED if is_filled else BasketOrderState.TAKEN_BACK
        if self.ledger.chains.is_in_doubt(order):
            return BasketOrderState.IN_DOUBT
        return BasketOrderState.TAKING_BACK if order.is_cancelling else BasketOrderState.WORKING

    def entries_left(self, run: BasketRun) -> list[ClientOrderId]:
        """Return the entries whose cancellation is not complete."""
        return [order_id for order_id in run.taken_back if not self.of_entry(order_id).is_over]

    def _entries_in_sum(self, run: BasketRun) -> list[str]:
        if not run.taken_back:
            return []
        standings = [self.of_entry(order_id) for order_id in run.taken_back]
        gone, filled = standings.count(BasketOrderState.TAKEN_BACK), standings.count(BasketOrderState.FILLED)
        parts = [f"{gone} of {len(standings)} entries taken back"]
        parts += [f"{filled} of them FILLED before that"] if filled else []
        left = len(standings) - gone - filled
        return [*parts, f"{left} of them still at the broker"] if left else parts

    def in_sum(self, run: BasketRun) -> str:
        """As in `9 of 14 filled, 1 still working, 4 not sent`, by the current status; with the reason of a stop."""
        standings = [self.of(run, order) for order in run.orders]
        filled = standings.count(BasketOrderState.FILLED)
        working = sum(not s.is_over and s is not BasketOrderState.WAITING for s in standings)
        refused = standings.count(BasketOrderState.REFUSED) + standings.count(BasketOrderState.WAITING)
        ended = standings.count(BasketOrderState.ENDED)
        parts = self._entries_in_sum(run)
        parts += [f"{filled} of {len(standings)} filled"] if standings or not parts else []
        parts += [f"{working} still working"] if working else []
        parts += [f"{ended} ended unfilled"] if ended else []
        parts += [f"{refused} not sent"] if refused else []
        why = f"; {run.phase_reason}" if run.stop is not None else ""
        return ", ".join(parts) + why


ENDED_BELOW_IT = "the desk was stopped while the basket ran; nothing of it is sent by itself"
KEPT_EVENTS = 200
OF_A_TICKET = re.compile(r"; (open the proposal again|open it again|confirm a new ticket|stage a new order)$")
"""Instructions for a ticket, which do not apply to a basket."""


class Baskets:
    """The slice of the basket; `ledger` and `stage` are read, never written."""

    name = "plans"

    def __init__(self, stage: Stage, ledger: Ledger) -> None:
        self.stage = stage
        self.ledger = ledger
        self.standings = BasketStanding(stage, ledger)
        self.state = BasketsState()
        self.folds = {
            facts.EngineStarted: self._started,
            facts.BasketOpened: self._opened,
            facts.BasketMarked: self._marked,
            facts.BasketSigned: self._signed,
            facts.BasketRefused: self._not_signed,
            facts.BasketTurnBegun: self._turn,
            facts.BasketOrderSkipped: self._skipped,
            facts.BasketPhaseChanged: self._moved,
            facts.BasketEnded: self._ended,
            facts.ConfirmationRefused: self._refused,
            facts.OrderApproved: self._approved,
            facts.SubmissionBlocked: self._blocked,
            facts.AuthorizationEnded: self._given_up,
            facts.ProposalEnded: self._taken_away,
            facts.OrderCreated: self._created,
            facts.OrderStateChanged: self._changed,
            facts.OrderSent: self._answered,
            facts.OrderStateUnknown: self._doubted,
            facts.OrderFilled: self._filled,
            facts.Halted: self._halted,
            facts.Killed: self._killed,
        }

    def restore(self, state: BasketsState) -> None:
        self.state = state

    # ── queries ──────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def run(self) -> BasketRun | None:
        return self.state.run

    @property
    def running(self) -> BasketRun | None:
        """The basket that was confirmed and has not ended."""
        run = self.state.run
        return run if run is not None and run.runs else None

    def is_of_the_running(self, order_id: ClientOrderId) -> bool:
        """Return whether this order is part of the running basket, whose report is still to come."""
        run = self.running
        return run is not None and run.order(order_id) is not None

    def open_plan(self, plan_id: TicketId) -> BasketRun | None:
        """Return the basket with this id if it waits for its confirmation."""
        run = self.state.run
        return run if run is not None and run.is_open and run.id == plan_id else None

    def entries_to_come(self, strategy: str) -> Iterator[ClientOrderId]:
        """Yield a strategy's entries among `signed_entries`, in their turn."""
        return (signed.order_id for signed in self.signed_entries() if signed.proposal.strategy == strategy)

    def signed_entries(self) -> Iterator[SignedOrder]:
        """Yield confirmed entries of the running basket that are not sent yet, in their turn."""
        run = self.running
        if run is None or run.halted:
            return
        for signed in run.buys():
            if self.standings.of(run, signed) in (BasketOrderState.WAITING, BasketOrderState.CHECKING):
                yield signed

    # ── folds ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _started(self, at: datetime, _fact: facts.EngineStarted) -> None:
        """Handle a restart: the screen is gone; a confirmed basket does not continue automatically (EX-20)."""
        run = self.state.run
        if run is None:
            return
        if run.is_open:
            self._over(run, at, BasketEnd.LEFT, "the desk was stopped before it was signed")
        elif run.runs:
            self._must_stop(run, ENDED_BELOW_IT, BasketStop.RESTARTED)

    def _opened(self, at: datetime, fact: facts.BasketOpened) -> None:
        self.state.opened += 1
        self.state.run = BasketRun(fact.plan, marked=set(fact.marked), phase_since=at)

    def _marked(self, _at: datetime, fact: facts.BasketMarked) -> None:
        run = self._of(fact.plan_id)
        if run is None:
            return
        run.refused_because = ()
        if any(line.proposal.id == fact.proposal_id for line in run.plan.lines):
            (run.marked.add if fact.is_marked else run.marked.discard)(fact.proposal_id)
        else:
            (run.spared.discard if fact.is_marked else run.spared.add)(ClientOrderId(fact.proposal_id))

    def _signed(self, at: datetime, fact: facts.BasketSigned) -> None:
        run = self._of(fact.plan_id)
        if run is None:
            return
        run.orders, run.left_out = fact.orders, dict(fact.left_out)
        run.signed_at, run.permitted_until, run.power_before = at, fact.ends_at, fact.buying_power
        run.taken_back = fact.taken_back
        run.phase, run.phase_since = BasketPhase.TAKING_BACK if run.taken_back else BasketPhase.SELLING, at
        before = f"{len(run.taken_back)} entries to take back first, then " if run.taken_back else ""
        self._tell(
            run, at, f"signed: {before}{len(run.sells())} to sell or cover first, then {len(run.buys())} to open"
        )

    def _not_signed(self, at: datetime, fact: facts.BasketRefused) -> None:
        """Handle a refused confirmation of the open basket, or a second basket that was not opened beside the running
        one.
        """
        run = self.state.run
        if run is not None and run.is_open and run.id == fact.plan_id:
            run.refused_because = fact.reasons
        elif run is not None and run.runs and run.id != fact.plan_id:
            self._tell(
                run, at, f"another basket, {fact.name or 'of this desk'}, was not opened: {'; '.join(fact.reasons)}"
            )

    def _turn(self, at: datetime, fact: facts.BasketTurnBegun) -> None:
        run = self._of(fact.plan_id)
        if run is not None:
            run.tickets[fact.proposal_id] = fact.ticket_id
            self._tell(run, at, f"{self._name(run, fact.proposal_id)}: its turn, checked on fresh figures")

    def _skipped(self, at: datetime, fact: facts.BasketOrderSkipped) -> None:
        run = self._of(fact.plan_id)
        if run is not None:
            run.refusals[fact.proposal_id] = told = _of_a_plan(fact.reasons)
            self._tell(run, at, f"{self._name(run, fact.proposal_id)}: not sent: {'; '.join(told)}")

    def _moved(self, at: datetime, fact: facts.BasketPhaseChanged) -> None:
        run = self._of(fact.plan_id)
        if run is not None:
            run.phase, run.phase_since, run.phase_reason, run.stop = fact.phase, at, fact.reason, fact.stop
            self._tell(run, at, fact.reason)

    def _ended(self, at: datetime, fact: facts.BasketEnded) -> None:
        run = self._of(fact.plan_id)
        if run is not None:
            run.report = fact.report
            self._over(run, at, fact.end, fact.reason)

    def _over(self, run: BasketRun, at: datetime, end: BasketEnd, reason: str) -> None:
        run.phase, run.phase_since, run.end, run.end_reason = BasketPhase.OVER, at, end, reason
        self._tell(run, at, f"{end.value}: {reason}")

    def _refused(self, at: datetime, fact: facts.ConfirmationRefused) -> None:
        run = self.running
        proposal = run.proposal_of(fact.ticket_id) if run is not None else None
        confirmation = self.stage.state.confirmations.get(fact.ticket_id)
        is_decided = confirmation is not None and confirmation.is_decided  # a further confirmation changes nothing
        if run is not None and proposal is not None and not is_decided and proposal not in run.refusals:
            run.refusals[proposal] = told = _of_a_plan(fact.reasons)
            self._tell(run, at, f"{self._name(run, proposal)}: refused: {'; '.join(told)}")

    def _approved(self, _at: datetime, fact: facts.OrderApproved) -> None:
        run = self.running
        proposal = run.proposal_of(fact.ticket_id) if run is not None else None
        if run is not None and proposal is not None and fact.buying_power is not None:
            run.powers[proposal] = fact.buying_power

    def _blocked(self, at: datetime, fact: facts.SubmissionBlocked) -> None:
        run, signed = self._signed_order(fact.client_order_id)
        if run is not None and signed is not None:
            run.refusals[signed.proposal.id] = told = _of_a_plan((fact.reason,))
            self._tell(run, at, f"{self._name(run, signed.proposal.id)}: blocked: {told[0]}")

    def _given_up(self, at: datetime, fact: facts.AuthorizationEnded) -> None:
        """Handle a close whose stop was not cancelled, or that had nothing left to sell."""
        run = self.running
        ticket, _, kind = fact.authorization_id.rpartition("-")
        proposal = (
            run.proposal_of(TicketId(ticket)) if run is not None and kind == AuthorizationKind.CLOSE.value else None
        )
        if run is None or proposal is None:
            return
        signed = next(order for order in run.orders if order.proposal.id == proposal)
        if self.ledger.order(signed.order_id) is None:
            run.refusals.setdefault(proposal, (fact.reason,))
            self._tell(run, at, f"{self._name(run, proposal)}: given up: {fact.reason}")

    def _taken_away(self, at: datetime, fact: facts.ProposalEnded) -> None:
        """Handle an order whose turn waited for fresh figures when nothing was left to close."""
        run = self.running
        ticket_id = run.tickets.get(fact.proposal_id) if run is not None else None
        if run is None or ticket_id is None:
            return
        confirmation = self.stage.state.confirmations.get(ticket_id)
        if confirmation is not None and not confirmation.is_decided:
            run.refusals.setdefault(fact.proposal_id, (fact.reason,))
            self._tell(run, at, f"{self._name(run, fact.proposal_id)}: {fact.end.value}: {fact.reason}")

    def _created(self, at: datetime, fact: facts.OrderCreated) -> None:
        run, signed = self._signed_order(fact.order.client_order_id)
        if run is not None and signed is not None:
            power = run.powers.get(signed.proposal.id)
            told = f", buying power {power:,.2f}" if power is not None and not signed.proposal.only_reduces else ""
            self._tell(run, at, f"{self._name(run, signed.proposal.id)}: sent{told}")

    def _changed(self, at: datetime, fact: facts.OrderStateChanged) -> None:
        """Report its end; for an order that was never sent `_blocked` did already."""
        run, signed = self._signed_order(fact.client_order_id)
        if run is None or signed is None or self.standings.of(run, signed) is BasketOrderState.REFUSED:
            return
        if fact.after.is_terminal and fact.after is not OrderStatus.FILLED:
            because = f": {fact.reason}" if fact.reason else ""
            self._tell(run, at, f"{self._name(run, signed.proposal.id)}: {fact.after.value}{because}")

    def _answered(self, _at: datetime, fact: facts.OrderSent) -> None:
        run, signed = self._signed_order(fact.client_order_id)
        if run is not None and signed is not None:
            run.answered.add(signed.order_id)

    def _doubted(self, at: datetime, fact: facts.OrderStateUnknown) -> None:
        run, signed = self._signed_order(fact.client_order_id)
        if run is not None and signed is not None:
            self._tell(run, at, f"{self._name(run, signed.proposal.id)}: IN DOUBT: {fact.reason}")

    def _filled(self, at: datetime, fact: facts.OrderFilled) -> None:
        run, signed = self._signed_order(fact.fill.client_order_id)
        if run is not None and signed is not None:
            fill = fact.fill
            words = f"filled {plain(fill.quantity)} at {priced(fill.price)}"
            self._tell(run, at, f"{self._name(run, signed.proposal.id)}: {words}")

    def _halted(self, at: datetime, fact: facts.Halted) -> None:
        self._stop_by(at, f"halted, {fact.cause.value}: {fact.reason}", BasketStop.HALTED)

    def _killed(self, at: datetime, fact: facts.Killed) -> None:
        self._stop_by(at, f"killed by {fact.by}", BasketStop.KILLED)

    def _stop_by(self, at: datetime, reason: str, stop: BasketStop) -> None:
        """Stop the basket after a halt, also when the halt has ended (OP-07).

        A flattening continues: each of its orders is confirmed and only reduces, and stopping it would keep the risk
        that the halt is for.
        """
        run = self.running
        if run is None:
            return
        if run.plan.source is BasketSource.FLATTEN and not run.buys():
            self._tell(run, at, f"{reason}: the flattening goes on, all of it only reduces")
        else:
            self._must_stop(run, reason, stop)

    def _must_stop(self, run: BasketRun, reason: str, stop: BasketStop) -> None:
        """Keep the first reason."""
        if not run.halted:
            run.halted, run.halted_by = reason, stop

    # ── helpers ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _of(self, plan_id: TicketId) -> BasketRun | None:
        run = self.state.run
        return run if run is not None and run.id == plan_id else None

    def _signed_order(self, order_id: ClientOrderId) -> tuple[BasketRun | None, SignedOrder | None]:
        run = self.state.run
        if run is None or not run.orders:
            return None, None
        return run, run.order(order_id)

    def _name(self, run: BasketRun, proposal_id: ProposalId) -> str:
        """As in `SELL 100 AIG`."""
        order = next(signed.proposal.order for signed in run.orders if signed.proposal.id == proposal_id)
        return f"{order.side.value.upper()} {plain(order.quantity)} {order.symbol}"

    def _tell(self, run: BasketRun, at: datetime, words: str) -> None:
        run.events.append((at, words))
        del run.events[:-KEPT_EVENTS]


def _of_a_plan(reasons: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(OF_A_TICKET.sub("; the next basket may have it", reason) for reason in reasons)
