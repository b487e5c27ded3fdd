"""What no decision needs leaves memory and documents when the next day begins, and is found where it is asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import orjson
import pytest
from syrupy.assertion import SnapshotAssertion

from core.execution.order import Order
from core.execution.order_status import DuplicateOrderError
from core.facts import Halted, OrderFilled, OrdersRecalled, TradeClosed, UpdateIgnored
from core.messages.commands import ProposeClose, RequestCancel
from core.messages.inputs import BrokerUpdated
from core.model.broker import Execution, OrderUpdate, UpdateEvent
from core.model.codes import HaltCause
from core.model.order import OrderStatus, Side, StopHolder, TimeInForce
from core.model.values import ClientOrderId, ExecutionId, Price, Quantity
from core.ports import PastUnreadableError
from core.trading_state.checkpoint import checkpoint_of, documents_of, rebuild, states
from core.trading_state.state import TradingState
from core.views.builders.desk import ViewBuilder
from tests.scenarios.changes import ROOMY, confirms_now, passes
from tests.scenarios.house import Drawer, House, a_typed_buy, assert_can_be_rebuilt, minutes
from tests.scenarios.plans import a_buy, a_house_that_holds, a_sale, marks, opens, signs
from tests.scenarios.requests import Request, buy, requested
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY

FRIDAY, MONDAY, LATER = (THURSDAY + timedelta(days=days) for days in (1, 4, 11))
"""By the last nothing is owed any more by what was signed on the Thursday."""
FAR_BELOW = a_typed_buy("0.5", limit="95", stop="94")
AT_HAND = a_typed_buy("0.5", limit="101", stop="94")


def a_house(*days: date) -> House:
    """It is Thursday, 10:05; the market stands still at 100, on the days after it too."""
    bars = [bar for day in (THURSDAY, *days) for bar in minutes("09:30", "10:20", day=day)]
    return House(bars, ROOMY, cash=Decimal(10_000)).opens().until("10:05")


def buys(house: House, *, far: bool, holder: StopHolder = StopHolder.DESK) -> Order:
    house.presses(replace(FAR_BELOW if far else AT_HAND, stop_holder=holder, time_in_force=TimeInForce.DAY))
    confirms_now(house)
    passes(house, 5)
    return house.entry


def cancels(house: House, order: Order) -> Order:
    house.presses(RequestCancel(order.id))
    passes(house, 5)
    assert order.status is OrderStatus.CANCELLED
    return order


def a_day_after_a_cancelled_entry(holder: StopHolder = StopHolder.DESK) -> tuple[House, Order]:
    house = a_house(FRIDAY)
    entry = cancels(house, buys(house, far=True, holder=holder))
    return house.until("09:45", FRIDAY), entry


def fills_after_all(house: House, name: ClientOrderId) -> None:
    """The broker had filled it before the cancel came, and tells of that only now."""
    at, size, price = house.line.at, Quantity(Decimal("0.5")), Price(Decimal(95))
    book = house.exchange._book
    booked, execution = book.find(name), Execution(ExecutionId(f"late-{name}"), at, size, price)
    assert booked is not None
    booked.executions.append(execution)
    booked.filled += size
    booked.paid += size * price
    house.exchange._ledger.execute(SPY, Side.BUY, size, price, at)
    book._tell(booked, UpdateEvent.FILL, at, execution)
    house.line._pass_updates_on()


def orders(house: House) -> set[ClientOrderId]:
    return set(house.desk.ledger.state.orders)


def is_halted(house: House) -> bool:
    return HaltCause.INVARIANT in house.desk.control.halts


def test_a_finished_trade_leaves_memory_the_next_day() -> None:
    """SP-02, SY-05: and is found by its name"""
    house = a_house(FRIDAY)
    buys(house, far=False)
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    house.until("15:59")
    ended = orders(house)
    assert len(ended) == 2
    assert len(house.facts(TradeClosed)) == len(house.desk.ledger.state.trades) == 1

    house.until("09:45", FRIDAY)

    ledger = house.desk.ledger
    assert (orders(house), ledger.state.trades, ledger.state.executions) == (set(), [], {})
    kept = {part: orjson.dumps(document).decode() for part, document in documents_of(house.desk).items()}
    assert {part for part, text in kept.items() if any(name in text for name in ended)} <= {"latencies"}
    assert [ledger.has(name) for name in ended] == [True, True]
    assert {past.status for name in ended if (past := ledger.retention.forgotten(name))} == {OrderStatus.FILLED}
    assert_can_be_rebuilt(house)


def test_no_name_of_a_forgotten_order_is_used_again() -> None:
    """EX-04"""
    house, entry = a_day_after_a_cancelled_entry()

    assert entry.id not in orders(house)
    with pytest.raises(DuplicateOrderError):
        house.desk.ledger.retention.require_new(entry.id)


def test_the_orders_of_an_open_position_stay() -> None:
    """OP-06, EX-13"""
    house = a_house(FRIDAY)
    entry = buys(house, far=False, holder=StopHolder.BROKER)
    house.until("09:45", FRIDAY)

    assert entry.id in orders(house)
    assert_can_be_rebuilt(house)


def test_an_order_that_may_owe_a_stop_stays() -> None:
    """EX-02, OP-06: a late fill of the next day has its stop by what was signed"""
    house, entry = a_day_after_a_cancelled_entry(StopHolder.BROKER)
    assert entry.id in orders(house)

    fills_after_all(house, entry.id)
    passes(house, 5)

    assert house.held() == "0.5"
    assert [str(o.request.stop_price) for o in house.stops if o.is_working] == ["94"]


def test_only_todays_trades_are_shown() -> None:
    """SY-05: the pane shows a day"""
    house = a_house(FRIDAY)
    buys(house, far=False)
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    house.until("15:59")
    assert len(ViewBuilder(house.engine).draw(house.line.at).trades) == 1

    house.until("09:45", FRIDAY)

    assert ViewBuilder(house.engine).draw(house.line.at).trades == ()
    assert len(house.facts(TradeClosed)) == 1


@pytest.mark.parametrize("restarts", [False, True])
def test_a_fill_of_a_forgotten_order_counts_once(restarts: bool) -> None:
    """EX-02, EX-05: it is recalled as it was, the fill is late, and the books are compared"""
    house, entry = a_day_after_a_cancelled_entry()
    if restarts:
        house.restarted()
        passes(house, 30)

    fills_after_all(house, entry.id)
    passes(house, 130)

    assert [[past.id for past in fact.orders] for fact in house.facts(OrdersRecalled)] == [[entry.id]]
    assert [(fact.fill.client_order_id, fact.is_late) for fact in house.facts(OrderFilled)] == [(entry.id, True)]
    assert house.held() == house.held_by_the_broker() == "0.5"
    (position,) = house.desk.ledger.positions()
    assert (position.strategy, position.entry_order) == ("manual", entry.id)
    assert not is_halted(house)
    assert_can_be_rebuilt(house)


def test_a_fill_found_in_the_books_recalls_its_order() -> None:
    """EX-09: no position appears without the order that made it"""
    house, entry = a_day_after_a_cancelled_entry()
    house.line.is_deaf = True
    fills_after_all(house, entry.id)
    passes(house, 610)

    assert len(house.facts(OrdersRecalled)) == 1
    assert [fact.fill.client_order_id for fact in house.facts(OrderFilled)] == [entry.id]
    assert house.held() == house.held_by_the_broker() == "0.5"
    assert [p.strategy for p in house.desk.ledger.positions()] == ["manual"]
    assert_can_be_rebuilt(house)


def test_an_old_update_of_a_forgotten_order_is_ignored(snapshot: SnapshotAssertion) -> None:
    """EX-02: it is no stranger's order either"""
    house, entry = a_day_after_a_cancelled_entry()
    report = house.exchange.order(house.line.at, entry.id)
    assert report is not None
    before = house.facts(UpdateIgnored)
    house.line.take(house.line.at, BrokerUpdated(OrderUpdate(UpdateEvent.CANCELED, house.line.at, report)))
    passes(house, 65)

    told = house.facts(UpdateIgnored)[len(before) :]
    assert [fact.client_order_id for fact in told] == [entry.id]
    assert [fact.reason for fact in told] == snapshot
    assert (orders(house), house.desk.sightings.others, house.facts(OrdersRecalled)) == (set(), (), [])


def test_a_recalled_order_is_forgotten_again() -> None:
    """SY-05: once the position that it made is closed"""
    house = a_house(FRIDAY, MONDAY)
    entry = cancels(house, buys(house, far=True))
    house.until("09:45", FRIDAY)
    fills_after_all(house, entry.id)
    passes(house, 5)
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 5)
    assert house.held() == "0"

    house.until("09:45", MONDAY)

    past = house.desk.ledger.retention.forgotten(entry.id)
    assert past is not None
    assert (past.filled_quantity, len(past.executions), past.late_fill) == (Decimal("0.5"), 1, True)
    assert entry.id not in orders(house)
    assert_can_be_rebuilt(house)


def test_an_unreadable_index_halts_and_keeps_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-22, SP-06: it is asked for every new order's name; the desk lives, says so, and guards what was bought"""
    house, _ = a_day_after_a_cancelled_entry()
    house.until("10:05", FRIDAY)
    house.presses(replace(AT_HAND, stop_holder=StopHolder.BROKER, time_in_force=TimeInForce.DAY))
    house.opens_ticket()
    passes(house, 2)
    house.confirms()
    ledger = house.desk.ledger
    while not orders(house):
        house.until_moment(house.line.at + timedelta(milliseconds=10))

    monkeypatch.setattr(house.journal.past, "find", unreadable)
    passes(house, 10)

    assert house.held() == "0.5"
    assert [order.request.quantity for order in ledger.working() if order.is_protective] == [Decimal("0.5")]
    assert "past-orders.db" in house.desk.control.halts[HaltCause.INVARIANT]


def unreadable(order_id: ClientOrderId, until: int) -> bytes | None:
    raise PastUnreadableError(f"past-orders.db: {order_id} up to {until}: disk I/O error")


def is_kept_back(house: House, before: list[Request]) -> bool:
    """Nothing that opens left, and the desk says why."""
    entries = [o for o in house.desk.ledger.state.orders.values() if not o.only_reduces]
    is_halted = "past-orders.db" in house.desk.control.halts.get(HaltCause.INVARIANT, "")
    return is_halted and requested(house) == before and all(o.status is not OrderStatus.SUBMITTED for o in entries)


def test_an_entry_that_cannot_be_looked_up_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-04, EX-14: the index breaks while the ticket is open; the very act that fails to read keeps the order here"""
    house, _ = a_day_after_a_cancelled_entry()
    house.until("10:05", FRIDAY)
    house.presses(replace(AT_HAND, stop_holder=StopHolder.BROKER, time_in_force=TimeInForce.DAY))
    house.opens_ticket()
    passes(house, 2)
    before = requested(house)

    monkeypatch.setattr(house.journal.past, "find", unreadable)
    house.confirms()
    passes(house, 10)

    assert is_kept_back(house, before)


def test_a_basket_that_cannot_be_looked_up_halts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-04, EX-14: their turn comes as an act is settled, after its handlers; nothing of it leaves before the halt"""
    house = a_house_that_holds("AAA", quantity="60")
    opens(house, a_sale("AAA"), a_buy("GGG", "10"))
    marks(house)
    signs(house)
    known = orders(house)
    while orders(house) == known:
        passes(house, 0.01)
    tried: list[datetime] = []

    def fails(order_id: ClientOrderId, until: int) -> bytes | None:
        tried.append(house.line.at)
        return unreadable(order_id, until)

    house.desk.ledger.state.forgotten = 1  # so that the index is asked at all
    monkeypatch.setattr(house.journal.past, "find", fails)
    passes(house, 30)

    (halted,) = [record for record in house.journal.records() if isinstance(record.fact, Halted)]
    assert halted.at == tried[0]
    assert buy("market", "10") not in requested(house)
    house.desk.ledger.state.forgotten = 0


def test_documents_without_their_index_are_not_used(snapshot: SnapshotAssertion) -> None:
    """SP-02, EX-04: as after a restore"""
    house, entry = a_day_after_a_cancelled_entry()
    drawer = Drawer(checkpoint_of(house.desk))
    alone = type(house.journal)()
    for recorded in house.journal.records():
        alone.append(recorded.at, recorded.fact)
    desk = TradingState("house", house.desk.mode, house.calendar, alone)

    (note,) = rebuild(desk, drawer)

    assert note == snapshot
    assert states(desk) == states(house.desk)
    assert desk.ledger.has(entry.id)


def test_a_bracket_is_forgotten_and_recalled_as_one() -> None:
    """EX-13: its legs are known again with it, and nobody asks for them"""
    house = a_house(LATER)
    house.presses(replace(a_typed_buy("2", limit="95", stop="94"), target_price=Price(Decimal(99))))
    confirms_now(house)
    passes(house, 5)
    entry = cancels(house, house.entry)
    family = orders(house)
    assert len(family) == 3
    ledger = house.desk.ledger
    house.until("09:45", LATER)
    assert orders(house) == set()

    fills_after_all(house, entry.id)
    passes(house, 5)

    (recalled,) = house.facts(OrdersRecalled)
    assert {past.id for past in recalled.orders} == family
    assert orders(house) >= family
    assert {leg.parent for leg in ledger.legs.of(entry.id)} == {entry.id}
    assert not ledger.legs.are_expected(ledger.state.orders[entry.id])
