"""A short sale at a limit under the bid fills at the bid: it is measured there, and its stop must be beyond it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.facts import ConfirmationRefused, OrderCreated, OrderFilled
from core.model.order import Effect
from core.settings.settings import Settings
from tests.scenarios.house import House, a_typed_buy, assert_can_be_rebuilt, minutes


def a_house(notional: str = "50", **risk: object) -> House:
    """It is 10:05, a share costs 100, and 10,000 USD are lent twice."""
    terms = {"max_notional": {"usd": notional}, "per_trade": {"usd": "500"}, "window_end": "15:30", **risk}
    house = House(
        minutes("09:55", "10:15"),
        Settings.model_validate({"risk": terms, "strategies": {"vwap": {"enabled": False}}}),
        cash=Decimal(10_000),
        multiplier=Decimal(2),
    )
    return house.opens().until("10:05")


def shorts(house: House, limit: str, stop: str, quantity: str = "1") -> None:
    house.presses(replace(a_typed_buy(quantity, limit=limit, stop=stop), effect=Effect.SHORT))


@pytest.mark.usefixtures("a_tick_each_way")
def test_short_limit_is_measured_at_the_bid(snapshot: SnapshotAssertion) -> None:
    """EX-11, OP-06: 100 USD were sold under a cap of 50, with a stop at 55 that had been passed."""
    house = a_house()

    shorts(house, "50", stop="55")

    house.confirms_at("10:06")
    house.until("10:10")

    refused = house.last(ConfirmationRefused)
    assert {"stop", "notional"} <= set(refused.checks)
    assert refused.reasons == snapshot
    assert house.facts(OrderCreated) == []


@pytest.mark.usefixtures("a_tick_each_way")
def test_buy_filling_under_its_stop_is_refused(snapshot: SnapshotAssertion) -> None:
    """OP-06: a limit of 150 pays 100.01, and a stop at 120 trades at once."""
    house = a_house("500")

    house.presses(a_typed_buy("1", limit="150", stop="120"))

    house.confirms_at("10:06")
    house.until("10:10")

    assert house.last(ConfirmationRefused).checks == ("stop",)
    assert house.last(ConfirmationRefused).reasons == snapshot
    assert house.facts(OrderCreated) == []


@pytest.mark.usefixtures("a_tick_each_way")
def test_short_ticket_names_the_fill_price() -> None:
    """OP-03"""
    house = a_house("500")
    shorts(house, "95.00", stop="101")

    house.opens_ticket()
    house.until("10:05:02")
    figures = house.ticket.figures
    house.confirms()
    house.until("10:05:03")
    entry = house.facts(OrderCreated)[0]

    assert (figures.cost, figures.worst_loss) == (Decimal("99.99"), Decimal("6.00"))
    assert entry.counted_at == Decimal("99.99")


def test_a_short_limit_that_passes_fills_at_the_bid_with_its_stop_beyond_it() -> None:
    """OP-06, EX-11"""
    house = a_house("500")

    shorts(house, "95.00", stop="101")
    house.confirms_at("10:06")
    house.until("10:10")

    assert house.last(OrderFilled).fill.price >= Decimal("95.00")
    assert house.held() == "-1"
    assert [stop.request.stop_price for stop in house.stops if stop.is_working] == [Decimal(101)]
    assert_can_be_rebuilt(house)
