"""Faults of the way out, planted back: what waits behind an entry, what a leave forgets, what leans on the broker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import pytest

from core.engine import Engine
from core.execution.gateway import Gateway
from core.execution.latency import Departures
from core.execution.order import Order
from core.facts import ApprovalRedeemed
from core.messages.effects import CancelOrder, Effect, ReplaceOrder, SubmitOrder
from core.messages.inputs import Input
from core.model.order import OrderRequest, order_id_of
from core.model.values import NO_SHARES, ClientOrderId, Quantity
from core.runtime import virtual_time
from core.runtime.runtime import Runtime
from core.runtime.virtual import VirtualRuntime
from core.runtime.virtual_time import Request
from core.staging.stage import Stage
from core.staging.stage_state import AuthorizationUse
from core.workflows.orders.position_close import PositionClose
from core.workflows.orders.unsent_orders import UnsentOrders
from core.workflows.protection.excess_exits import ExcessExits
from core.workflows.protection.protective_stops import ProtectiveStops
from core.workflows.staging import confirmation
from core.workflows.staging.order_changes import OrderChanges
from core.workflows.workflow import Deadlines
from tests.simulation.lane_watch import role_of
from tests.simulation.world import BadLine, Wire


@dataclass(frozen=True)
class OneLane:
    name: str
    width: int


def exits_wait_behind_entries(patch: pytest.MonkeyPatch) -> None:
    """One lane for all that is submitted; three for cancels, six for questions (EX-22)."""

    def lane_of(effect: Effect) -> OneLane:
        if isinstance(effect, SubmitOrder | ReplaceOrder):
            return OneLane("orders", 1)
        return OneLane("cancels", 3) if isinstance(effect, CancelOrder) else OneLane("questions", 6)

    patch.setattr(virtual_time, "lane_of", lane_of)


def cancels_wait_behind_questions(patch: pytest.MonkeyPatch) -> None:
    """One lane for all that is no order (EX-22)."""
    kept = virtual_time.lane_of

    def lane_of(effect: Effect) -> object:
        return kept(effect) if isinstance(effect, SubmitOrder | ReplaceOrder) else OneLane("others", 1)

    patch.setattr(virtual_time, "lane_of", lane_of)


def doubt_begins_in_the_queue(patch: pytest.MonkeyPatch) -> None:
    """What waits in its lane is looked up, given up, and leaves all the same (EX-06, EX-22)."""
    patch.setattr(Departures, "is_here", lambda _self, order: order.kept is not None)
    patch.setattr(Departures, "left_at", lambda _self, order: order.created_at)
    patch.setattr(Runtime, "_why_not_any_more", lambda *_: None)


def a_permission_lapses_in_the_queue(patch: pytest.MonkeyPatch) -> None:
    """Of what only reduces too it is measured when it leaves (EX-22)."""
    refusal = Gateway.refusal

    def at_the_wire(
        self: Gateway, effect: SubmitOrder | ReplaceOrder, now: datetime, _queued: object = None
    ) -> str | None:
        return refusal(self, effect, now)

    patch.setattr(Gateway, "refusal", at_the_wire)


def a_trickling_answer_holds_its_lane(patch: pytest.MonkeyPatch) -> None:
    """The time limit begins anew with each byte (EX-22)."""
    give_up = VirtualRuntime._give_up
    trickling: dict[int, Effect] = {}
    bring = BadLine.bring

    def noted(self: BadLine, effect: Effect, answer: Input) -> Iterable[object]:
        if any(trouble.fate == "trickling" and trouble.of in _names(effect) for trouble in self.waiting):
            trickling[id(effect)] = effect
        return bring(self, effect, answer)

    def patient(self: Wire, request: Request) -> None:
        if id(request.effect) not in trickling:
            give_up(self, request)

    patch.setattr(BadLine, "bring", noted)
    patch.setattr(VirtualRuntime, "_give_up", patient)


def a_leave_forgets_what_follows(patch: pytest.MonkeyPatch) -> None:
    """The answers are heard at the very end, and nothing that follows from them leaves (EX-22)."""
    finish = VirtualRuntime.finish_what_is_owed

    def forgets(self: VirtualRuntime) -> None:
        self._perform = lambda _effect: None  # type: ignore[method-assign]
        finish(self)

    patch.setattr(VirtualRuntime, "finish_what_is_owed", forgets)


def what_was_kept_is_never_sent(patch: pytest.MonkeyPatch) -> None:
    """The next start knows that it never left, and does nothing about it (EX-22)."""
    patch.setattr(UnsentOrders, "send", lambda _self: ())


def another_command_lets_the_latch_go(patch: pytest.MonkeyPatch) -> None:
    """A kill that is pressed and not queued yet loses the latch to whatever is obeyed meanwhile (OP-07)."""
    obey = Runtime.obey

    def lets_go(self: Runtime, command: object) -> None:
        obey(self, command)  # type: ignore[arg-type]
        self.latch.__dict__.get("_held", {}).clear()

    patch.setattr(Runtime, "obey", lets_go)


def names_are_counted_by_what_is_remembered(patch: pytest.MonkeyPatch) -> None:
    """A stop that is put back after the one before it was forgotten takes its name (EX-04, EX-22)."""

    def counted(self: ProtectiveStops, use: AuthorizationUse, parent: Order) -> ClientOrderId:
        entry = (parent.parent if parent.is_protective else None) or parent.id
        known = [order for order in self.state.ledger.state.orders.values() if order.parent == entry]
        return order_id_of(entry, use.authorization.side.value, str(len(known) + 1))

    patch.setattr(ProtectiveStops, "_next_id", counted)


def one_raise_drops_what_was_asked_for(patch: pytest.MonkeyPatch) -> None:
    """What is recorded as created neither leaves nor is taken back (EX-22)."""
    settled = Engine._settled

    def drops(self: Engine, *given: object) -> Iterable[Effect]:
        faults = self.state.sightings.faults
        effects = settled(self, *given)  # type: ignore[arg-type]
        return effects if self.state.sightings.faults == faults else []

    patch.setattr(Engine, "_settled", drops)


def a_permission_is_used_up_without_its_order(patch: pytest.MonkeyPatch) -> None:
    """What was redeemed counts, whether or not its order is written down (EX-22)."""
    redeemed = Stage._redeemed

    def counts(self: Stage, at: datetime, fact: ApprovalRedeemed) -> None:
        redeemed(self, at, fact)
        authorization_id, quantity = self.state.redeemed.pop(fact.client_order_id, ("", NO_SHARES))
        if (use := self.state.authorizations.get(authorization_id)) is not None:
            use.released = Quantity(use.released + quantity)

    patch.setattr(Stage, "_redeemed", counts)


def a_deadline_that_raises_keeps_the_others_waiting(patch: pytest.MonkeyPatch) -> None:
    """What comes after it in the list is not done (EX-22)."""

    def reach(self: Deadlines) -> Iterator[Effect]:
        for workflow in self.workflows:
            yield from workflow.due() or ()

    patch.setattr(Deadlines, "reach", reach)


def a_fact_moves_no_kept_deadline(patch: pytest.MonkeyPatch) -> None:
    """What has become due in the meantime is not done (EX-22)."""
    patch.setattr(Deadlines, "hear", lambda _: None)


def what_an_edited_bracket_had_filled_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Its legs went with it, and the legs of what took its place are for the rest alone (EX-13)."""
    cover = ProtectiveStops.cover

    def forgets(self: ProtectiveStops, entry_id: ClientOrderId) -> Iterable[Effect]:
        entry = self.state.ledger.order(entry_id)
        return () if entry is not None and entry.made_way else cover(self, entry_id)

    patch.setattr(ProtectiveStops, "cover", forgets)


def a_bracket_is_edited_whatever_becomes_of_its_target(patch: pytest.MonkeyPatch) -> None:
    """The broker may take the new one without its legs, and nothing follows for the target (EX-13)."""
    irreplaceable = OrderChanges._irreplaceable

    def lets(self: OrderChanges, order: OrderRequest) -> str | None:
        refusal = irreplaceable(self, order)
        return None if refusal is not None and "with a target" in refusal else refusal

    patch.setattr(OrderChanges, "_irreplaceable", lets)


def siblings_are_left_to_the_broker(patch: pytest.MonkeyPatch) -> None:
    """Exits for more than is held go on working where the broker does not end them (EX-13)."""
    patch.setattr(ExcessExits, "settle", lambda *_: ())
    patch.setattr(ExcessExits, "on_kill", lambda *_: ())


def an_exit_is_not_clamped_again(patch: pytest.MonkeyPatch) -> None:
    """What left meanwhile is taken off an exit neither at its ticket, nor at its sale, nor while it waits (EX-13)."""
    careful = PositionClose._sell

    def left(*_: object) -> Decimal:
        return Decimal(1_000_000)

    def sell(self: PositionClose, use: AuthorizationUse) -> Iterator[Effect]:
        with patch.context() as at_the_sale:
            at_the_sale.setattr(self.protective_stops, "uncovered", left)
            effects = list(careful(self, use))
        yield from effects

    patch.setattr(confirmation, "left_to_close", left)
    patch.setattr(PositionClose, "_sell", sell)
    patch.setattr(ExcessExits, "_waits_here", lambda *_: False)


def _names(effect: Effect) -> tuple[str, ...]:
    return type(effect).__name__, role_of(effect)


ROUGH_FAULTS = (
    exits_wait_behind_entries,
    cancels_wait_behind_questions,
    doubt_begins_in_the_queue,
    a_permission_lapses_in_the_queue,
    a_permission_is_used_up_without_its_order,
    a_trickling_answer_holds_its_lane,
    a_leave_forgets_what_follows,
    what_was_kept_is_never_sent,
    another_command_lets_the_latch_go,
    siblings_are_left_to_the_broker,
    an_exit_is_not_clamped_again,
    names_are_counted_by_what_is_remembered,
    one_raise_drops_what_was_asked_for,
    a_deadline_that_raises_keeps_the_others_waiting,
    a_fact_moves_no_kept_deadline,
    what_an_edited_bracket_had_filled_is_forgotten,
    a_bracket_is_edited_whatever_becomes_of_its_target,
)
