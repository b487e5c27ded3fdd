"""The way of an order in real time: threads, streams and a clock that nobody moves."""

from __future__ import annotations

import threading
from typing import NoReturn

from core.inputs import Confirm, Halt, Kill, OpenTicket
from core.model.broker import NoAnswer
from core.model.order import OrderStatus
from core.ports import JournalError
from tests.scenarios.house import STEADY, a_day
from tests.scenarios.live_floor import LiveFloor, LiveHouse

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


def test_a_proposal_is_confirmed_filled_and_protected_in_real_time():
    """OP-01, OP-06, EX-20: one key, two requests, and the books agree."""
    floor = at_the_dip()
    with LiveHouse(floor) as house:
        house.presses(a_ticket(house))
        view = house.waits(lambda view: view.positions and view.positions[0].covered, "a covered position")
    assert [a for a in floor.asked if a.startswith("submit")] == ["submit buy limit", "submit sell stop"]
    assert view.positions[0].quantity == house.held() != 0


def test_a_time_out_after_the_order_arrived_sends_nothing_twice():
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


def test_the_halt_is_read_in_the_lane_just_before_the_request():
    """OP-08: the order was approved and waits for the one before it; the halt still keeps it here."""
    floor = at_the_dip()
    with LiveHouse(floor) as house:
        confirm = a_ticket(house)
        before_it = threading.Event()
        house.runtime._lane.submit(before_it.wait)
        house.presses(confirm)
        house.waits(lambda view: view.orders, "the order, on its way")
        house.presses(Halt("key"))
        house.waits(lambda view: view.status.word == "halted", "the halt")
        before_it.set()
        view = house.waits(lambda view: not view.orders[0].status.is_working, "the order's end")
    assert "halted" in view.orders[0].reason
    assert not [a for a in floor.asked if a.startswith("submit")]


def test_a_kill_stands_before_everything_that_waits():
    """OP-07"""
    with LiveHouse(at_the_dip()) as house:
        house.waits(lambda view: view.status.word == "on", "the desk is on")
        house.presses(Kill("key"))
        view = house.waits(lambda view: view.status.word == "killed", "the kill")
    assert view.status.killed_by == "key"
    assert house.switch.is_on()


def test_what_was_on_the_wire_when_the_desk_was_left_is_found_by_the_next_start():
    """EX-20: the same journal, another process."""
    floor = at_the_dip()
    floor.troubles = {name: NoAnswer("the connection broke") for name in ("submit", "look up")}
    floor.is_mute = True
    with LiveHouse(floor) as house:
        house.presses(a_ticket(house))
        house.waits(lambda view: any(o.status is OrderStatus.PENDING for o in view.orders), "an order in doubt")

    floor.troubles.clear()
    with LiveHouse(floor, house.journal) as again:
        again.waits(lambda view: view.positions, "the position")
        again.waits(lambda view: view.status.word == "on", "the desk is on")

    assert floor.asked.count("submit buy limit") == 1


def test_a_broker_that_cannot_be_reached_opens_the_desk_read_only():
    """EX-09"""
    floor = at_the_dip()
    floor.troubles["picture"] = NoAnswer("no route to the host")
    with LiveHouse(floor) as house:
        view = house.waits(lambda view: view.status.word == "read-only", "the desk is read-only")
    assert "no route to the host" in (view.status.entries_refused or "")


def test_a_journal_that_cannot_be_believed_any_more_ends_the_engine_with_its_reason():
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
