"""How long a typed order may wait at the broker: as it was typed, on the ticket, in the digest, on the wire."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.execution.order import is_order_stale
from core.facts import CancelFailed, CancelRequested, OrderCreated, ProposalSkipped
from core.messages.commands import EditOrder, ProposeOrder
from core.messages.effects import CancelOrder
from core.model.codes import CancelCode
from core.model.order import Effect, OrderStatus, OrderType, TimeInForce
from core.model.values import Price, Quantity
from core.settings.settings import Settings
from tests.scenarios.house import House, a_typed_buy, minutes

RICH = Settings.model_validate({"risk": {"max_notional": {"usd": 5000}, "per_trade": {"usd": 50}}})


def a_rich_house(settings: Settings = RICH) -> House:
    bars = minutes("09:55", "10:30", "99.60 99.61 99.58 99.60")
    return House(bars, settings, cash=Decimal(10_000)).opens().until("10:06")


@pytest.mark.parametrize("time_in_force", [TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC])
def test_a_whole_order_keeps_its_time_in_force(time_in_force: TimeInForce) -> None:
    """OP-02, OP-06, EX-11, EX-12: the broker makes a GTC entry and its stop in one request, good till cancelled"""
    house = a_rich_house()

    house.presses(replace(a_typed_buy("2", limit="99.60"), time_in_force=time_in_force))
    house.opens_ticket()
    house.until("10:06:02")
    assert house.ticket.order.time_in_force is time_in_force
    house.confirms()
    house.until("10:07")

    assert house.facts(OrderCreated)[0].order.time_in_force is time_in_force
    assert house.notebook.records[0]["time_in_force"] == time_in_force.value
    if time_in_force is TimeInForce.GTC:
        assert [(stop.request.time_in_force, stop.request.quantity) for stop in house.stops] == [(TimeInForce.GTC, 2)]


def test_a_fraction_is_for_the_day_alone(snapshot: SnapshotAssertion) -> None:
    """EX-11"""
    house = a_rich_house()

    house.presses(replace(a_typed_buy("0.5"), time_in_force=TimeInForce.GTC))

    assert house.last(ProposalSkipped).checks == ("quantity",)
    assert house.last(ProposalSkipped).reasons == snapshot


def test_a_typed_exit_keeps_its_time_in_force() -> None:
    """EX-11"""
    house = a_rich_house()
    house.presses(a_typed_buy("2"))
    house.opens_ticket()
    house.until("10:06:02")
    house.confirms()
    house.until("10:07")
    sale = replace(
        a_typed_buy("2"),
        effect=Effect.CLOSE,
        quantity=Quantity(Decimal(1)),
        type=OrderType.LIMIT,
        limit_price=Price(Decimal("101")),
        stop_price=None,
        time_in_force=TimeInForce.GTC,
    )

    house.presses(sale)

    assert (house.proposal.order.effect, house.proposal.order.time_in_force) == (Effect.REDUCE, TimeInForce.GTC)


def waits(house: House, entry: ProposeOrder) -> None:
    house.presses(entry)
    house.opens_ticket()
    house.until("10:06:02")
    house.confirms()
    house.until("10:06:10")
    assert house.entry.status is OrderStatus.SUBMITTED


AWAY = a_typed_buy("2", limit="95", stop="94")


def test_a_limit_entry_past_its_time_is_cancelled() -> None:
    """EX-07"""
    house = a_rich_house()
    waits(house, replace(AWAY, ttl_seconds=120))
    ends = house.entry.expires_at
    house.until("10:08:01")
    before = house.entry.status, is_order_stale(house.entry, house.line.at)

    house.until("10:08:10")

    assert ends is not None
    assert (ends - house.entry.created_at) == timedelta(seconds=120)
    assert before == (OrderStatus.SUBMITTED, False)
    assert is_order_stale(replace(house.entry, status=OrderStatus.SUBMITTED), house.line.at)
    assert (house.entry.status, house.entry.cancel_code) == (OrderStatus.CANCELLED, CancelCode.OUTLIVED)


@pytest.mark.parametrize(
    ("of_settings", "typed", "until", "status"),
    [
        (60, None, "10:07:20", OrderStatus.CANCELLED),
        (60, 600, "10:10", OrderStatus.SUBMITTED),
        (60, 600, "10:16:30", OrderStatus.CANCELLED),
        (0, None, "10:30", OrderStatus.SUBMITTED),
    ],
)
def test_a_typed_time_goes_before_that_of_the_settings(
    of_settings: int, typed: int | None, until: str, status: OrderStatus
) -> None:
    """EX-07: 0 is never"""
    dump = RICH.model_dump(mode="json")
    house = a_rich_house(Settings.model_validate({**dump, "orders": {"ttl_seconds": of_settings}}))
    waits(house, replace(AWAY, ttl_seconds=typed))

    assert house.until(until).entry.status is status


def test_an_entry_filled_in_time_stays() -> None:
    """EX-07: already filled, nothing changes"""
    house = a_rich_house()
    house.presses(replace(a_typed_buy("2"), ttl_seconds=120))
    house.opens_ticket()
    house.until("10:06:02")
    house.confirms()
    house.until("10:15")

    assert (house.entry.status, house.held()) == (OrderStatus.FILLED, "2")
    assert house.facts(CancelRequested) == []


def test_a_failed_cancel_at_the_end_is_tried_again() -> None:
    """EX-07"""
    house = a_rich_house()
    waits(house, replace(AWAY, ttl_seconds=60))
    house.line.breaks_at(CancelOrder, arrives=False, times=2)
    house.until("10:07:03")
    while_it_fails = house.entry.status

    house.until("10:07:40")

    assert while_it_fails is OrderStatus.SUBMITTED
    assert len(house.facts(CancelFailed)) == 2
    assert house.entry.status is OrderStatus.CANCELLED


def test_a_replaced_entry_keeps_its_end() -> None:
    """EX-07: a change is no second life"""
    house = a_rich_house()
    waits(house, replace(AWAY, ttl_seconds=300))
    ends = house.entry.expires_at
    house.presses(EditOrder(house.entry.id, Quantity(Decimal(2)), Price(Decimal("95.50")), None))
    house.opens_ticket()
    house.until("10:07:02")
    house.confirms()
    house.until("10:07:10")

    (working,) = house.desk.ledger.working_entries()
    assert working.request.limit_price == Decimal("95.50")
    assert working.expires_at == ends


def test_an_invalid_time_is_refused(snapshot: SnapshotAssertion) -> None:
    """EX-07"""
    house = a_rich_house()
    for seconds in (0, -5, 86_401):
        house.presses(replace(AWAY, ttl_seconds=seconds))

    assert house.desk.stage.proposals() == ()
    assert [skipped.reasons for skipped in house.facts(ProposalSkipped)] == snapshot


def test_the_end_of_the_time_survives_a_restart() -> None:
    """EX-07, EX-20"""
    house = a_rich_house()
    waits(house, replace(AWAY, ttl_seconds=60))

    house = house.restarted().until("10:08")

    assert house.entry.status is OrderStatus.CANCELLED
