"""A kill beside more orders of others than the broker takes requests a minute (OP-07, RK-24)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from core.brokers.alpaca.connection import ALPACA
from core.facts import OrderStateUnknown, OtherTakenBack
from core.messages.commands import Kill, ProposeClose, Rearm
from core.messages.effects import CancelOrder, Effect, LookUpOrder
from core.messages.inputs import CancelAnswered, ConnectionChanged, Input
from core.model.account import Channel, ConnectionState, ConnectionStatus
from core.model.broker import Capabilities, NoAnswer, Refused
from core.model.codes import RefusalKind
from core.model.order import OrderStatus, Side
from core.workflows.operator.kill_switch import REARM
from core.workflows.orders.kill_cancels import UNDER_WAY
from tests.scenarios.changes import ROOMY, a_house_with_a_working_entry, confirms_now, passes
from tests.scenarios.house import STEADY, House, a_house_in_a_position, a_typed_buy, minutes
from tests.scenarios.request_meter import RequestMeter
from tests.scenarios.requests import effects_of
from tests.scenarios.test_orders_in_doubt import loses
from tests.unit.core.brokers.trading_floor import SPY, an_order

LIMIT = 200
LIMITED = NoAnswer("Alpaca: too many requests (429)", 20)


def beside_others(house: House, orders: int) -> RequestMeter:
    """Rest buy orders of others for 0.01, 0.02, 0.03, ... shares; Alpaca's limit; a minute later they are shown."""
    house.desk.sightings.capabilities = ALPACA.capabilities
    for line in (Channel.TRADES, Channel.DATA):
        house.line.take(house.line.at, ConnectionChanged(ConnectionStatus(line, ConnectionState.UP, house.line.at)))
    for number in range(1, orders + 1):
        shares = str(Decimal(number) / 100)
        house.exchange.submit(house.line.at, an_order(f"elsewhere-{number}", Side.BUY, shares, limit="0.10"))
    passes(house, 130)
    assert len(house.desk.sightings.all_others) == orders
    return RequestMeter(house)


def cancels_of(house: House) -> list[Effect]:
    return effects_of(house, CancelOrder)


def ids(cancels: list[Effect]) -> list[str]:
    return [cancel.client_order_id for cancel in cancels if isinstance(cancel, CancelOrder)]


def test_a_kill_of_300_external_orders_is_paced() -> None:
    """OP-07, RK-24: it stays under the limit of any minute, and ends as soon as that allows"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    meter = beside_others(house, 300)

    house.presses(Kill("key"))
    passes(house, 1)
    shown = house.line.view().kill
    passes(house, 64)

    assert shown.asked == 300
    assert 100 < shown.gone < 300
    assert meter.most() <= LIMIT
    assert house.desk.sightings.all_others == ()
    assert len(house.facts(OtherTakenBack)) == 300


def test_a_kill_cancels_an_order_of_another_keyturn_under_our_id() -> None:
    """OP-07, EX-24, EX-09: a copy of this folder sent it before our key; ours was refused, and is another order"""
    house = House(minutes("09:55", "10:40"), ROOMY, cash=Decimal(10_000)).opens().until("10:05")
    house.presses(a_typed_buy("10", limit="99", stop="98"))
    house.opens_ticket()
    passes(house, 1)
    house.exchange.submit(house.line.at, house.ticket.order)
    house.exchange.take_updates()
    passes(house, 20)
    house.confirms()
    passes(house, 100)
    ours = house.entry
    there = [order for order in house.desk.sightings.all_others if order.client_order_id == ours.id]
    house.presses(Kill("the operator"))
    passes(house, 5)

    assert (ours.status, ours.broker_order_id) == (OrderStatus.REJECTED, None)
    assert [order.may_open for order in there] == [True]
    assert [o.raw_status for o in house.exchange.orders(house.line.at) if o.client_order_id == ours.id] == ["canceled"]


def test_a_kill_cancels_ours_first_then_the_largest() -> None:
    """OP-07: ours at once, then those of others by the value that could open"""
    house = a_house_with_a_working_entry()
    beside_others(house, 40)
    house.desk.messages.count(house.line.at, LIMIT - 20 - house.desk.messages.requests(house.line.at))
    left = cancels_of(house)

    house.presses(Kill("key"))
    passes(house, 5)

    ours, *others = ids(left)
    assert ours == house.entry.id
    assert others == [f"elsewhere-{number}" for number in range(40, 40 - len(others), -1)]
    assert 0 < len(others) < 20


def test_cancels_of_external_orders_leave_room_for_closes() -> None:
    """OP-07, EX-22: a close confirmed behind them is sent at once"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    beside_others(house, 250)
    house.presses(Kill("key"))
    passes(house, 1)
    waiting = len(house.desk.sightings.all_others)

    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 2)

    assert waiting > 40
    assert house.held() == house.held_by_the_broker() == "0"


def test_a_429_holds_the_cancels_of_external_orders() -> None:
    """OP-07, RK-24: no more than are under way are refused, and they leave when the broker said"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    beside_others(house, 100)
    left, ask = cancels_of(house), house.line.ask

    def limited(effect: Effect) -> Input:
        return CancelAnswered(effect.client_order_id, LIMITED) if isinstance(effect, CancelOrder) else ask(effect)

    house.line.ask = limited  # type: ignore[method-assign]
    house.presses(Kill("key"))
    passes(house, 19)
    refused = len(left)
    house.line.ask = ask  # type: ignore[method-assign]
    passes(house, 6)

    assert refused == UNDER_WAY
    assert house.desk.sightings.all_others == ()


def test_a_rearm_ends_the_cancels_of_external_orders() -> None:
    """OP-07: those that wait for room belong to the kill alone"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    beside_others(house, 250)
    house.presses(Kill("key"))
    passes(house, 1)
    house.presses(Rearm(REARM))
    left = cancels_of(house)
    passes(house, 90)

    assert left == []
    assert len(house.desk.sightings.all_others) > 40


def test_a_rearm_leaves_no_deadline_without_a_limit() -> None:
    """OP-07: cancels that were to be repeated end with the kill; the engine is not woken for them again and again"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    beside_others(house, 5)
    house.desk.sightings.capabilities = Capabilities(messages_a_minute=None)
    ask = house.line.ask

    def refused(effect: Effect) -> Input:
        if isinstance(effect, CancelOrder):
            return CancelAnswered(effect.client_order_id, Refused(RefusalKind.OTHER, "not now"))
        return ask(effect)

    house.line.ask = refused  # type: ignore[method-assign]
    house.presses(Kill("key"))
    passes(house, 1)
    house.presses(Rearm(REARM))
    begun = house.line.at
    passes(house, 30)

    assert house.line.at >= begun + timedelta(seconds=30)
    assert house.desk.control.killed_by is None
    assert (due := house.engine.next_deadline) is None or due > house.line.at


def test_an_entry_in_doubt_is_looked_up_beside_a_kill_of_300() -> None:
    """EX-22, OP-07, RK-24: it may have arrived, and the cancels of others leave it room"""
    house = House(minutes("09:55", "10:40", "99.60"), ROOMY).opens().until("10:06:30")
    meter = beside_others(house, 300)
    house.presses(a_typed_buy(limit="98.00", stop="97.70"))
    house.opens_ticket()
    passes(house, 1)
    loses(house, "limit")
    house.confirms()
    passes(house, 1)
    left = effects_of(house, LookUpOrder)

    house.presses(Kill("key"))
    passes(house, 15)
    asked = len(left)
    passes(house, 60)

    assert house.facts(OrderStateUnknown)
    assert asked >= 3
    assert meter.most() <= LIMIT
    assert house.desk.sightings.all_others == ()


def test_a_pending_cancel_is_not_repeated() -> None:
    """OP-07: the broker has the request; asking again each minute would use up the limit"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    beside_others(house, 3)
    seen = house.desk.sightings
    seen.all_others = tuple(replace(other, state="pending_cancel") for other in seen.all_others)
    left = cancels_of(house)

    house.presses(Kill("key"))

    assert left == []
    assert [row.state for row in house.line.view().kill.others] == ["pending_cancel"] * 3


def test_a_full_disk_paces_the_cancels_of_external_orders() -> None:
    """SP-06, OP-07, RK-24: none is lost, and they stay under the limit of any minute"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    meter = beside_others(house, 250)
    house.journal.is_full = True

    house.presses(Kill("key"))
    passes(house, 75)

    assert meter.most() <= LIMIT
    assert house.desk.sightings.all_others == ()
