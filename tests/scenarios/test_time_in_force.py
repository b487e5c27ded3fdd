"""How long a typed order may wait at the broker: as it was typed, on the ticket, in the digest, on the wire."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.facts import OrderCreated, ProposalSkipped
from core.model.order import Effect, OrderType, TimeInForce
from core.model.values import Price, Quantity
from core.settings import Settings
from tests.scenarios.house import House, a_typed_buy, minutes

RICH = Settings.model_validate({"risk": {"max_notional": {"usd": 5000}, "per_trade": {"usd": 50}}})


def a_rich_house() -> House:
    return (
        House(minutes("09:30", "10:30", "99.60 99.61 99.58 99.60"), RICH, cash=Decimal(10_000)).opens().until("10:06")
    )


@pytest.mark.parametrize("time_in_force", [TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC])
def test_a_whole_order_reaches_the_broker_as_it_was_typed(time_in_force: TimeInForce) -> None:
    """OP-02, EX-11"""
    house = a_rich_house()

    house.presses(replace(a_typed_buy("2", limit="99.60"), time_in_force=time_in_force))
    house.opens_ticket()
    house.until("10:06:02")
    assert house.ticket.order.time_in_force is time_in_force
    house.confirms()
    house.until("10:06:05")

    assert house.facts(OrderCreated)[0].order.time_in_force is time_in_force
    assert house.notebook.records[0]["time_in_force"] == time_in_force.value


def test_a_fraction_is_for_the_day_alone() -> None:
    """EX-11"""
    house = a_rich_house()

    house.presses(replace(a_typed_buy("0.5"), time_in_force=TimeInForce.GTC))

    assert house.last(ProposalSkipped).reasons == ("quantity: a fractional order is good for the day only",)


def test_an_entry_beyond_today_has_a_stop_that_lasts_as_long() -> None:
    """OP-06, EX-12: the broker makes both in one request, good till cancelled"""
    house = a_rich_house()
    house.presses(replace(a_typed_buy("2"), time_in_force=TimeInForce.GTC))
    house.opens_ticket()
    house.until("10:06:02")
    house.confirms()
    house.until("10:07")

    assert [(stop.request.time_in_force, stop.request.quantity) for stop in house.stops] == [(TimeInForce.GTC, 2)]
    assert house.held() == "2"


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
