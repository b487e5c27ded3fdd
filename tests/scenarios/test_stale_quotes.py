"""A desk that ran on refuses nothing at staging by a quote of long ago: one that was started again would stage it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.facts import OrderCreated, ProposalStaged
from core.messages.commands import ProposeOrder
from core.messages.inputs import QuoteArrived
from core.model.order import Effect, OrderType
from core.model.values import Price
from core.settings.settings import Settings
from tests.scenarios.house import House, a_typed_buy, minutes
from tests.unit.core.brokers.trading_floor import a_quote

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
