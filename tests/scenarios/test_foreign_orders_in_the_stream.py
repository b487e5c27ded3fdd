"""What the order stream tells of orders that are not this desk's, and of fills that cannot be (EX-05, EX-09)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from core.facts import FillNotBelieved
from core.messages.inputs import BrokerUpdated
from core.model.broker import Execution, OrderUpdate, UpdateEvent
from core.model.values import ClientOrderId, ExecutionId, Price, Quantity
from core.views.builders.desk import ViewBuilder
from tests.scenarios.house import House, a_house_in_a_position
from tests.scenarios.requests import requested


def moves_the_stop_elsewhere(house: House) -> None:
    """At the broker's own page, a dollar further away."""
    stop = next(order for order in house.desk.ledger.working() if order.is_protective)
    assert stop.request.stop_price is not None
    moved = replace(
        stop.request,
        client_order_id=ClientOrderId("elsewhere"),
        stop_price=Price(stop.request.stop_price - 1),
        replaces=stop.id,
    )
    house.exchange.replace(house.line.at, moved)
    house.line._pass_updates_on()


def test_a_stop_replaced_elsewhere_is_seen_at_once(snapshot: SnapshotAssertion) -> None:
    """EX-09, OP-06: at once, and not with the next comparison, most of a minute later."""
    house = a_house_in_a_position()
    began = house.line.at
    moves_the_stop_elsewhere(house)
    house.until_moment(began + timedelta(seconds=1))

    view = ViewBuilder(house.engine).draw(house.line.at)

    (row,) = view.others
    assert (row.state, row.may_open) == ("new", False)
    assert (row.words, view.positions[0].held_by_others) == snapshot
    house.until_moment(began + timedelta(seconds=4))
    assert [found.broker for found in house.desk.control.state.differences] == ["SELL 0.502 stop"]


def test_an_order_ended_elsewhere_is_gone_at_once() -> None:
    """EX-09"""
    house = a_house_in_a_position()
    moves_the_stop_elsewhere(house)
    began = house.line.at
    house.until_moment(began + timedelta(seconds=1))
    house.exchange.cancel(house.line.at, ClientOrderId("elsewhere"))
    house.line._pass_updates_on()
    house.until_moment(began + timedelta(seconds=2))

    assert (house.desk.sightings.others, house.desk.sightings.all_others) == ((), ())


def test_a_fill_without_room_is_recorded_and_checked(snapshot: SnapshotAssertion) -> None:
    """EX-05: it is not counted; were it true, the comparison would find the shares."""
    house = a_house_in_a_position()
    entry, held = house.entry, house.held()
    began, asked = house.line.at, requested(house)
    report = house.exchange.order(began, entry.id)
    more = Execution(ExecutionId("too-much"), began, Quantity(Decimal(5)), Price(Decimal("99.50")))
    update = OrderUpdate(UpdateEvent.FILL, began, report, more)  # type: ignore[arg-type]

    house.line.take(began, BrokerUpdated(update))
    house.until_moment(began + timedelta(seconds=4))

    (told,) = house.facts(FillNotBelieved)
    assert told.client_order_id == entry.id
    assert told.reason == snapshot
    assert (house.held(), requested(house)) == (held, asked)
