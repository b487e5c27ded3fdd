"""What leaves, in which order, and what is owed when the desk is left: the live runtime on an exchange that hangs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from core.facts import KeptOrderReleased, OrderInDoubt, OrderKept, SubmissionBlocked
from core.inputs import Confirm, Kill, OpenTicket, ProposeClose, ProposeOrder, RequestCancel
from core.model.broker import Accepted, NoAnswer, NotFound, OrderReport, Refused
from core.model.order import Effect, OrderRequest, OrderStatus, OrderType, Side, StopHolder
from core.model.staging import MANUAL
from core.model.values import ClientOrderId, Price, ProposalId, Quantity
from core.views import DeskView
from tests.scenarios.house import STEADY, a_day
from tests.scenarios.live_floor import LiveFloor, LiveHouse
from tests.unit.core.brokers.trading_floor import SPY
from tests.waiting import PATIENCE

SHARES = Quantity(Decimal("0.2"))
ONE = Quantity(Decimal("0.1"))
LAPSED = timedelta(seconds=10)
"""Longer than a key permits anything."""


class HangingFloor(LiveFloor):
    """Orders of which `hangs` holds are not done, and not answered, until `released`."""

    def __init__(self) -> None:
        super().__init__("10:06:10", a_day(("10:06", "10:20", STEADY)))
        self.hangs: Callable[[OrderRequest], bool] = lambda order: False
        self.slow: Callable[[OrderRequest], bool] = lambda order: False
        self.released, self.may_answer = threading.Event(), threading.Event()
        self.hung: list[ClientOrderId] = []
        self.looked_up: list[ClientOrderId] = []

    def submit(self, order: OrderRequest) -> Accepted | Refused | NoAnswer:
        if self.hangs(order):
            self.hung.append(order.client_order_id)
            self.released.wait(PATIENCE)
            return NoAnswer("no answer")
        answer = super().submit(order)
        if self.slow(order):
            self.hung.append(order.client_order_id)
            self.may_answer.wait(PATIENCE)
        return answer

    def look_up(self, client_order_id: ClientOrderId, *, with_legs: bool = False) -> OrderReport | NotFound | NoAnswer:
        self.looked_up.append(client_order_id)
        return super().look_up(client_order_id, with_legs=with_legs)


def turn(house: LiveHouse, command: ProposeOrder | ProposeClose) -> ClientOrderId:
    known = {p.id for p in house.view.proposals} if house.view else set()

    def new(view: DeskView) -> list[ProposalId]:
        return [p.id for p in view.proposals if p.strategy == MANUAL and p.id not in known]

    house.presses(command)
    (proposal,) = new(waits(house, new, "the proposal"))
    house.presses(OpenTicket(proposal))
    view = waits(house, lambda view: [t for t in view.tickets if t.ticket.proposal_id == proposal], "the ticket")
    (ticket,) = [t.ticket for t in view.tickets if t.ticket.proposal_id == proposal]
    house.presses(Confirm(ticket.id, ticket.digest, ticket.order.effect))
    return ticket.order.client_order_id


def waits(house: LiveHouse, holds: Callable[[DeskView], object], what: str) -> DeskView:
    try:
        return house.waits(holds, what, PATIENCE)
    except AssertionError as error:
        log = [row.text for row in house.view.log[-5:]] if house.view else []
        raise AssertionError(f"{error}; the log ends with {log}") from None


def a_buy(shares: Quantity = SHARES, holder: StopHolder = StopHolder.BROKER, **terms: str) -> ProposeOrder:
    limit = Price(Decimal(terms["limit"])) if "limit" in terms else None
    kind = OrderType.MARKET if limit is None else OrderType.LIMIT
    effect = Effect.ADD if "adds" in terms else Effect.OPEN
    return ProposeOrder(SPY, effect, shares, kind, limit, Price(Decimal(95)), holder)


def status_of(house: LiveHouse, order_id: ClientOrderId) -> OrderStatus | None:
    order = house.engine.desk.ledger.order(order_id)
    return None if order is None else order.status


def facts(house: LiveHouse, kind: type) -> list[ClientOrderId]:
    return [record.fact.client_order_id for record in house.journal.records() if isinstance(record.fact, kind)]


def is_sale(order: OrderRequest) -> bool:
    return order.side is Side.SELL


def test_the_stop_of_a_fill_goes_out_while_its_own_entry_gets_no_answer():
    """EX-22, OP-06: the stream tells of the fill."""
    floor = HangingFloor()
    floor.slow = lambda order: order.side is Side.BUY
    with LiveHouse(floor) as house:
        waits(house, lambda view: view.status.word == "on", "the desk is on")
        entry = turn(house, a_buy())
        waits(house, lambda view: view.positions and view.positions[0].covered == SHARES, "a covered position")
        assert floor.hung == [entry]
        floor.may_answer.set()


def test_a_stop_that_waits_behind_a_hanging_exit_is_never_looked_up_and_goes_out_once():
    """EX-06, EX-22: its own lane is held, for longer than an answer may take."""
    floor = HangingFloor()
    with LiveHouse(floor) as house:
        waits(house, lambda view: view.status.word == "on", "the desk is on")
        turn(house, a_buy(ONE, StopHolder.DESK))
        waits(house, lambda view: view.positions, "a position")
        floor.hangs = lambda order: order.side is Side.SELL and order.type is OrderType.MARKET
        lost = turn(house, ProposeClose(SPY))
        waits(house, lambda _: floor.hung, "an exit hangs")
        turn(house, a_buy(ONE, adds=""))
        waits(house, lambda _: len(stops(house)) == 1, "a stop waits behind it")
        (stop,) = stops(house)
        waits(house, lambda _: lost in facts(house, OrderInDoubt), "the exit is in doubt")
        assert stop not in facts(house, OrderInDoubt)
        floor.released.set()
        waits(house, lambda _: status_of(house, stop) is OrderStatus.SUBMITTED, "the stop is there")
    assert stop not in floor.looked_up
    assert stop not in facts(house, OrderInDoubt)
    assert not facts(house, SubmissionBlocked)


def stops(house: LiveHouse) -> list[ClientOrderId]:
    return [order.id for order in house.engine.desk.ledger.working() if order.is_protective]


def test_what_waits_in_our_queue_is_taken_back_there_by_the_operator_and_by_a_kill():
    """EX-22, EX-07, OP-07"""
    floor = HangingFloor()
    floor.hangs = lambda order: True
    with LiveHouse(floor) as house:
        waits(house, lambda view: view.status.word == "on", "the desk is on")
        turn(house, a_buy(limit="97"))
        waits(house, lambda _: floor.hung, "an entry hangs")
        by_hand = turn(house, a_buy(limit="98"))
        waits(house, lambda _: status_of(house, by_hand) is OrderStatus.PENDING, "another waits")
        house.presses(RequestCancel(by_hand))
        waits(house, lambda _: status_of(house, by_hand) is OrderStatus.CANCELLED, "it is taken back")
        by_kill = turn(house, a_buy(limit="99"))
        waits(house, lambda _: status_of(house, by_kill) is OrderStatus.PENDING, "a third waits")
        house.presses(Kill("key"))
        waits(house, lambda _: status_of(house, by_kill) is OrderStatus.CANCELLED, "the kill takes it back")
        floor.released.set()
        reasons = [house.engine.desk.ledger.order(order).reason for order in (by_hand, by_kill)]
    assert reasons == [
        "cancelled by the operator, taken back before it was sent",
        "killed by key, taken back before it was sent",
    ]
    assert len(floor.hung) == 1
    assert not {by_hand, by_kill} & set(floor.looked_up)


def test_a_fill_that_is_answered_while_the_desk_leaves_gets_its_stop():
    """EX-22, OP-06: left just after the key; the answer with the fill comes then, and the stream says nothing."""
    floor = HangingFloor()
    floor.slow = lambda order: order.side is Side.BUY
    floor.is_mute = True
    house = LiveHouse(floor)
    with house:
        waits(house, lambda view: view.status.word == "on", "the desk is on")
        turn(house, a_buy())
        waits(house, lambda _: floor.hung, "the entry is on the wire")
        house.runtime.leave()
        waits(house, lambda _: house.runtime._left.is_set(), "the desk leaves")
        floor.may_answer.set()
    assert [a for a in floor.asked if a.startswith("submit")] == ["submit buy market", "submit sell stop"]
    assert house.runtime.last_words == ()


def left_with_a_stop_that_waits(floor: HangingFloor) -> tuple[LiveHouse, ClientOrderId]:
    house = LiveHouse(floor)
    with house:
        waits(house, lambda view: view.status.word == "on", "the desk is on")
        turn(house, a_buy(ONE, StopHolder.DESK))
        waits(house, lambda view: view.positions, "a position")
        floor.hangs = is_sale
        turn(house, ProposeClose(SPY))
        waits(house, lambda _: floor.hung, "an exit hangs")
        turn(house, a_buy(ONE, adds=""))
        waits(house, lambda _: len(stops(house)) == 1, "a stop waits behind it")
        (stop,) = stops(house)
    house.runtime.stop("left")
    floor.hangs = lambda order: False
    return house, stop


def test_a_stop_that_never_left_is_named_on_the_way_out_and_sent_by_the_next_start_without_a_key():
    """EX-22, EX-20: it is the very same order, once, and the broker was never asked for it."""
    floor = HangingFloor()
    house, stop = left_with_a_stop_that_waits(floor)
    assert facts(house, OrderKept) == [stop]
    assert [words.split(" was ")[1] for words in house.runtime.last_words] == [
        "not sent before the desk left: the next start sends it, or asks for it on a ticket",
        "sent and not answered: the next start looks it up",
    ]

    with LiveHouse(floor, house.journal) as again:
        waits(again, lambda _: status_of(again, stop) is OrderStatus.SUBMITTED, "the stop is sent")
    assert facts(again, KeptOrderReleased) == [stop]
    assert stop not in floor.looked_up
    assert [a for a in floor.asked if a.startswith("submit")].count("submit sell stop") == 1
    floor.released.set()


def test_an_exit_that_never_left_and_whose_key_has_lapsed_is_asked_for_on_a_ticket():
    """EX-22, OP-02"""
    floor = HangingFloor()
    house = LiveHouse(floor)
    with house:
        waits(house, lambda view: view.status.word == "on", "the desk is on")
        turn(house, a_buy(Quantity(Decimal("0.3")), StopHolder.DESK))
        waits(house, lambda view: view.positions, "a position")
        floor.hangs = is_sale
        turn(house, ProposeClose(SPY, quantity=ONE))
        waits(house, lambda _: floor.hung, "an exit hangs")
        behind = turn(house, ProposeClose(SPY, quantity=ONE))
        waits(house, lambda _: status_of(house, behind) is OrderStatus.PENDING, "another waits behind it")
    house.runtime.stop("left")
    floor.hangs = lambda order: False
    floor.offset += LAPSED

    with LiveHouse(floor, house.journal) as again:
        view = waits(again, lambda view: view.proposals, "it is asked for again")
    assert [(p.side, p.quantity, p.reason) for p in view.proposals] == [
        (Side.SELL, ONE, "it was not sent before the desk left")
    ]
    assert status_of(again, behind) is OrderStatus.CANCELLED
    assert behind not in floor.looked_up
    floor.released.set()
