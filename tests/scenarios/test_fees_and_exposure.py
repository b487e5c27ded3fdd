"""Fees and contract multipliers: trades, protections and measures are counted with them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import cache
from statistics import fmean

import pytest
from syrupy.assertion import SnapshotAssertion

from core.event_text import in_words
from core.facts import OrderCreated, OrderFilled, ProposalSkipped, ProtectionTripped, TradeClosed
from core.messages.commands import Command, Confirm, OpenTicket, ProposeClose
from core.model.instrument import BrokerInstrument, share
from core.model.order import Effect, InstrumentOrder, OrderRequest
from core.model.position import InstrumentTrade, Trade
from core.model.values import Symbol
from core.runtime.backtest import Backtest, report_of
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from tests.scenarios.house import (
    RECOVERY,
    STEADY,
    House,
    a_house_with_a_proposal,
    a_typed_buy,
    assert_can_be_rebuilt,
    minutes,
)
from tests.unit.core.brokers.trading_floor import IBM, SPY, THURSDAY, at

THEN = (("10:06", "10:09", STEADY), ("10:10", "10:10", RECOVERY), ("10:11", "10:30", "100"))
COOLDOWN = {"risk": {"protections": {"cooldown": {"enabled": True, "loss": "0.001"}}}}


def a_trade(fee: str, settings: Settings | None = None) -> House:
    """0.502 shares are bought in the dip and sold by vwap's own rule when the price has come back."""
    house = a_house_with_a_proposal(*THEN, fee_per_share=Decimal(fee), **({"settings": settings} if settings else {}))
    house.confirms_at("10:06:02")
    house.until("10:11:01")
    house.opens_ticket()
    house.until("10:11:03")
    house.confirms()
    house.until("10:12")
    assert house.held() == "0"
    return house


def test_a_trades_profit_is_the_change_in_equity(snapshot: SnapshotAssertion) -> None:
    """AN-04, EX-18: its profit left the fees out."""
    house = a_trade("0.10")

    trade = house.last(TradeClosed).trade

    assert [fact.fill.fee for fact in house.facts(OrderFilled)] == [Decimal("0.05020")] * 2
    assert trade.fees == Decimal("0.1004")
    assert trade.profit == house.exchange.account(house.line.at).cash - Decimal(200)
    assert in_words(house.last(TradeClosed)) == snapshot
    assert house.desk.ledger.result_of(THURSDAY, {}) == trade.profit


def test_a_gain_below_its_fees_counts_as_a_loss() -> None:
    """RK-06: 0.20 USD of gain, 2.01 of fees."""
    pauses = Settings.model_validate(COOLDOWN)

    without, with_fees = a_trade("0", pauses), a_trade("2", pauses)

    assert without.last(TradeClosed).trade.profit > 0
    assert with_fees.last(TradeClosed).trade.profit < 0
    assert [fact.name for fact in without.facts(ProtectionTripped)] == []
    assert "cooldown" in [fact.name for fact in with_fees.facts(ProtectionTripped)]


def test_the_desk_shows_profit_and_fees() -> None:
    """AN-03"""
    house = a_trade("0.10")

    (row,) = ViewBuilder(house.engine).draw(house.line.at).trades

    assert (row.fees, row.profit) == (Decimal("0.1004"), house.last(TradeClosed).trade.profit)


class Script:
    """Presses keys at their times: typed orders, then each proposal's ticket, then each ticket's key."""

    def __init__(self, house: House, *typed: Command) -> None:
        desk = house.desk
        self.acts = [
            (at("10:00"), lambda: list(typed)),
            (at("10:01"), lambda: [OpenTicket(p.id) for p in desk.stage.proposals()]),
            (at("10:02"), lambda: [_key(t) for t in desk.stage.state.tickets.values()]),
        ]

    def next_at(self) -> datetime | None:
        return self.acts[0][0] if self.acts else None

    def press(self, at: datetime) -> Iterable[Command]:
        return self.acts.pop(0)[1]() if self.acts and self.acts[0][0] <= at else []


def _key(ticket: object) -> Confirm:
    return Confirm(ticket.id, ticket.digest, ticket.order.effect)  # type: ignore[attr-defined]


@cache
def a_backtest_that_holds_both_ways(fee: str = "0") -> tuple[House, Backtest]:
    """Ten bought and ten sold short at 100, and nobody closes them."""
    risk = {
        "max_notional": {"usd": "2000"}, "per_trade": {"usd": "100"}, "max_open_positions": 2, "entries_a_day": 5,
        "window_end": "15:30",
        "daily_loss": {"usd": "5000"}, "weekly_loss": {"usd": "5000"}, "sizing": {"budget": "1"},
    }  # fmt: skip
    table = {"risk": risk, "symbols": ["SPY", "IBM"], "strategies": {"vwap": {"enabled": False}}}
    bars = [*minutes("09:30", "10:30"), *minutes("09:30", "10:30", symbol=IBM)]
    rules = {"cash": Decimal(10_000), "multiplier": Decimal(2), "fee_per_share": Decimal(fee)}
    house = House(bars, Settings.model_validate(table), **rules)
    buy = a_typed_buy("10", limit=None, stop="95")
    house.line.operator = Script(house, buy, replace(buy, symbol=IBM, effect=Effect.SHORT, stop_price=Decimal(105)))  # type: ignore[arg-type]
    backtest = Backtest(house.line, [house.calendar.session_on(THURSDAY)], is_daily=False)  # type: ignore[list-item]
    backtest.run(lambda _over, _all: None)
    held = {Symbol(p.symbol): p.quantity for p in house.desk.ledger.positions()}
    assert held == {SPY: 10, IBM: -10}
    return house, backtest


def test_mean_exposure_adds_long_and_short() -> None:
    """AN-01: ten bought and ten sold short at 100 are 2,000 USD, and were told as none."""
    _, backtest = a_backtest_that_holds_both_ways()

    assert [round(day.exposure) for day in backtest.series] == [0, 2000]
    assert report_of(backtest, "")["metrics"]["mean_exposure"] == fmean([0, 2000])  # type: ignore[index]
    assert report_of(backtest, "")["metrics"]["fees"] == 0  # type: ignore[index]


def test_open_positions_bear_fees_of_both_sides() -> None:
    """AN-01, AN-04: twenty shares at 0.10 USD, in and out, are 4 USD less, and were told as none."""
    free, dear = (report_of(a_backtest_that_holds_both_ways(fee)[1], "") for fee in ("0", "0.10"))

    assert [row["fees"] for row in dear["open"]] == ["2", "2"]  # type: ignore[attr-defined]
    profits = zip(free["open"], dear["open"], strict=True)  # type: ignore[call-overload]
    assert [Decimal(before["profit"]) - Decimal(after["profit"]) for before, after in profits] == [2, 2]
    assert (free["metrics"]["fees"], dear["metrics"]["fees"]) == (0, 4)  # type: ignore[index]
    assert round(free["metrics"]["profit"] - dear["metrics"]["profit"], 6) == 4  # type: ignore[index]


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
