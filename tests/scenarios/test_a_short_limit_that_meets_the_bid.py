"""A short sale at a limit under the bid fills at the bid: it is measured there, and its stop must be beyond it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.facts import ConfirmationRefused, OrderCreated, OrderFilled
from core.model.order import Effect
from core.settings.settings import Settings
from tests.scenarios.house import House, a_typed_buy, assert_can_be_rebuilt, minutes


def a_house(notional: str = "50", **risk: object) -> House:
    """It is 10:05, a share costs 100, and 10,000 USD are lent twice."""
    terms = {"max_notional": {"usd": notional}, "per_trade": {"usd": "500"}, "window_end": "15:30", **risk}
    house = House(
        minutes("09:30", "10:30"),
        Settings.model_validate({"risk": terms, "strategies": {"vwap": {"enabled": False}}}),
        cash=Decimal(10_000),
        multiplier=Decimal(2),
    )
    return house.opens().until("10:05")


def shorts(house: House, limit: str, stop: str, quantity: str = "1") -> None:
    house.presses(replace(a_typed_buy(quantity, limit=limit, stop=stop), effect=Effect.SHORT))


@pytest.mark.usefixtures("a_tick_each_way")
def test_a_short_of_fifty_that_fills_at_a_hundred_is_over_a_cap_of_fifty_and_past_its_stop() -> None:
    """EX-11, OP-06: 100 USD were sold under a cap of 50, with a stop at 55 that had been passed."""
    house = a_house()

    shorts(house, "50", stop="55")

    house.confirms_at("10:06")
    house.until("10:10")

    reasons = house.last(ConfirmationRefused).reasons
    assert "stop: the stop 55.00 is on the wrong side of 99.99; move it to the other" in reasons
    assert any(reason.startswith("notional: 99.99 USD is over 50.00 USD an order") for reason in reasons)
    assert house.facts(OrderCreated) == []


@pytest.mark.usefixtures("a_tick_each_way")
def test_a_buy_that_would_fill_under_its_stop_is_refused() -> None:
    """OP-06: a limit of 150 pays 100.01, and a stop at 120 trades at once."""
    house = a_house("500")

    house.presses(a_typed_buy("1", limit="150", stop="120"))

    house.confirms_at("10:06")
    house.until("10:10")

    assert house.last(ConfirmationRefused).reasons == (
        "stop: the stop 120.00 is on the wrong side of 100.01; move it to the other",
    )
    assert house.facts(OrderCreated) == []


@pytest.mark.usefixtures("a_tick_each_way")
def test_the_ticket_of_a_short_limit_and_its_order_say_what_it_fills_at() -> None:
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
