"""Something that nobody foresaw: it halts what opens, and nothing that another order's safety needs goes with it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.execution.order import Order
from core.messages.commands import Decline, Kill, ProposeClose, ProposeOrder, Resume
from core.messages.effects import LookUpOrder, SubmitOrder
from core.model.codes import CancelCode, GuardCode, HaltCause
from core.model.order import Effect, OrderStatus, OrderType, Side, StopHolder
from core.model.values import Price, Quantity, Symbol, plain
from core.workflows.basket_execution import BasketExecution
from core.workflows.operator.kill_switch import KillSwitchWorkflow
from core.workflows.orders.cancellation import Cancellation, Replacement
from core.workflows.orders.position_close import PositionClose
from core.workflows.orders.submission import Submission
from core.workflows.protection.excess_exits import ExcessExits
from core.workflows.protection.protective_stops import ProtectiveStops
from core.workflows.staging.proposal_lifecycle import Proposals
from core.workflows.thesis_check import ThesisCheck
from tests.scenarios.changes import FRACTIONS, confirms_now, passes
from tests.scenarios.house import (
    STEADY,
    House,
    a_day,
    a_house_in_a_position,
    a_house_with_a_proposal,
    a_typed_buy,
    assert_can_be_rebuilt,
    minutes,
)
from tests.scenarios.requests import CANCEL, requested
from tests.unit.core.brokers.trading_floor import SPY

A_PART = ProposeOrder(SPY, Effect.CLOSE, Quantity(Decimal("0.2")), OrderType.MARKET, None, None, StopHolder.BROKER)
LONG = ("10:06", "11:00", STEADY)


WHY = "nobody foresaw this"


def raises(*_: object) -> Any:
    raise ZeroDivisionError(WHY)


def a_house_in_doubt() -> House:
    """Its entry reached the broker and filled; no answer came, nor any update, and the first look-up was lost too."""
    house = a_house_with_a_proposal(LONG)
    house.line.breaks_at(SubmitOrder, arrives=True)
    house.line.breaks_at(LookUpOrder, arrives=True)
    house.line.is_deaf = True
    house.confirms_at("10:06:02")
    return house.until("10:06:03")


def a_house_of_two_buys(*limits: str) -> House:
    """Typed, for parts of a share: the stop of each follows its fill."""
    house = House(a_day(LONG), FRACTIONS).opens().until("10:06")
    for proposal in house.desk.stage.proposals():
        house.presses(Decline(proposal.id))
    for limit, quantity in zip(limits, ("0.1", "0.2"), strict=True):
        house.presses(a_typed_buy(quantity, limit=limit, stop="97"))
        confirms_now(house)
        passes(house, 2)
    return house


def is_halted(house: House) -> bool:
    return HaltCause.INVARIANT in house.desk.control.halts


def test_a_sale_leaves_although_the_stop_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-14, EX-22"""
    house = a_house_in_a_position(LONG)
    monkeypatch.setattr(PositionClose, "_put_back", raises)
    house.presses(A_PART)

    confirms_now(house)
    passes(house, 10)

    assert house.held_by_the_broker() == "0.302"
    assert (house.last(facts.Halted).cause, house.last(facts.Halted).reason) == (
        HaltCause.INVARIANT,
        f"ZeroDivisionError: {WHY}",
    )
    assert_can_be_rebuilt(house)


def test_a_fill_is_protected_although_a_follow_up_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-22, OP-06"""
    monkeypatch.setattr(Replacement, "after_fill", raises)
    house = a_house_with_a_proposal(LONG)
    house.confirms_at("10:06:02")

    house.until("10:06:30")

    assert plain(house.desk.ledger.exits.covered(SPY, "vwap")) == house.held_by_the_broker() == "0.502"
    assert is_halted(house)


def test_an_order_written_and_not_sent_is_cancelled() -> None:
    """EX-22: it is never in doubt, because it never left, and its record says so."""
    house = a_house_with_a_proposal(LONG)
    house.desk._listeners.insert(0, lambda _s, _at, fact: raises() if isinstance(fact, facts.OrderCreated) else None)

    house.confirms_at("10:06:02")
    house.until("10:07")

    (order,) = house.desk.ledger.state.orders.values()
    assert (order.status, requested(house)) == (OrderStatus.CANCELLED, [])
    assert "it never left" in order.reason
    assert house.facts(facts.OrderStateUnknown) == []
    assert is_halted(house)


def raises_at_the_next_exit(house: House) -> None:
    """Once, when the desk writes it down."""
    is_to_raise = [True]

    def hear(_sequence: int, _at: object, fact: object) -> None:
        if is_to_raise and isinstance(fact, facts.OrderCreated) and fact.order.effect.only_reduces:
            is_to_raise.clear()
            raises()

    house.desk._listeners.insert(0, hear)


def asked_for(house: House) -> list[tuple[OrderType, str, str, GuardCode | None]]:
    exits = (p for p in house.desk.stage.proposals() if p.only_reduces)
    return [(p.order.type, plain(p.order.quantity), p.reason, p.guard) for p in exits]


def test_a_sale_written_and_not_sent_is_asked_for(snapshot: SnapshotAssertion) -> None:
    """EX-22, EX-14"""
    house = a_house_in_a_position(LONG)
    house.presses(ProposeClose(SPY))
    raises_at_the_next_exit(house)

    confirms_now(house)
    passes(house, 10)

    assert asked_for(house) == snapshot
    assert house.held_by_the_broker() == "0.502"


def test_a_stop_written_and_not_sent_is_asked_for(snapshot: SnapshotAssertion) -> None:
    """EX-22, OP-06"""
    house = a_house_with_a_proposal(LONG)
    raises_at_the_next_exit(house)

    house.confirms_at("10:06:02")
    house.until("10:06:30")

    assert asked_for(house) == snapshot


def test_a_raising_correction_drops_no_other_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-09, EX-22, OP-06: one look into the books tells of a fill, and of shares that somebody bought."""
    house = a_house_with_a_proposal(LONG)
    monkeypatch.setattr(ProtectiveStops, "after_correction", raises)
    house.line.breaks_at(LookUpOrder, arrives=True, times=99)
    house.line.is_deaf = True
    house.confirms_at("10:06:02")
    other, price = Symbol("IBM"), Price(Decimal(50))
    house.exchange._ledger.execute(other, Side.BUY, Quantity(Decimal(1)), price, house.line.at)

    house.until("10:08:30")

    assert [f.symbol for f in house.facts(facts.PositionCorrected)] == [other]
    assert is_halted(house)
    assert plain(house.desk.ledger.exits.covered(SPY, "vwap")) == "0.502"


def test_an_entry_behind_an_error_is_kept_by_the_halt() -> None:
    """EX-14: what opens does not leave, and its record says why."""
    house = a_house_with_a_proposal(LONG)
    running = house.engine.the(BasketExecution)
    is_to_raise = [True]

    def once(_asked: object) -> Iterable[Any]:
        if house.desk.ledger.state.orders and is_to_raise:
            is_to_raise.clear()
            raises()
        return ()

    running.settle = once  # type: ignore[method-assign]
    house.confirms_at("10:06:02")
    house.until("10:07")

    assert (house.entry.status, requested(house)) == (OrderStatus.CANCELLED, [])
    assert "halted (invariant)" in house.entry.reason


def test_a_kill_cancels_all_but_the_order_that_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-07, EX-22"""
    house = a_house_of_two_buys("98.10", "98")
    first, second = house.desk.ledger.working()
    cancel = Cancellation.cancel

    def only_the_second(self: Cancellation, order: Order, *why: Any) -> Iterable[Any]:
        return raises() if order.id == first.id else cancel(self, order, *why)

    monkeypatch.setattr(Cancellation, "cancel", only_the_second)
    monkeypatch.setattr(Proposals, "block_entries", raises)
    house.presses(Kill("key"))
    passes(house, 5)

    assert house.facts(facts.Killed)
    assert house.switch.is_on()
    assert (first.status, second.status) == (OrderStatus.SUBMITTED, OrderStatus.CANCELLED)
    assert requested(house).count(CANCEL) == 1


def test_a_start_protects_each_fill_beside_one_that_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-20, EX-22: two fills whose stops were not written down when the desk died; an owed stop has its own way"""
    cover = ProtectiveStops.cover
    monkeypatch.setattr(ProtectiveStops, "cover", lambda *_: ())
    house = a_house_of_two_buys("99.70", "99.80")
    first = house.entry.id

    def not_the_first(self: ProtectiveStops, entry_id: str) -> Iterable[Any]:
        return raises() if entry_id == first else cover(self, entry_id)  # type: ignore[arg-type]

    monkeypatch.setattr(ProtectiveStops, "cover", not_the_first)
    house.restarted()
    passes(house, 5)

    assert [plain(stop.request.quantity) for stop in house.stops if stop.is_working] == ["0.2", "0.1"]


def test_a_raising_deadline_keeps_no_other_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-14, EX-06: the look-ups of an order in doubt go on, and the raise is said once."""
    house = a_house_in_doubt()
    monkeypatch.setattr(ThesisCheck, "due", raises)
    monkeypatch.setattr(ThesisCheck, "next_due", lambda _: iter([house.line.at]))

    house.until("10:06:40")

    assert plain(house.desk.ledger.exits.covered(SPY, "vwap")) == house.held_by_the_broker() == "0.502"
    assert [h.reason for h in house.facts(facts.Halted)] == [f"ZeroDivisionError: {WHY}"]


def test_an_unknown_deadline_keeps_no_other_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-14"""
    house = a_house_in_doubt()
    monkeypatch.setattr(ThesisCheck, "next_due", raises)

    house.until("10:06:40")

    assert plain(house.desk.ledger.exits.covered(SPY, "vwap")) == "0.502"
    assert is_halted(house)


def test_a_raised_deadline_is_tried_again_after_a_resume(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-14: until then nothing is retried by itself."""
    house = a_house_with_a_proposal(LONG)
    due_at, turns = house.line.at + timedelta(seconds=1), []
    with monkeypatch.context() as broken:
        broken.setattr(ThesisCheck, "due", raises)
        broken.setattr(ThesisCheck, "next_due", lambda _: iter([due_at]))
        passes(house, 5)
    monkeypatch.setattr(ThesisCheck, "due", lambda _: turns.append(house.line.at) or ())
    monkeypatch.setattr(ThesisCheck, "next_due", lambda _: iter(() if turns else (due_at,)))

    house.presses(Resume(everything=True))
    passes(house, 1)

    assert house.last(facts.Resumed).cause is HaltCause.INVARIANT
    assert turns


def test_a_raising_fold_keeps_no_confirmed_exit_waiting() -> None:
    """EX-14, EX-22: its figures never come; the second raise has the halt's reason, so no other fact follows."""
    house = House([*minutes("10:04", "10:30")], FRACTIONS, cash=Decimal(10_000)).opens().until("10:05")
    house.presses(a_typed_buy("5", limit="100.10", stop="99"))
    confirms_now(house)
    passes(house, 5)
    folds = house.desk.folds
    folds[facts.ConfirmationReceived] = (*folds[facts.ConfirmationReceived], raises)

    for left in ("4", "3"):
        house.presses(replace(A_PART, quantity=Quantity(Decimal(1))))
        confirms_now(house)
        passes(house, 6)
        assert house.held() == house.held_by_the_broker() == left


def raising_for(order: Order, before: Any) -> Any:
    """The same function, which raises for one order."""

    def act(self: Any, one: Order, *rest: Any) -> Any:
        return raises() if one.id == order.id else before(self, one, *rest)

    return act


def test_a_raising_exit_keeps_no_other_from_shrinking(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-14, EX-22, EX-13: both stops are for more than is held."""
    house = a_house_of_two_buys("100.10", "100.10")
    first, second = house.stops
    monkeypatch.setattr(ExcessExits, "_fit", raising_for(first, ExcessExits._fit))
    house.exchange._ledger.execute(SPY, Side.SELL, Quantity(Decimal("0.29")), Price(Decimal(100)), house.line.at)

    house.accepts(house.exchange.books(house.line.at))
    passes(house, 5)

    assert (first.is_cancelling, second.status) == (False, OrderStatus.CANCELLED)
    assert is_halted(house)


def test_a_raising_kept_order_keeps_no_other_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-22"""
    house = a_house_of_two_buys("100.10", "100.10")
    first, second = house.stops
    for stop in (first, second):
        permitted = next(f.approval for f in house.facts(facts.ApprovalRedeemed) if f.client_order_id == stop.id)
        house.desk.record(facts.OrderKept(stop.id, permitted))
    sent: list[Order] = []
    monkeypatch.setattr(Submission, "release_kept", raising_for(first, lambda _, order: sent.append(order) or ()))

    house.until("10:08")

    assert second in sent
    assert is_halted(house)


def test_a_close_cancels_every_stop_but_the_one_that_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-21, EX-22"""
    house = a_house_of_two_buys("100.10", "100.10")
    first, second = house.stops
    house.presses(ProposeClose(SPY))
    monkeypatch.setattr(Cancellation, "cancel", raising_for(first, Cancellation.cancel))

    confirms_now(house)
    passes(house, 5)

    assert (first.is_cancelling, second.status) == (False, OrderStatus.CANCELLED)
    assert is_halted(house)


def test_a_correction_cancels_all_but_the_raising_exit(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-09, EX-13"""
    house = a_house_of_two_buys("100.10", "100.10")
    first, second = house.stops
    monkeypatch.setattr(ExcessExits, "settle", lambda *_: ())
    monkeypatch.setattr(Cancellation, "cancel", raising_for(first, Cancellation.cancel))
    house.exchange._ledger.execute(SPY, Side.SELL, Quantity(Decimal("0.3")), Price(Decimal(100)), house.line.at)

    house.accepts(house.exchange.books(house.line.at))
    passes(house, 5)

    assert (first.is_cancelling, second.status) == (False, OrderStatus.CANCELLED)
    assert is_halted(house)


def test_an_order_cancelled_as_it_was_written_never_leaves() -> None:
    """EX-07, EX-22: nothing of it waits in any queue yet, and the last look before the wire holds it back."""
    house = a_house_with_a_proposal(LONG)
    to_cancel = house.engine.the(KillSwitchWorkflow).cancellation

    def take_back(_sequence: int, _at: object, fact: object) -> None:
        if isinstance(fact, facts.OrderCreated):
            (order,) = house.desk.ledger.state.orders.values()
            deque(to_cancel.cancel(order, "taken back", CancelCode.OTHER), maxlen=0)

    house.desk._listeners.insert(0, take_back)
    house.confirms_at("10:06:02")
    house.until("10:08")

    (order,) = house.desk.ledger.state.orders.values()
    assert (order.status, requested(house), house.held_by_the_broker()) == (OrderStatus.CANCELLED, [], "0")
    assert order.reason.startswith("taken back")
    assert house.facts(facts.OrderStateUnknown) == []
