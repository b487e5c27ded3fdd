"""What the broker takes is lost: trades, protections and measures are less by it; what is exposed is long and short."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import cache
from statistics import fmean

from syrupy.assertion import SnapshotAssertion

from core.event_text import in_words
from core.facts import OrderFilled, ProtectionTripped, TradeClosed
from core.messages.commands import Command, Confirm, OpenTicket
from core.model.order import Effect
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
