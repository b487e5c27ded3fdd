"""What leaves, in which order, and what is owed when the desk is left: the live runtime on an exchange that hangs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from core.execution.gateway import Lane, LaneKind
from core.facts import (
    ConfirmationRefused,
    KeptOrderReleased,
    OrderKept,
    OrderStateUnknown,
    StateRestored,
    SubmissionBlocked,
)
from core.messages.commands import (
    Confirm,
    Kill,
    OpenBasket,
    OpenTicket,
    ProposeClose,
    ProposeFlattening,
    ProposeOrder,
    RequestCancel,
    SignBasket,
)
from core.messages.effects import Effect as Request
from core.messages.effects import FetchFigures, SubmitOrder
from core.messages.inputs import Input
from core.model.account import Account
from core.model.basket import BasketSource
from core.model.broker import Accepted, CancelTaken, NoAnswer, NotFound, OrderReport, Refused
from core.model.order import Effect, OrderRequest, OrderStatus, OrderType, Side, StopHolder
from core.model.staging import MANUAL
from core.model.values import BrokerOrderId, ClientOrderId, Price, ProposalId, Quantity
from core.runtime.inbox import Link
from core.settings.settings import Settings
from core.views import DeskView
from core.workflows.reconciliation import Reconciliation
from core.workflows.staging.confirmation import Confirmations
from state.journal import MemoryJournal
from tests.kit.timeline import timeline
from tests.kit.waiting import TIMEOUT
from tests.scenarios.elsewhere import trades_elsewhere
from tests.scenarios.house import STEADY, a_day, a_house_in_a_position
from tests.scenarios.live_floor import LiveFloor, LiveHouse
from tests.unit.core.brokers.trading_floor import SPY

pytestmark = pytest.mark.usefixtures("timeline")

SHARES = Quantity(Decimal("0.2"))
A_MOMENT, ROUND_TRIP = 0.4, 0.05
"""Seconds."""
A_WHILE = timedelta(seconds=10)
"""Longer than a key permits anything, and than an answer may take."""


class SlowFloor(LiveFloor):
    """Orders arrive at once; the answer to an order that opens says how it stands when `may_answer`."""

    def __init__(self) -> None:
        super().__init__("10:06:10", a_day(("10:06", "10:20", STEADY)))
        self.is_slow = False
        self.may_answer = threading.Event()
        self.waiting: list[ClientOrderId] = []
        self.looked_up: list[ClientOrderId] = []

    def submit(self, order: OrderRequest) -> Accepted | Refused | NoAnswer:
        answer = super().submit(order)
        if not self.is_slow or order.effect.only_reduces:
            return answer
        self.waiting.append(order.client_order_id)
        self.may_answer.wait(TIMEOUT)
        with self.lock:
            report = self.moved().order(self.now(), order.client_order_id)
        return Accepted(report) if isinstance(report, OrderReport) else answer

    def look_up(self, client_order_id: ClientOrderId, *, with_legs: bool = False) -> OrderReport | NotFound | NoAnswer:
        self.looked_up.append(client_order_id)
        return super().look_up(client_order_id, with_legs=with_legs)


EXITS, ENTRIES = Lane(LaneKind.EXITS, SPY), Lane(LaneKind.ENTRIES)


def hold(house: LiveHouse, lane: Lane) -> threading.Event:
    """A request hangs in this lane until the event is set."""
    released = threading.Event()
    house.runtime.sending.queue(lane, lambda: released.wait(TIMEOUT) and None)
    return released


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
        return house.waits(holds, what, TIMEOUT)
    except AssertionError as error:
        log = [row.text for row in house.view.log[-5:]] if house.view else []
        raise AssertionError(f"{error}; the log ends with {log}") from None


def a_buy(shares: Quantity = SHARES, holder: StopHolder = StopHolder.BROKER, **terms: str) -> ProposeOrder:
    limit = Price(Decimal(terms["limit"])) if "limit" in terms else None
    kind = OrderType.MARKET if limit is None else OrderType.LIMIT
    effect = Effect.ADD if "adds" in terms else Effect.OPEN
    return ProposeOrder(SPY, effect, shares, kind, limit, Price(Decimal(95)), holder)


def status_of(house: LiveHouse, order_id: ClientOrderId) -> OrderStatus | None:
    order = house.engine.state.ledger.order(order_id)
    return None if order is None else order.status


def facts(house: LiveHouse, kind: type) -> list[ClientOrderId]:
    return [record.fact.client_order_id for record in house.journal.records() if isinstance(record.fact, kind)]


def test_a_stop_is_sent_while_its_entry_is_unanswered():
    """EX-22, OP-06: the stream tells of the fill."""
    floor = SlowFloor()
    floor.is_slow = True
    with LiveHouse(floor) as house:
        waits(house, lambda view: view.status.word == "on", "the desk is on")
        entry = turn(house, a_buy())
        waits(house, lambda view: view.positions and view.positions[0].covered == SHARES, "a covered position")
        assert floor.waiting == [entry]
        floor.may_answer.set()


def test_an_exit_is_sent_while_an_entry_hangs():
    """EX-22, OP-02"""
    floor = SlowFloor()
    with LiveHouse(floor) as house:
        waits(house, lambda view: view.status.word == "on", "the desk is on")
        turn(house, a_buy(SHARES, StopHolder.DESK))
        waits(house, lambda view: view.positions, "a position")
        released = hold(house, ENTRIES)
        turn(house, ProposeClose(SPY))
        waits(house, lambda view: not view.positions, "the close")
        assert not released.is_set()
        released.set()


def test_a_stop_that_waits_long_is_sent_once():
    """EX-06, EX-22: another request of its symbol hangs; nothing is looked up that never left."""
    floor = SlowFloor()
    with LiveHouse(floor) as house:
        waits(house, lambda view: view.status.word == "on", "the desk is on")
        released = hold(house, EXITS)
        turn(house, a_buy())
        waits(house, lambda _: stops(house), "its stop waits")
        (stop,) = stops(house)
        floor.offset += A_WHILE
        later = floor.now()
        waits(house, lambda _: house.engine.state.at > later, "time passes")
        assert status_of(house, stop) is OrderStatus.PENDING
        assert stop not in floor.looked_up
        released.set()
        waits(house, lambda _: status_of(house, stop) is OrderStatus.SUBMITTED, "the stop is there")
    assert not facts(house, OrderStateUnknown)
    assert not facts(house, SubmissionBlocked)


def test_flattening_waits_for_no_entry():
    """EX-22, OP-07: nobody knows of the entry yet, and the shares that are held go all the same."""
    floor = SlowFloor()
    slow = Settings.model_validate({"execution": {"answer_seconds": 100}, "risk": {"entries_a_day": 9}})
    with LiveHouse(floor, settings=slow) as house:
        waits(house, lambda view: view.status.word == "on", "the desk is on")
        turn(house, a_buy(SHARES, StopHolder.DESK))
        waits(house, lambda view: view.positions, "a position")
        floor.is_slow = floor.is_mute = True
        floor.troubles |= dict.fromkeys(("look up", "picture"), NoAnswer("nobody knows"))
        entry = turn(house, a_buy(SHARES, StopHolder.DESK, limit="97", adds=""))
        waits(house, lambda _: floor.waiting, "the entry is on the wire")
        house.presses(ProposeFlattening())
        waits(house, lambda view: [p for p in view.proposals if p.side is Side.SELL], "the close")
        house.presses(OpenBasket(BasketSource.FLATTEN))
        plan = waits(house, lambda view: view.plan is not None and view.plan.digest, "the basket").plan
        assert plan is not None
        assert plan.digest is not None
        house.presses(SignBasket(plan.id, plan.digest))
        waits(house, lambda _: "submit sell market" in floor.asked, "the sale")
        assert status_of(house, entry) is OrderStatus.PENDING
        floor.may_answer.set()


def test_an_exit_does_not_lapse_in_the_queue():
    """EX-22, OP-02: it waits there for longer than its key permits it."""
    floor = SlowFloor()
    with LiveHouse(floor) as house:
        waits(house, lambda view: view.status.word == "on", "the desk is on")
        turn(house, a_buy(SHARES, StopHolder.DESK))
        waits(house, lambda view: view.positions, "a position")
        released = hold(house, EXITS)
        sale = turn(house, ProposeClose(SPY))
        waits(house, lambda _: status_of(house, sale) is OrderStatus.PENDING, "the exit waits")
        floor.offset += A_WHILE
        released.set()
        waits(house, lambda view: not view.positions, "the close")
    assert not facts(house, SubmissionBlocked)


def stops(house: LiveHouse) -> list[ClientOrderId]:
    return [order.id for order in house.engine.state.ledger.working() if order.is_protective]


@pytest.mark.parametrize(
    ("command", "said"), [(None, "cancelled by the operator"), (Kill("key"), "killed by key")], ids=["by hand", "kill"]
)
def test_a_queued_order_is_withdrawn(command: Kill | None, said: str):
    """EX-22, EX-07, OP-07: it never leaves, and the broker is not asked for it."""
    floor = SlowFloor()
    with LiveHouse(floor) as house:
        waits(house, lambda view: view.status.word == "on", "the desk is on")
        released = hold(house, ENTRIES)
        entry = turn(house, a_buy(limit="97"))
        waits(house, lambda _: status_of(house, entry) is OrderStatus.PENDING, "an entry waits")
        house.presses(command or RequestCancel(entry))
        waits(house, lambda _: status_of(house, entry) is OrderStatus.CANCELLED, "it is taken back")
        released.set()
        order = house.engine.state.ledger.order(entry)
    assert order is not None
    assert order.reason == f"{said}, cancelled before submission"
    assert entry not in floor.looked_up
    assert not [a for a in floor.asked if a.startswith(("submit", "cancel"))]


def sells_elsewhere(floor: SlowFloor, shares: str) -> None:
    """Somebody does, at the broker's own page."""
    with floor.lock:
        trades_elsewhere(floor.moved(), floor.now(), Side.SELL, shares)


OFTEN = Settings.model_validate({"reconciliation": {"every_seconds": 1, "apart_seconds": 1, "max_drift": "0.9"}})


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_queued_exit_is_sized_to_the_position(is_killed: bool):
    """EX-13, EX-22, OP-02: the key permits less of the same, and nothing opens the other side"""
    floor = SlowFloor()
    with LiveHouse(floor, settings=OFTEN) as house:
        waits(house, lambda view: view.status.word == "on", "the desk is on")
        turn(house, a_buy(SHARES, StopHolder.DESK))
        waits(house, lambda view: view.positions, "a position")
        released = hold(house, EXITS)
        sale = turn(house, ProposeClose(SPY))
        waits(house, lambda _: status_of(house, sale) is OrderStatus.PENDING, "the exit waits")
        sells_elsewhere(floor, "0.05")
        waits(house, lambda view: view.positions[0].quantity == Decimal("0.15"), "a correction")
        if is_killed:
            house.presses(Kill("key"))
            waits(house, lambda view: view.status.killed_by, "killed")
        released.set()
        waits(house, lambda view: not view.positions, "the close")
    assert status_of(house, sale) is OrderStatus.CANCELLED
    assert house.held() == 0
    orders = house.engine.state.ledger.state.orders.values()
    sold = [order for order in orders if order.request.side is Side.SELL and order.role is None]
    assert [(o.request.quantity, o.request.type, o.status) for o in sold if o.id != sale] == [
        (Decimal("0.15"), OrderType.MARKET, OrderStatus.FILLED)
    ]
    assert sale not in floor.looked_up


def test_a_fill_while_leaving_gets_its_stop():
    """EX-22, OP-06: left just after the key; the answer with the fill comes then, and the stream says nothing."""
    floor = SlowFloor()
    floor.is_slow = floor.is_mute = True
    house = LiveHouse(floor)
    with house:
        waits(house, lambda view: view.status.word == "on", "the desk is on")
        turn(house, a_buy())
        waits(house, lambda _: floor.waiting, "the entry is on the wire")
        house.runtime.leave()
        waits(house, lambda _: house.runtime._left.is_set(), "the desk leaves")
        floor.may_answer.set()
    assert [a for a in floor.asked if a.startswith("submit")] == ["submit buy market", "submit sell stop"]
    assert house.runtime.last_words == ()


def test_leaving_waits_for_a_market_entry():
    """EX-22, OP-06: the broker has it and nothing is unanswered; its fill comes over the stream a moment later."""
    floor = SlowFloor()
    floor.is_mute = True
    house = LiveHouse(floor)
    with house:
        waits(house, lambda view: view.status.word == "on", "the desk is on")
        entry = turn(house, a_buy())
        waits(house, lambda _: status_of(house, entry) is OrderStatus.SUBMITTED, "the broker has it")
        house.runtime.leave()
        waits(house, lambda _: house.runtime._left.is_set(), "the desk leaves")
        floor.is_mute = False
    assert [a for a in floor.asked if a.startswith("submit")] == ["submit buy market", "submit sell stop"]


class NoFigures(SlowFloor):
    """The account is told of when `may_answer`."""

    def account(self) -> Account | NoAnswer:
        if self.is_slow:
            self.may_answer.wait(TIMEOUT)
        return super().account()


@pytest.mark.parametrize("holder", [StopHolder.DESK, StopHolder.BROKER], ids=["bare", "behind its stop"])
def test_leaving_sends_a_confirmed_exit(holder: StopHolder):
    """EX-22, OP-03, EX-21: they are not waited for; an exit goes on with a warning, as where none come in time."""
    floor = NoFigures()
    house = LiveHouse(floor)
    with house:
        waits(house, lambda view: view.status.word == "on", "the desk is on")
        turn(house, a_buy(SHARES, holder))
        waits(house, lambda view: view.positions and (holder is StopHolder.DESK or stops(house)), "a position")
        waits(house, lambda view: holder is StopHolder.DESK or view.positions[0].covered == SHARES, "its stop")
        floor.is_slow = True
        sale = turn_without_figures(house, ProposeClose(SPY))
        house.runtime.leave()
    floor.may_answer.set()
    assert [a for a in floor.asked if a.startswith("submit")][-1] == "submit sell market"
    assert status_of(house, sale) in (OrderStatus.SUBMITTED, OrderStatus.FILLED)


def test_leaving_refuses_a_confirmed_entry():
    """EX-22, OP-03: it never leaves, and nothing waits for its figures."""
    floor = NoFigures()
    house = LiveHouse(floor)
    with house:
        waits(house, lambda view: view.status.word == "on", "the desk is on")
        floor.is_slow = True
        entry = turn_without_figures(house, a_buy())
        house.runtime.leave()
    floor.may_answer.set()
    refused = [record.fact for record in house.journal.records() if isinstance(record.fact, ConfirmationRefused)]
    assert [fact.reasons for fact in refused] == [("the desk left before it was sent",)]
    assert status_of(house, entry) is None
    assert not [a for a in floor.asked if a.startswith("submit")]


def turn_without_figures(house: LiveHouse, command: ProposeOrder | ProposeClose) -> ClientOrderId:
    """The ticket opens without figures, after three seconds; the key is turned and taken in."""
    order = turn(house, command)
    waits(house, lambda _: house.engine.the(Confirmations).undecided(), "the key")
    return order


class LosesFigures(Link):
    """No question for figures arrives."""

    def carry(self, effect: Request) -> Iterable[timedelta]:
        return () if isinstance(effect, FetchFigures) else (self.latency,)


def test_a_virtual_desk_sends_a_confirmed_exit():
    """EX-22, OP-03"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    house.until("10:06:31")
    house.line.link = LosesFigures()
    house.confirms()
    house.line.finish_what_is_owed()
    assert house.requests()[-2:] == ["cancel", "submit sell market 0.502"]
    assert house.held_by_the_broker() == "0"


def test_an_order_waits_from_its_record_on():
    """EX-06, EX-22: what takes it back in the act that wrote it does not look for it at the broker"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    handle, is_here = house.line.engine.handle, list[bool]()

    def watched(at: datetime, message: Input) -> list[Request]:
        effects = list(handle(at, message))
        for effect in effects:
            if isinstance(effect, SubmitOrder):
                order = house.desk.ledger.order(effect.order.client_order_id)
                is_here.append(order is not None and house.desk.sightings.departing.is_here(order))
        return effects

    house.line.engine.handle = watched  # type: ignore[method-assign]
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    house.until("10:06:31")
    house.confirms()
    house.until("10:06:35")

    assert is_here == [True]
    assert house.held() == house.held_by_the_broker() == "0"


class LateCancels(SlowFloor):
    """A cancel is taken at once, and done a while after."""

    def cancel(
        self, client_order_id: ClientOrderId, broker_order_id: BrokerOrderId | None
    ) -> Accepted | CancelTaken | Refused | NotFound | NoAnswer:
        self.asked.append("cancel")
        done = super().cancel
        threading.Timer(A_MOMENT, lambda: done(client_order_id, broker_order_id)).start()
        timeline().sleep(ROUND_TRIP)
        return CancelTaken()


def test_leaving_finishes_a_close():
    """EX-22, EX-21: the cancel is answered before the stop is gone, and the exit goes out behind it."""
    floor = LateCancels()
    house = LiveHouse(floor)
    with house:
        waits(house, lambda view: view.status.word == "on", "the desk is on")
        turn(house, a_buy())
        waits(house, lambda view: view.positions and view.positions[0].covered == SHARES, "a covered position")
        turn(house, ProposeClose(SPY))
        waits(house, lambda _: "cancel" in floor.asked, "its stop is asked to make way")
        house.runtime.leave()
    assert [a for a in floor.asked if a.startswith("submit")][-1] == "submit sell market"
    assert floor.exchange.books(floor.now()).positions == ()
    assert house.runtime.last_words == ()


def test_an_unsent_stop_is_sent_without_a_key():
    """EX-22, EX-20: it is the very same order, once, and the broker was never asked for it."""
    floor = SlowFloor()
    house = LiveHouse(floor)
    with house:
        waits(house, lambda view: view.status.word == "on", "the desk is on")
        hold(house, EXITS)
        turn(house, a_buy())
        waits(house, lambda _: stops(house), "its stop waits")
        (stop,) = stops(house)
    house.runtime.stop("left")
    assert facts(house, OrderKept) == [stop]
    assert [words.split(" was ")[1] for words in house.runtime.last_words] == [
        "not sent before the desk left: the next start sends it, or asks for it on a ticket"
    ]

    with LiveHouse(floor, house.journal) as again:
        waits(again, lambda view: view.positions and view.positions[0].covered == SHARES, "the stop is sent")
    assert facts(again, KeptOrderReleased) == [stop]
    assert status_of(again, stop) is OrderStatus.SUBMITTED
    assert stop not in floor.looked_up
    assert [a for a in floor.asked if a.startswith("submit")].count("submit sell stop") == 1


def test_an_unsent_exit_gets_a_new_ticket():
    """EX-22, OP-02"""
    floor = SlowFloor()
    house = LiveHouse(floor)
    with house:
        waits(house, lambda view: view.status.word == "on", "the desk is on")
        turn(house, a_buy(SHARES, StopHolder.DESK))
        waits(house, lambda view: view.positions, "a position")
        hold(house, EXITS)
        sale = turn(house, ProposeClose(SPY))
        waits(house, lambda _: status_of(house, sale) is OrderStatus.PENDING, "the exit waits")
    house.runtime.stop("left")
    floor.offset += A_WHILE

    with LiveHouse(floor, house.journal) as again:
        view = waits(again, lambda view: [p for p in view.proposals if p.strategy == MANUAL], "it is asked for again")
    first = view.proposals[0]
    assert (first.side, first.quantity, first.reason) == (Side.SELL, SHARES, "it was not sent before the desk left")
    assert status_of(again, sale) is OrderStatus.CANCELLED
    assert sale not in floor.looked_up


def test_each_unsent_exit_gets_its_own_ticket():
    """EX-22, OP-02: their keys have lapsed; both are of one position, and neither takes the other's shares."""
    floor = SlowFloor()
    house = LiveHouse(floor)
    half = Quantity(Decimal("0.1"))
    with house:
        waits(house, lambda view: view.status.word == "on", "the desk is on")
        turn(house, a_buy(SHARES, StopHolder.DESK))
        waits(house, lambda view: view.positions, "a position")
        hold(house, EXITS)
        for _ in range(2):
            sale = turn(house, ProposeClose(SPY, quantity=half))
            waits(house, lambda _, sale=sale: status_of(house, sale) is OrderStatus.PENDING, "the exit waits")
    house.runtime.stop("left")
    floor.offset += A_WHILE

    with LiveHouse(floor, house.journal) as again:
        view = waits(
            again, lambda view: len([p for p in view.proposals if p.strategy == MANUAL]) == 2, "both are asked for"
        )
    asked = {(p.quantity, p.reason) for p in view.proposals if p.side is Side.SELL}
    assert asked == {(half, "it was not sent before the desk left")}


def test_leaving_names_unsent_and_unanswered_entries():
    """EX-22: one waits behind another that hangs; it is taken back, and neither is passed over in silence."""
    floor = SlowFloor()
    floor.is_slow = floor.is_mute = True
    roomy = Settings.model_validate({"risk": {"entries_a_day": 9}})
    house = LiveHouse(floor, settings=roomy)
    with house:
        waits(house, lambda view: view.status.word == "on", "the desk is on")
        first = turn(house, a_buy(limit="97"))
        waits(house, lambda _: floor.waiting, "an entry is on the wire")
        behind = turn(house, a_buy(limit="96"))
        waits(house, lambda _: status_of(house, behind) is OrderStatus.PENDING, "another waits behind it")
    assert status_of(house, behind) is OrderStatus.CANCELLED
    assert status_of(house, first) is OrderStatus.PENDING
    assert sorted(house.runtime.last_words) == [
        "BUY 0.2 SPY limit 96.00 was not sent before the desk left: stage it again where it is still wanted",
        "BUY 0.2 SPY limit 97.00 was sent and not answered: the next start looks it up, and its stop follows then",
    ]
    floor.may_answer.set()


def test_a_failed_desk_keeps_an_unsent_exit():
    """EX-22, EX-20: its stop waits here as the engine's thread fails; the next start sends it."""
    floor = SlowFloor()
    house = LiveHouse(floor)
    with house:
        waits(house, lambda view: view.status.word == "on", "the desk is on")
        hold(house, EXITS)
        turn(house, a_buy())
        waits(house, lambda _: stops(house), "its stop waits")
        (stop,) = stops(house)
        loop = house.runtime._loop
        assert loop is not None
        loop.call_soon_threadsafe(house.runtime._fail, RuntimeError("nobody foresaw it"), "")
        with pytest.raises(RuntimeError, match="nobody foresaw it"):
            house.ends()
    assert facts(house, OrderKept) == [stop]
    assert [words.split(" was ")[1] for words in house.runtime.last_words] == [
        "not sent before the desk left: the next start sends it, or asks for it on a ticket"
    ]

    with LiveHouse(floor, house.journal) as again:
        waits(again, lambda view: view.positions and view.positions[0].covered == SHARES, "the stop is sent")


def test_leaving_names_an_unanswered_entry_and_stop():
    """EX-22, OP-06"""
    floor = SlowFloor()
    floor.is_slow = floor.is_mute = True
    house = LiveHouse(floor)
    with house:
        waits(house, lambda view: view.status.word == "on", "the desk is on")
        entry = turn(house, a_buy())
        waits(house, lambda _: floor.waiting, "the entry is on the wire")
    floor.may_answer.set()
    assert house.runtime.last_words == (
        "BUY 0.2 SPY market was sent and not answered: the next start looks it up, and its stop follows then",
    )

    floor.is_mute = False
    with LiveHouse(floor, house.journal) as again:
        waits(again, lambda view: view.positions and view.positions[0].covered == SHARES, "its stop is there")
    assert status_of(again, entry) is OrderStatus.FILLED


@pytest.mark.parametrize("is_late", [False, True], ids=["recorded", "latched alone"])
def test_a_late_kill_names_working_entries(is_late: bool):
    """OP-07, EX-22: the next start cancels them."""
    floor = SlowFloor()
    house = LiveHouse(floor)
    with house:
        waits(house, lambda view: view.status.word == "on", "the desk is on")
        entry = turn(house, a_buy(limit="97"))
        waits(house, lambda _: status_of(house, entry) is OrderStatus.SUBMITTED, "it rests")
    (unguarded,) = house.runtime.last_words
    assert "may fill, and its stop is not sent while the desk is closed" in unguarded
    if is_late:
        house.runtime.close = lambda: house.presses(Kill("key"))  # between the last record and the end
    else:
        house.presses(Kill("key"))
    house.runtime.stop("left")
    assert house.switch.is_on()
    _, words = house.runtime.last_words
    assert words.startswith("BUY 0.2 SPY limit 97")
    assert "the next start" in words
    assert "cancel" not in floor.asked

    again = LiveHouse(floor, house.journal)
    again.switch.door = house.switch.door
    with again:
        if is_late:
            again.presses(Kill("file"))  # as the keeper does that finds it
        waits(again, lambda _: status_of(again, entry) is OrderStatus.CANCELLED, "it is cancelled")


def a_floor_with_a_kept_stop() -> tuple[SlowFloor, LiveHouse, ClientOrderId]:
    """It was left while the stop of its position waited here."""
    floor = SlowFloor()
    house = LiveHouse(floor)
    with house:
        waits(house, lambda view: view.status.word == "on", "the desk is on")
        hold(house, EXITS)
        turn(house, a_buy())
        waits(house, lambda _: stops(house), "its stop waits")
        (stop,) = stops(house)
    house.runtime.stop("left")
    return floor, house, stop


def test_a_withdrawn_kept_order_is_not_sent():
    """EX-22, EX-07: while the next start waits for the broker's books."""
    floor, house, stop = a_floor_with_a_kept_stop()
    floor.troubles["picture"] = NoAnswer("nobody knows")
    with LiveHouse(floor, house.journal) as again:
        waits(again, lambda view: view.orders, "the order that was kept")
        again.presses(RequestCancel(stop))
        waits(again, lambda _: status_of(again, stop) is OrderStatus.CANCELLED, "it is taken back")
        del floor.troubles["picture"]
        floor.offset += A_WHILE
        view = waits(again, lambda view: view.status.word == "on", "the desk is on")
    assert "submit sell stop" not in floor.asked
    assert [p for p in view.proposals if p.side is Side.SELL] == []
    assert stop not in floor.looked_up


def test_a_kept_order_waits_for_the_books():
    """EX-22, EX-09: most of its shares are gone; a person says who is right, and then its stop is sent."""
    floor, house, stop = a_floor_with_a_kept_stop()
    sells_elsewhere(floor, "0.15")
    with LiveHouse(floor, house.journal) as again:
        waits(again, lambda view: view.status.word == "read-only", "the books differ")
        assert status_of(again, stop) is OrderStatus.PENDING
        assert "submit sell stop" not in floor.asked
        again.accepts(floor.exchange.books(floor.now()))
        floor.offset += A_WHILE
        waits(again, lambda view: view.positions and view.positions[0].covered == Decimal("0.05"), "a covered position")
    assert floor.asked.count("submit sell stop") == 1


def test_a_kept_order_waits_for_a_second_look(monkeypatch: pytest.MonkeyPatch):
    """EX-22, EX-09: the books of its symbol differ, and nothing is decided yet."""
    floor, house, stop = a_floor_with_a_kept_stop()
    sells_elsewhere(floor, "0.005")
    with monkeypatch.context() as patch, LiveHouse(floor, house.journal) as again:
        patch.setattr(Reconciliation, "_may_be_explained", lambda *_: True)
        waits(again, lambda view: view.status.word == "read-only", "the books differ")
        assert (status_of(again, stop), "submit sell stop" in floor.asked) == (OrderStatus.PENDING, False)
        patch.undo()
        floor.offset += A_WHILE
        waits(again, lambda view: view.positions and view.positions[0].covered == Decimal("0.195"), "a stop for all")


def test_a_queued_stop_covers_nothing():
    """EX-13, EX-22, OP-06"""
    floor = SlowFloor()
    with LiveHouse(floor) as house:
        waits(house, lambda view: view.status.word == "on", "the desk is on")
        released = hold(house, EXITS)
        turn(house, a_buy())
        waits(house, lambda _: stops(house), "its stop waits")
        floor.offset += timedelta(seconds=3)
        view = waits(house, lambda view: view.positions and not view.positions[0].covered, "it covers nothing")
        (stop,) = [row for row in view.orders if row.is_protective]
        assert "waits to be sent" in stop.marks
        assert [row.unprotected for row in view.kill.uncovered] == [SHARES]
        released.set()
        waits(house, lambda view: view.positions[0].covered == SHARES, "a covered position")


def test_an_archived_order_is_looked_up_not_sent():
    """EX-22, EX-04, SP-04: a start after the archive was made had sent it."""
    floor, house, stop = a_floor_with_a_kept_stop()
    archive = list(house.journal.records())
    with LiveHouse(floor, house.journal) as again:
        waits(again, lambda _: status_of(again, stop) is OrderStatus.SUBMITTED, "the stop is sent")
    again.runtime.stop("left")

    restored = MemoryJournal()
    for record in archive:
        restored.append(record.at, record.fact)
    restored.append(archive[-1].at, StateRestored(floor.now(), "archive", 3, archive[-1].at, None))
    with LiveHouse(floor, restored) as third:
        waits(third, lambda _: status_of(third, stop) is OrderStatus.SUBMITTED, "it is known again")
        waits(third, lambda view: view.positions and view.positions[0].covered == SHARES, "a covered position")
    assert facts(third, KeptOrderReleased) == []
    assert [a for a in floor.asked if a.startswith("submit")].count("submit sell stop") == 1
