"""An instrument of which each counts a hundred times its price: two of it are two hundred shares, in every figure."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from core.facts import OrderCreated, ProposalSkipped, TradeClosed
from core.messages.commands import ProposeClose
from core.model.instrument import BrokerInstrument, share
from core.model.order import InstrumentOrder, OrderRequest
from core.model.position import InstrumentTrade, Trade
from core.model.values import Symbol
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from tests.scenarios.house import STEADY, House, a_typed_buy, assert_can_be_rebuilt, minutes
from tests.unit.core.brokers.trading_floor import SPY

BIG = BrokerInstrument(SPY, multiplier=Decimal(100))
LIMITS = {
    "risk": {
        "per_trade": {"usd": "100"},
        "max_notional": {"usd": "30000"},
        "sizing": {"budget": "0.05"},
        "portfolio": {"max_exposure": "2", "reserve": "1000"},
    }
}
WORTH = "100000"
DAY = (*minutes("09:30", "10:05", "99.60"), *minutes("10:06", "10:20", STEADY), *minutes("10:21", "10:40", "100.10"))


def a_house(instruments: dict[Symbol, BrokerInstrument] | None) -> House:
    cash = {"cash": Decimal(WORTH), "multiplier": Decimal(2)}
    house = House(DAY, Settings.model_validate(LIMITS), instruments=instruments, **cash)
    return house.opens().until("10:06")


def of_shares() -> House:
    return a_house(None)


def of_a_hundred() -> House:
    return a_house({SPY: BIG})


def with_a_ticket(house: House, quantity: str) -> House:
    house.presses(a_typed_buy(quantity))
    house.opens_ticket()
    house.until("10:06:02")
    return house


def in_a_position(house: House, quantity: str) -> House:
    with_a_ticket(house, quantity).confirms()
    return house.until("10:12")


def closed(house: House) -> House:
    house.until("10:25").presses(ProposeClose(SPY))
    house.opens_ticket()
    house.until("10:25:02").confirms()
    return house.until("10:30")


def test_its_order_names_the_instrument() -> None:
    """MD-07, SP-07"""
    few, many = with_a_ticket(of_a_hundred(), "2"), with_a_ticket(of_shares(), "200")

    assert type(few.ticket.order) is InstrumentOrder
    assert few.ticket.order.instrument == BIG.terms
    assert type(many.ticket.order) is OrderRequest
    assert many.ticket.order.instrument == share(SPY)


def test_two_cost_what_two_hundred_shares_do() -> None:
    """OP-03, RK-01: cost, loss at the stop, share of equity, buying power, and every check that weighs money"""
    few, many = with_a_ticket(of_a_hundred(), "2"), with_a_ticket(of_shares(), "200")
    by_number = {"quantity", "tradable"}

    assert few.ticket.figures == many.ticket.figures
    assert few.ticket.figures.cost == Decimal(19_920)
    assert few.ticket.figures.worst_loss == 60
    assert [v for v in few.ticket.review.verdicts if v.check not in by_number] == [
        v for v in many.ticket.review.verdicts if v.check not in by_number
    ]
    assert few.ticket.review.passes


@pytest.mark.parametrize(("quantity", "shares"), [("3.405", "340.5"), ("8", "800")])
def test_too_many_are_refused_as_so_many_shares(quantity: str, shares: str) -> None:
    """RK-02, RK-10, RK-16, RK-21: and the size that would pass is a hundredth"""
    few, many = of_a_hundred(), of_shares()
    few.presses(a_typed_buy(quantity))
    many.presses(a_typed_buy(shares))

    refused = [
        dict(zip(fact.checks, fact.reasons, strict=True))
        for fact in (few.last(ProposalSkipped), many.last(ProposalSkipped))
    ]
    assert refused[0].keys() == refused[1].keys() != set()
    for check, reason in refused[0].items():
        assert re.sub(r"[0-9.]+ would pass", "", reason) == re.sub(r"[0-9.]+ would pass", "", refused[1][check])
    passing = [list(map(Decimal, re.findall(r"([0-9.]+) would pass", " ".join(told.values())))) for told in refused]
    step = 100 if quantity == "8" else Decimal("0.1")
    assert (
        [0 <= whole - 100 * part < step for part, whole in zip(*passing, strict=True)] == [True] * len(passing[0]) != []
    )


def test_the_position_counts_as_so_many_shares() -> None:
    """EX-08, RK-16, RK-21"""
    few, many = in_a_position(of_a_hundred(), "2"), in_a_position(of_shares(), "200")
    views = [ViewBuilder(house.engine).draw(house.line.at) for house in (few, many)]
    rows = [view.positions[0] for view in views]
    accounts = [house.exchange.account(house.line.at) for house in (few, many)]

    assert [row.quantity for row in rows] == [2, 200]
    assert (rows[0].average_price, rows[0].profit, rows[0].result_in_risk) == (
        rows[1].average_price,
        rows[1].profit,
        rows[1].result_in_risk,
    )
    assert views[0].status.at_risk == views[1].status.at_risk
    assert accounts[0] == accounts[1]
    assert few.desk.ledger.positions()[0].cost == many.desk.ledger.positions()[0].cost
    assert few.stops[0].request.instrument == BIG.terms


def test_the_trade_makes_what_so_many_shares_do() -> None:
    """EX-18, AN-04, SP-03"""
    few, many = closed(in_a_position(of_a_hundred(), "2")), closed(in_a_position(of_shares(), "200"))
    trades = [house.last(TradeClosed).trade for house in (few, many)]

    assert [type(trade) for trade in trades] == [InstrumentTrade, Trade]
    assert (trades[0].profit, trades[0].slippage) == (trades[1].profit, trades[1].slippage)
    assert (trades[0].entry_price, trades[0].exit_price) == (trades[1].entry_price, trades[1].exit_price)
    assert trades[0].profit == few.exchange.account(few.line.at).cash - Decimal(WORTH) > 0
    assert few.desk.protections.state == many.desk.protections.state
    assert {type(fact.order) for fact in few.facts(OrderCreated)} == {InstrumentOrder}
    assert_can_be_rebuilt(few)
