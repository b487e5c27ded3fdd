"""Faults of orders, stops, baskets, keys and restarts, planted to see that a session finds each.

Each is one function that patches the product; `rough_faults.py` has those of lanes, leaving and brackets,
`desk_faults.py` those of several desks, `refusal_faults.py` those of controls that reject too much.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from core.execution.gateway import Gateway
from core.execution.ledger import Ledger
from core.execution.ledger_state import ExitClaims
from core.execution.order import Order
from core.facts import ContingentOrdersMissing, EngineStarted, ProposalEdited, Source
from core.messages.commands import Confirm
from core.messages.effects import CancelOrder, Effect, ReplaceOrder, SubmitOrder
from core.messages.inputs import Start, SubmissionAnswered
from core.model.basket import BasketPhase
from core.model.broker import Execution, NoAnswer, OrderReport
from core.model.staging import AuthorizationKind
from core.model.values import NO_SHARES, ClientOrderId, Quantity
from core.risk.checks.losses import ProtectionCheck
from core.risk.gate import Gate, passed
from core.risk.trading_status import TradingStatus
from core.staging import approvals
from core.staging.baskets import BasketRun, Baskets
from core.staging.stage import Stage
from core.strategies.orchestrator import Orchestrator
from core.trading_state.state import TradingState
from core.workflows import baskets
from core.workflows.basket_dry_run import DryRunResult
from core.workflows.basket_execution import BasketExecution
from core.workflows.engine_start import EngineStart
from core.workflows.orders.exit_legs import ContingentOrders
from core.workflows.orders.order_recovery import OrderRecovery
from core.workflows.orders.order_updates import OrderUpdates
from core.workflows.orders.position_close import PositionClose
from core.workflows.orders.submission import Submission
from core.workflows.protection.protective_stops import ProtectiveStops
from core.workflows.staging.confirmation import Confirmations
from core.workflows.staging.proposal_intake import ProposalEdits
from tests.simulation.world import Disk, Switch


def nothing_is_refused(patch: pytest.MonkeyPatch) -> None:
    """The one place where permission is judged lets everything through (OP-02)."""
    patch.setattr(approvals, "refusal_to_redeem", lambda *_: None)


def the_digest_is_not_compared(patch: pytest.MonkeyPatch) -> None:
    """A key counts for whatever the ticket shows now (OP-02)."""
    careful = Confirmations.on_confirm

    def careless(self: Confirmations, command: Confirm) -> Iterator[Effect]:
        ticket = self.state.stage.state.tickets.get(command.ticket_id)
        return careful(self, replace(command, digest=ticket.digest) if ticket else command)

    patch.setattr(Confirmations, "on_confirm", careless)


def any_key_replaces(patch: pytest.MonkeyPatch) -> None:
    """The key of the effect counts where R alone may (OP-04)."""
    careful = Confirmations.on_confirm

    def careless(self: Confirmations, command: Confirm) -> Iterator[Effect]:
        ticket = self.state.stage.state.tickets.get(command.ticket_id)
        return careful(self, replace(command, replaces=ticket.order.replaces) if ticket else command)

    patch.setattr(Confirmations, "on_confirm", careless)


def a_pair_counts_for_nothing(patch: pytest.MonkeyPatch) -> None:
    """While its answer is awaited the position looks bare: a pair counts for nothing (EX-13)."""

    def claim(self: ExitClaims, order: Order) -> Quantity:
        return NO_SHARES if self.chains.replaced(order) or order.is_being_replaced else order.remaining

    patch.setattr(ExitClaims, "claim", claim)


def a_stop_is_released_for_the_whole_fill_each_time(patch: pytest.MonkeyPatch) -> None:
    """The authorization's limit is neither minded nor checked (OP-02, OP-06)."""
    careful = approvals.permit

    def cover(self: ProtectiveStops, entry_id: ClientOrderId) -> Iterator[Effect]:
        entry = self.state.ledger.order(entry_id)
        for use in self.state.stage.authorizations(AuthorizationKind.PROTECTIVE_STOP, entry_id):
            if entry is not None:
                yield from self.release_stop(use, entry, entry.filled_quantity)

    def permit(stage: Stage, use: Any, *rest: Any) -> Any:
        return careful(stage, replace(use, released=Decimal(-1_000_000)), *rest)

    patch.setattr(ProtectiveStops, "cover", cover)
    patch.setattr(approvals, "permit", permit)


def nothing_is_synced(patch: pytest.MonkeyPatch) -> None:
    """Effects leave before their facts are on the disk (SP-01)."""
    patch.setattr(Disk, "sync", lambda _: None)


def an_edit_leaves_what_was_shown_open(patch: pytest.MonkeyPatch) -> None:
    """The ticket on the order before can still be confirmed (OP-02)."""

    def edited(self: Stage, _at: object, fact: ProposalEdited) -> None:
        self.state.proposals[fact.proposal.id] = fact.proposal

    patch.setattr(Stage, "_edited", edited)
    patch.setattr(ProposalEdits, "_close_tickets", lambda *_: None)


def a_pause_is_not_minded(patch: pytest.MonkeyPatch) -> None:
    """It is recorded, and the strategy is not told (ST-03)."""
    patch.setattr(Orchestrator, "_paused", lambda *_: None)


def a_refused_symbol_is_not_checked(patch: pytest.MonkeyPatch) -> None:
    """It is recorded, and the gate does not look (RK-01)."""
    patch.setattr(TradingStatus, "refusal_of", lambda *_: None)


def a_trip_is_not_minded(patch: pytest.MonkeyPatch) -> None:
    """It is recorded, and the gate does not look (RK-09)."""
    patch.setattr(ProtectionCheck, "review", lambda self, *_: passed(self.name, "not tripped"))


def a_post_is_sent_again_blindly(patch: pytest.MonkeyPatch) -> None:
    """No answer came, so the same request leaves once more (EX-06)."""
    release, answered = Submission.release, Submission.on_answered
    sent: dict[str, Effect] = {}

    def remember(self: Submission, *given: object) -> Iterator[Effect]:
        for effect in release(self, *given):  # type: ignore[arg-type]
            if isinstance(effect, SubmitOrder | ReplaceOrder):
                sent[effect.order.client_order_id] = effect
            yield effect

    def again(self: Submission, reply: SubmissionAnswered) -> Iterable[Effect]:
        if isinstance(reply.answer, NoAnswer) and reply.client_order_id in sent:
            return [sent[reply.client_order_id]]
        return answered(self, reply)

    patch.setattr(Submission, "release", remember)
    patch.setattr(Submission, "on_answered", again)
    patch.setattr(Gateway, "refusal", lambda *_: None)


def a_replayed_fill_counts_again(patch: pytest.MonkeyPatch) -> None:
    """Executions are not known again (EX-05)."""

    def every(
        _self: OrderUpdates, _order: Order, report: OrderReport, _source: object, execution: Execution | None
    ) -> list[Execution]:
        return [*(report.executions if execution is None else (execution,))]

    patch.setattr(OrderUpdates, "_new_fills", every)


def nobody_asks_after_a_crash(patch: pytest.MonkeyPatch) -> None:
    """An order that an earlier process left without an answer is not looked up (EX-06, EX-20)."""
    start, ask, watch = EngineStart.on_start, OrderRecovery.ask, OrderRecovery.watch

    def on_start(self: EngineStart, command: Start) -> Iterable[Effect]:
        self.order_recovery.begun_at = self.state.at  # type: ignore[attr-defined]
        return start(self, command)

    def ours(self: OrderRecovery, order: Order) -> bool:
        return order.created_at >= getattr(self, "begun_at", order.created_at)

    patch.setattr(EngineStart, "on_start", on_start)
    patch.setattr(OrderRecovery, "ask", lambda self, order: ask(self, order) if ours(self, order) else ())
    patch.setattr(OrderRecovery, "watch", lambda self, order: watch(self, order) if ours(self, order) else None)


def a_restart_forgets_the_kill(patch: pytest.MonkeyPatch) -> None:
    """Neither the journal's kill nor the switch's file holds over a start (OP-07)."""
    started = TradingStatus._started

    def forgetful(self: TradingStatus, at: datetime, fact: EngineStarted) -> None:
        started(self, at, fact)
        self.state.killed_by = self.state.killed_at = None

    class Forgetful(TradingStatus):
        def __init__(self, *terms: Any) -> None:
            super().__init__(*terms)
            self.folds[EngineStarted] = lambda at, fact: forgetful(self, at, fact)

    patch.setattr("core.trading_state.slices.TradingStatus", Forgetful)
    patch.setattr(Switch, "is_on", lambda _: None)


def the_sale_does_not_wait_for_its_stop(patch: pytest.MonkeyPatch) -> None:
    """Shares that a working stop holds are sold all the same (EX-21)."""
    patch.setattr(PositionClose, "_stops_left", lambda self, use: self.sale_chains.ticket(use) is None)
    patch.setattr(
        "core.workflows.orders.position_close.unreserved",
        lambda ledger, symbol, strategy, _side: (
            abs(held.quantity) if (held := ledger.position(symbol, strategy)) else 0
        ),
    )


def a_stop_that_a_crash_kept_back_is_never_sent(patch: pytest.MonkeyPatch) -> None:
    """Fills whose stop was not written down before a crash stay without one (OP-06, EX-20)."""
    patch.setattr("core.workflows.protection.protective_stops.ProtectiveStops.resume", lambda *_: ())


def a_word_that_is_behind_ends_what_is_over(patch: pytest.MonkeyPatch) -> None:
    """An answer that was read before the broker told of an order's end is believed behind it (EX-07)."""

    def at_once(_self: OrderUpdates, order: Order, report: OrderReport, _source: Source) -> Iterator[Effect]:
        if report.status is not None and report.status.is_working:
            yield CancelOrder(order.id, report.broker_order_id)

    patch.setattr(OrderUpdates, "_follow_one_that_is_over", at_once)


def legs_that_are_left_out_are_missing(patch: pytest.MonkeyPatch) -> None:
    """A list or an answer without them is believed, and a second stop is sent (EX-13, OP-06)."""
    meet = ContingentOrders.meet

    def believes(self: ContingentOrders, order: Order, report: OrderReport, source: Source) -> None:
        meet(self, order, report, source)
        if source is not Source.STREAM and not report.legs and self.state.ledger.legs.are_expected(order):
            self.state.record(ContingentOrdersMissing(order.id))

    patch.setattr(ContingentOrders, "meet", believes)


def a_buy_does_not_wait_for_its_sells(patch: pytest.MonkeyPatch) -> None:
    """A basket's buys begin as soon as its sells have had their turn (EX-10)."""

    def wait(self: BasketExecution, run: BasketRun) -> None:
        self._move(run, BasketPhase.BUYING, "nobody waits")

    patch.setattr(BasketExecution, "_wait", wait)


def a_plan_goes_on_after_a_crash(patch: pytest.MonkeyPatch) -> None:
    """What was signed before it goes on by itself (EX-20, OP-02)."""
    keeps = Stage._started

    class Forgetful(Stage):
        def __init__(self, *terms: Any) -> None:
            super().__init__(*terms)
            self.folds[EngineStarted] = self._keeps_plans

        def _keeps_plans(self, at: datetime, fact: EngineStarted) -> None:
            uses = self.authorizations(AuthorizationKind.BASKET)
            keeps(self, at, fact)
            self.state.authorizations |= {use.authorization.id: use for use in uses}
            self._index()

    class GoesOn(Baskets):
        def __init__(self, stage: Stage, ledger: Ledger) -> None:
            super().__init__(stage, ledger)
            self.folds[EngineStarted] = lambda _at, _fact: None

    patch.setattr("core.trading_state.slices.Stage", Forgetful)
    patch.setattr("core.trading_state.slices.Baskets", GoesOn)


def what_is_not_marked_goes_too(patch: pytest.MonkeyPatch) -> None:
    """`P` signs every order that fits (OP-05)."""
    patch.setattr("core.workflows.baskets.BasketDrafts._refusal", lambda *_: None)
    rehearsed = baskets.rehearsed

    def all_of_it(desk: TradingState, gate: Gate, run: BasketRun) -> list[DryRunResult]:
        run.marked |= {line.proposal.id for line in run.plan.lines}
        return rehearsed(desk, gate, run)

    patch.setattr(baskets, "rehearsed", all_of_it)


ORDER_FAULTS = (
    nothing_is_refused,
    the_digest_is_not_compared,
    any_key_replaces,
    a_pair_counts_for_nothing,
    a_stop_is_released_for_the_whole_fill_each_time,
    nothing_is_synced,
    an_edit_leaves_what_was_shown_open,
    a_pause_is_not_minded,
    a_refused_symbol_is_not_checked,
    a_trip_is_not_minded,
    a_post_is_sent_again_blindly,
    a_replayed_fill_counts_again,
    nobody_asks_after_a_crash,
    a_restart_forgets_the_kill,
    the_sale_does_not_wait_for_its_stop,
    a_stop_that_a_crash_kept_back_is_never_sent,
    a_word_that_is_behind_ends_what_is_over,
    legs_that_are_left_out_are_missing,
    a_buy_does_not_wait_for_its_sells,
    a_plan_goes_on_after_a_crash,
    what_is_not_marked_goes_too,
)
