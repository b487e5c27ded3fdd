"""An entry is measured at the price that it would fill at now: the bid of a short, and no quote of long ago."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.facts import ConfirmationRefused, OrderCreated, OrderFilled, ProposalStaged
from core.messages.commands import ProposeOrder
from core.messages.inputs import QuoteArrived
from core.model.order import Effect, OrderType
from core.model.values import Price
from core.settings.settings import Settings
from tests.scenarios.house import House, a_typed_buy, minutes
from tests.unit.core.brokers.trading_floor import a_quote


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


def test_short_limit_fills_at_the_bid() -> None:
    """OP-06, EX-11"""
    house = a_house("500")

    shorts(house, "95.00", stop="101")
    house.confirms_at("10:06")
    house.until("10:10")

    assert house.last(OrderFilled).fill.price >= Decimal("95.00")
    assert house.held() == "-1"
    assert [stop.request.stop_price for stop in house.stops if stop.is_working] == [Decimal(101)]


TERMS = {"max_notional": {"usd": "120"}, "per_trade": {"usd": "15"}, "window_end": "15:30"}
MARKET_BUY = replace(a_typed_buy("1", limit="100", stop="90"), type=OrderType.MARKET, limit_price=None)
SHORT = replace(a_typed_buy("1", limit="98", stop="112"), effect=Effect.SHORT)
TRIGGER = replace(
    a_typed_buy("1", limit="100", stop="90"), type=OrderType.STOP, limit_price=None, trigger_price=Price(Decimal(101))
)


def a_house_that_ran_on(bid: str, ask: str) -> House:
    """A share costs 100 at 10:05; what was quoted at 09:31 is the last that was heard."""
    house = House(
        minutes("09:30", "10:30"),
        Settings.model_validate({"risk": TERMS, "strategies": {"vwap": {"enabled": False}}}),
        cash=Decimal(10_000),
        multiplier=Decimal(2),
    )
    house.opens().until("09:31")
    house.line.take(house.line.at, QuoteArrived(a_quote("09:31", bid, ask)))
    return house.until("10:05")


@pytest.mark.parametrize("command", [MARKET_BUY, SHORT, TRIGGER], ids=["market", "short limit", "trigger"])
def test_old_quote_refuses_no_entry_at_staging(command: ProposeOrder) -> None:
    """RK-17, EX-11, RK-02: over the largest order, and over the loss of a trade, at 125; at the key it is asked anew"""
    house = a_house_that_ran_on("125.00", "125.02")

    house.presses(command)
    assert len(house.facts(ProposalStaged)) == 1
    house.confirms_at("10:06")
    house.until("10:07")

    assert house.facts(OrderCreated)[0].order.quantity == 1
