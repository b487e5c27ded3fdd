"""The way of an order in real time: threads, streams and a clock that nobody moves."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from decimal import Decimal
from typing import NoReturn

import pytest

from core.execution.gateway import Lane, LaneKind
from core.messages.commands import Confirm, Halt, Kill, OpenTicket, ProposeOrder
from core.model.bar import Bar
from core.model.broker import Accepted, NoAnswer, Refused
from core.model.order import Effect, OrderRequest, OrderStatus, OrderType, StopHolder
from core.model.values import Price, Quantity
from core.ports import JournalError
from tests.scenarios.house import STEADY, a_day
from tests.scenarios.live_floor import LiveFloor, LiveHouse
from tests.unit.core.brokers.trading_floor import SPY

pytestmark = pytest.mark.usefixtures("timeline")

ONE, FAR, FURTHER = Quantity(Decimal("0.1")), Price(Decimal(95)), Price(Decimal(94))
A_DIP = a_day(("10:06", "10:20", STEADY))


def at_the_dip() -> LiveFloor:
    """A second before the bar ends whose close is 0.4 % below VWAP."""
    return LiveFloor("10:05:59", A_DIP)


def a_ticket(house: LiveHouse) -> Confirm:
    """What the key would send, once the proposal came and its ticket is open."""
    view = house.waits(lambda view: view.proposals, "a proposal")
    house.presses(OpenTicket(view.proposals[0].id))
    ticket = house.waits(lambda view: view.tickets, "a ticket").tickets[0].ticket
    return Confirm(ticket.id, ticket.digest, ticket.order.effect)


def test_a_proposal_is_confirmed_and_protected():
    """OP-01, OP-06, EX-20: one key, two requests, and the books agree."""
    floor = at_the_dip()
    with LiveHouse(floor) as house:
        house.presses(a_ticket(house))
        view = house.waits(lambda view: view.positions and view.positions[0].covered, "a covered position")
    assert [a for a in floor.asked if a.startswith("submit")] == ["submit buy limit", "submit sell stop"]
    assert view.positions[0].quantity == house.held() != 0


def test_a_time_out_sends_nothing_twice():
    """EX-06: in doubt, looked up by its id, found."""
    floor = at_the_dip()
    floor.troubles["submit"] = NoAnswer("no answer in 5 s")
    floor.is_mute = True
    with LiveHouse(floor) as house:
        house.presses(a_ticket(house))
        house.waits(lambda view: view.positions, "a position that was found")
        house.waits(lambda view: len(view.orders) == 2, "its stop")
    assert floor.asked.count("submit buy limit") == 1
    assert "look up" in floor.asked


def test_a_lane_reads_the_halt_before_its_request():
    """OP-08: the order was approved and waits for the one before it; the halt still keeps it here."""
    floor = at_the_dip()
    with LiveHouse(floor) as house:
        confirm = a_ticket(house)
        before_it = threading.Event()
        house.runtime.sending.queue(Lane(LaneKind.ENTRIES), lambda: before_it.wait(8))
        house.presses(confirm)
        house.waits(lambda view: view.orders, "the order, on its way")
        house.presses(Halt("key"))
        house.waits(lambda view: view.status.word == "halted", "the halt")
        before_it.set()
        view = house.waits(lambda view: not view.orders[0].status.is_working, "the order's end")
    assert "halted" in view.orders[0].reason
    assert not [a for a in floor.asked if a.startswith("submit")]


def test_a_kill_goes_before_all_that_waits():
    """OP-07"""
    with LiveHouse(at_the_dip()) as house:
        house.waits(lambda view: view.status.word == "on", "the desk is on")
        house.presses(Kill("key"))
        view = house.waits(lambda view: view.status.word == "killed", "the kill")
    assert view.status.killed_by == "key"
    assert house.switch.is_on()


class SlowLane(LiveFloor):
    """An order is on its way for as long as a test lets it."""

    def __init__(self) -> None:
        super().__init__("10:05:59", A_DIP)
        self.is_sent, self.may_arrive = threading.Event(), threading.Event()

    def submit(self, order: OrderRequest) -> Accepted | Refused | NoAnswer:
        self.is_sent.set()
        self.may_arrive.wait(5)
        return super().submit(order)


class SlowAnswer(LiveFloor):
    """An order arrives at once; its answer comes when a test lets it."""

    def __init__(self, opens: str, bars: Sequence[Bar]) -> None:
        super().__init__(opens, bars)
        self.may_answer = threading.Event()

    def submit(self, order: OrderRequest) -> Accepted | Refused | NoAnswer:
        answer = super().submit(order)
        self.may_answer.wait(5)
        return answer


def facts_of(house: LiveHouse) -> list[str]:
    return [type(record.fact).__name__ for record in house.journal.records()]


def test_a_kill_while_leaving_holds_over_a_restart():
    """OP-07, OP-08: an order is on the wire; the desk waits a moment for its answer, and the kill comes then."""
    floor = SlowLane()
    house = LiveHouse(floor)
    house.thread.start()
    house.presses(a_ticket(house))
    assert floor.is_sent.wait(8)

    house.runtime.leave()
    house.waits(lambda _: house.runtime._left.is_set(), "the desk leaves")
    house.presses(Kill("key"))
    house.waits(lambda _: "Killed" in facts_of(house), "the kill is recorded")
    floor.may_arrive.set()
    house.leaves()
    house.runtime.stop("left")

    assert facts_of(house).index("Killed") < facts_of(house).index("EngineStopped")
    assert house.switch.is_on()
    with LiveHouse(floor, house.journal) as again:
        view = again.waits(lambda view: view.status.word == "killed", "killed after the restart")
    assert view.status.killed_by == "key"


def test_a_kill_while_leaving_cancels_entries():
    """OP-07: the way to the broker is open until the desk is gone."""
    floor = SlowAnswer("10:05:59", A_DIP)
    house = LiveHouse(floor)
    house.thread.start()
    house.waits(lambda view: view.status.word == "on", "the desk is on")
    house.presses(ProposeOrder(SPY, Effect.OPEN, ONE, OrderType.LIMIT, FAR, FURTHER, StopHolder.DESK))
    house.presses(a_ticket(house))
    house.waits(lambda view: any(o.status is OrderStatus.SUBMITTED for o in view.orders), "an entry works")

    house.runtime.leave()
    house.waits(lambda _: house.runtime._left.is_set(), "the desk leaves")
    house.presses(Kill("key"))
    house.waits(lambda _: "cancel" in floor.asked, "the cancel")
    floor.may_answer.set()
    house.leaves()

    assert house.engine.state.ledger.working_entries() == ()


def test_a_kill_before_the_stop_is_recorded():
    """OP-07"""
    with LiveHouse(at_the_dip()) as house:
        house.waits(lambda view: view.status.word == "on", "the desk is on")
    house.presses(Kill("key"))
    house.runtime.stop("left")

    assert facts_of(house)[-2:] == ["Killed", "EngineStopped"]
    assert house.switch.is_on()


def test_a_kill_after_the_stop_is_latched():
    """OP-07, OP-08: the journal is closed; the file is what the next start finds."""
    with LiveHouse(at_the_dip()) as house:
        house.waits(lambda view: view.status.word == "on", "the desk is on")
    house.runtime.stop("left")
    house.presses(Kill("key"))

    assert facts_of(house)[-1] == "EngineStopped"
    assert house.switch.is_on()


def test_an_order_in_flight_is_found_by_the_next_start():
    """EX-20: the same journal, another process."""
    floor = at_the_dip()
    floor.troubles = {name: NoAnswer("the connection broke") for name in ("submit", "look up")}
    floor.is_mute = True
    with LiveHouse(floor) as house:
        house.presses(a_ticket(house))
        house.waits(lambda _: "submit buy limit" in floor.asked, "the request")
        house.waits(lambda view: any(o.status is OrderStatus.PENDING for o in view.orders), "an order in doubt")

    floor.troubles.clear()
    with LiveHouse(floor, house.journal) as again:
        again.waits(lambda view: view.positions, "the position")
        again.waits(lambda view: view.status.word == "on", "the desk is on")

    assert floor.asked.count("submit buy limit") == 1


def test_an_unreachable_broker_means_read_only():
    """EX-09"""
    floor = at_the_dip()
    floor.troubles["picture"] = NoAnswer("no route to the host")
    with LiveHouse(floor) as house:
        view = house.waits(lambda view: view.status.word == "read-only", "the desk is read-only")
    assert "no route to the host" in (view.status.entries_refused or "")


def test_a_broken_journal_ends_the_engine():
    """EX-14: never a loop that goes on without its engine."""
    house = LiveHouse(at_the_dip())
    told: list[BaseException] = []

    def runs() -> None:
        try:
            house.runtime.run()
        except JournalError as error:
            told.append(error)

    house.thread = threading.Thread(target=runs, daemon=True)
    with house:
        house.waits(lambda view: view.status.word == "on", "the desk is on")
        house.runtime.engine.handle = broken  # type: ignore[method-assign]
        house.presses(Halt("key"))
        house.thread.join(3)
    assert str(told[0]) == "line 7 does not follow from line 6"


def broken(*_: object) -> NoReturn:
    raise JournalError("line 7 does not follow from line 6")
