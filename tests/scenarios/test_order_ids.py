"""No two orders ever have one name, whatever the ledger has forgotten of those that ended (EX-04)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from core.facts import DayStarted, OrderCreated
from core.messages.commands import ProposeClose, ProposeOrder
from core.model.codes import HaltCause
from core.model.order import Effect, OrderStatus, OrderType, StopHolder
from core.model.values import Money, Quantity, plain
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.house import STEADY, House, a_house_in_a_position
from tests.unit.core.brokers.trading_floor import SPY

A_PART = ProposeOrder(SPY, Effect.CLOSE, Quantity(Decimal("0.2")), OrderType.MARKET, None, None, StopHolder.BROKER)
LONG = ("10:06", "15:59", STEADY)


@pytest.fixture(autouse=True, scope="module")
def a_short_memory() -> Iterator[None]:
    """What has ended is forgotten at the next day's beginning, as in the desk after a week."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.execution.past_orders.KEPT", timedelta(0))
        yield


def is_halted(house: House) -> bool:
    return HaltCause.INVARIANT in house.desk.control.halts


def forgets(house: House) -> None:
    house.desk.record(DayStarted(house.desk.at.date(), Money(Decimal(1000))))


def test_a_restored_stop_gets_a_new_id() -> None:
    """EX-04, EX-21, EX-22"""
    house = a_house_in_a_position(LONG)
    (first,) = house.stops
    forgets(house)
    house.presses(ProposeClose(SPY))
    house.line.refuses_the_next_order("insufficient qty available")

    confirms_now(house)
    passes(house, 10)

    assert not is_halted(house)
    again = house.stops[-1]
    assert (again.status, plain(again.request.quantity)) == (OrderStatus.SUBMITTED, "0.502")
    assert again.id != first.id
    assert again.parent == first.parent


def test_a_partial_sale_works_after_its_entry_is_dropped() -> None:
    """EX-04, EX-13, EX-22"""
    house = a_house_in_a_position(LONG)
    forgets(house)
    house.presses(A_PART)

    confirms_now(house)
    passes(house, 10)

    assert house.held() == house.held_by_the_broker() == "0.302"
    assert plain(house.desk.ledger.exits.covered(SPY, "vwap")) == "0.302"
    assert not is_halted(house)


def test_restored_stops_never_share_an_id() -> None:
    """EX-04: each close has an authorization of its own, and counts for itself, whatever was forgotten in between."""
    house = a_house_in_a_position(LONG)
    for _ in range(3):
        house.presses(ProposeClose(SPY))
        house.line.refuses_the_next_order("insufficient qty available")
        confirms_now(house)
        passes(house, 10)
        forgets(house)

    created = [f.order.client_order_id for f in house.facts(OrderCreated)]
    assert len(created) == len(set(created)) == 8
    assert not is_halted(house)
    assert house.stops[-1].status is OrderStatus.SUBMITTED
