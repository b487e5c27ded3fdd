"""Sessions that find nothing prove nothing: faults that cost real money are planted in turn, and the auditor must tell.

The count of sessions that each took is printed at the end of the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from core.execution.gateway import Gateway
from core.execution.ledger import Ledger
from core.execution.order import Order
from core.facts import ContingentOrdersMissing, EngineStarted, Source
from core.messages.effects import CancelOrder, Effect, ReplaceOrder, SubmitOrder
from core.messages.inputs import Start, SubmissionAnswered
from core.model.basket import BasketPhase
from core.model.broker import Execution, NoAnswer, OrderReport
from core.model.staging import AuthorizationKind
from core.risk.gate import Gate
from core.staging.basket_run import BasketRun
from core.staging.baskets import Baskets
from core.staging.stage import Stage
from core.trading_state.state import TradingState
from core.trading_state.trading_status import TradingStatus
from core.workflows.baskets import baskets
from core.workflows.baskets.basket_dry_run import DryRunResult
from core.workflows.baskets.basket_execution import BasketExecution
from core.workflows.day.start import EngineStart
from core.workflows.orders.contingent_orders import ContingentOrders
from core.workflows.orders.order_recovery import OrderRecovery
from core.workflows.orders.order_updates import OrderUpdates
from core.workflows.orders.position_close import PositionClose
from core.workflows.orders.submission import Submission
from tests.simulation.other_exchange import Manners
from tests.simulation.play import play
from tests.simulation.rough_faults import (
    a_bracket_is_edited_whatever_becomes_of_its_target,
    a_deadline_that_raises_keeps_the_others_waiting,
    a_leave_forgets_what_follows,
    a_permission_is_used_up_without_its_order,
    a_permission_lapses_in_the_queue,
    a_trickling_answer_holds_its_lane,
    an_exit_is_not_clamped_again,
    another_command_lets_the_latch_go,
    cancels_wait_behind_questions,
    doubt_begins_in_the_queue,
    exits_wait_behind_entries,
    names_are_counted_by_what_is_remembered,
    one_raise_drops_what_was_asked_for,
    siblings_are_left_to_the_broker,
    what_an_edited_bracket_had_filled_is_forgotten,
    what_was_kept_is_never_sent,
)
from tests.simulation.sessions import PLENTY, Event, session_of
from tests.simulation.world import Switch

ENOUGH = 2_000
SEED = 5
OTHER_SEEDS = {"nobody_asks_after_a_crash": 6}
"""Where SEED's sessions take long to get there: any seed finds it in the end, one in some hundred sessions."""


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
    uncovered = "core.workflows.protection.protective_stops.ProtectiveStops.uncovered"
    patch.setattr(PositionClose, "_stops_left", lambda self, use: self.closing_sales.ticket(use) is None)
    patch.setattr(
        uncovered,
        lambda self, symbol, strategy, _side: abs(held.quantity) if (held := self._position(symbol, strategy)) else 0,
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
            mandates = {use.mandate.id: use for use in self.mandates(AuthorizationKind.BASKET)}
            keeps(self, at, fact)
            self.state.mandates |= mandates

    class GoesOn(Baskets):
        def __init__(self, stage: Stage, ledger: Ledger) -> None:
            super().__init__(stage, ledger)
            self.folds[EngineStarted] = lambda _at, _fact: None

    patch.setattr("core.trading_state.slices.Stage", Forgetful)
    patch.setattr("core.trading_state.slices.Baskets", GoesOn)


def what_is_not_marked_goes_too(patch: pytest.MonkeyPatch) -> None:
    """`P` signs every order that fits (OP-05)."""
    patch.setattr("core.workflows.baskets.baskets.BasketDrafts._refusal", lambda *_: None)
    rehearsed = baskets.rehearsed

    def all_of_it(desk: TradingState, gate: Gate, run: BasketRun) -> list[DryRunResult]:
        run.marked |= {line.proposal.id for line in run.plan.lines}
        return rehearsed(desk, gate, run)

    patch.setattr(baskets, "rehearsed", all_of_it)


ROUGH_SEEDS = {
    exits_wait_behind_entries: 8,
    an_exit_is_not_clamped_again: 510,
    cancels_wait_behind_questions: 3,
    a_permission_lapses_in_the_queue: 218,
    doubt_begins_in_the_queue: 111,
    a_trickling_answer_holds_its_lane: 61,
    a_leave_forgets_what_follows: 34,
    what_was_kept_is_never_sent: 15,
    another_command_lets_the_latch_go: 0,
    names_are_counted_by_what_is_remembered: 40,
    one_raise_drops_what_was_asked_for: 0,
    a_deadline_that_raises_keeps_the_others_waiting: 133,
    what_an_edited_bracket_had_filled_is_forgotten: 8,
    a_bracket_is_edited_whatever_becomes_of_its_target: 27,
    siblings_are_left_to_the_broker: 119,
}
"""Of SEED, the session that is tried first."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", ROUGH_SEEDS, ids=lambda fault: fault.__name__)
def test_a_fault_of_the_way_out_is_found(
    fault: Callable[[pytest.MonkeyPatch], None],
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    """EX-22, OP-07"""
    fault(monkeypatch)

    first = ROUGH_SEEDS[fault]
    for number in range(first, first + ENOUGH):
        found = play(session_of(SEED, number)).failures
        if found:
            break

    assert found, f"{ENOUGH} sessions did not find it"
    record_property(f"found: {fault.__name__}", f"{number + 1 - first} sessions: {found[0].words[0]}")


PLAIN, DROPS_LEGS = Manners(), Manners(drops_legs=True)
DIRECTED = {
    a_leave_forgets_what_follows: (("the_desk_is_left", (1, "SubmitOrder left", 5.0, "fraction", 1.0)), PLAIN),
    siblings_are_left_to_the_broker: (
        ("a_bracket_is_traded", ("open", "6", False, "target, stop", 30, 61.0)),
        Manners(ends_siblings=False),
    ),
    a_permission_lapses_in_the_queue: (
        ("a_request_hangs", ("an exit", "its answer hangs", 30.0, False, "bare, part, part", 10.0)),
        PLAIN,
    ),
    doubt_begins_in_the_queue: (
        ("a_request_hangs", ("an exit", "its answer hangs", 30.0, True, "bare, part, part, part", 20.0)),
        PLAIN,
    ),
    a_trickling_answer_holds_its_lane: (
        ("a_request_hangs", ("an exit", "its answer trickles", 30.0, False, "fraction, part", 40.0)),
        PLAIN,
    ),
    what_was_kept_is_never_sent: (("the_desk_is_left", (0, "", 5.0, "", 0.0, True)), PLAIN),
    names_are_counted_by_what_is_remembered: (
        ("a_position_grows_old", ("part, week, part, part", 8, "0.5")),
        PLAIN,
    ),
    one_raise_drops_what_was_asked_for: (("a_follow_up_raises", ("fraction", 15.0)), PLAIN),
    a_permission_is_used_up_without_its_order: (("a_follow_up_raises", ("fraction", 15.0, "permitted")), PLAIN),
    a_deadline_that_raises_keeps_the_others_waiting: (("a_deadline_raises", ("fraction", "an entry", 90.0)), PLAIN),
    what_an_edited_bracket_had_filled_is_forgotten: (
        ("a_half_filled_bracket_is_edited", ("8", 30, "4", "-0.02", False, "")),
        DROPS_LEGS,
    ),
    a_bracket_is_edited_whatever_becomes_of_its_target: (
        ("a_half_filled_bracket_is_edited", ("8", 30, "4", "-0.02", True, "")),
        DROPS_LEGS,
    ),
    a_stop_that_a_crash_kept_back_is_never_sent: (("the_process_dies", (2, "OrderFilled", 3, False, 1.0, 0)), PLAIN),
}
"""The one event that meets it, on a desk in peace, and the exchange's manners."""
AFTER_IT = {
    a_stop_that_a_crash_kept_back_is_never_sent: (
        Event("an_order_is_typed", ("open", "2.5", "", "1.00", "broker", "SPY")),
        Event("quiet_minutes", (8, 1)),
    ),
}
"""What that event waits for."""


@pytest.mark.parametrize("is_planted", [True, False])
@pytest.mark.parametrize("fault", DIRECTED, ids=lambda fault: fault.__name__)
def test_one_event_meets_the_fault_and_finds_nothing_without_it(
    fault: Callable[[pytest.MonkeyPatch], None], is_planted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EX-22, EX-13, EX-04, OP-06, EX-20"""
    (name, arguments), manners = DIRECTED[fault]
    events = (Event(name, arguments), *AFTER_IT.get(fault, ()))
    if is_planted:
        fault(monkeypatch)
    session = session_of(SEED, 0)
    peace = replace(
        session.profile, is_margin=True, is_guarded=False, minutes=30, speaks_often=False, cash=PLENTY, manners=manners
    )

    found = play(replace(session, profile=peace, events=events)).failures

    assert bool(found) is is_planted


FAULTS: tuple[Callable[[pytest.MonkeyPatch], None], ...] = (
    a_post_is_sent_again_blindly,
    a_replayed_fill_counts_again,
    nobody_asks_after_a_crash,
    a_restart_forgets_the_kill,
    the_sale_does_not_wait_for_its_stop,
    a_word_that_is_behind_ends_what_is_over,
    legs_that_are_left_out_are_missing,
    a_buy_does_not_wait_for_its_sells,
    a_plan_goes_on_after_a_crash,
    what_is_not_marked_goes_too,
)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_planted_fault_is_found(
    fault: Callable[[pytest.MonkeyPatch], None],
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    """OP-02, OP-05, OP-06, OP-07, EX-05, EX-06, EX-10, EX-13, EX-20, EX-21"""
    fault(monkeypatch)

    for number in range(ENOUGH):
        found = play(session_of(OTHER_SEEDS.get(fault.__name__, SEED), number)).failures
        if found:
            break

    assert found, f"{ENOUGH} sessions did not find it"
    record_property(f"found: {fault.__name__}", f"{number + 1} sessions: {found[0].words[0]}")
