"""The regular session, extended hours and halts: what is refused, and what still goes (RK-20, MD-06)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from core.facts import ProposalSkipped, TradingHalted, TradingResumed
from core.market.alpaca.parsing import read_status
from core.messages.commands import Decline, ProposeClose
from core.messages.inputs import MarketDataBroken, TradingHaltHeard
from core.model.staging import CheckResult
from core.model.values import Symbol
from core.settings.settings import Settings
from core.views import HALTED
from core.views.builders.desk import ViewBuilder
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.house import (
    STEADY,
    House,
    a_day,
    a_house_in_a_position,
    a_house_with_a_proposal,
    a_typed_buy,
    minutes,
)
from tests.unit.core.brokers.trading_floor import IBM, SPY, THURSDAY, at

FRIDAY, NEXT_MONDAY = date(2026, 11, 20), date(2026, 11, 30)
EVE, THANKSGIVING, HALF_DAY = date(2026, 11, 25), date(2026, 11, 26), date(2026, 11, 27)


def a_house(policy: str, *days: date) -> House:
    settings = Settings.model_validate(
        {
            "risk": {"session": {"policy": policy}, "window_start": "00:00", "window_end": "23:59"},
            "strategies": {"vwap": {"enabled": False}},
        }
    )
    bars = [bar for day in days for bar in minutes("09:30", "10:20", "100", day)]
    return House(bars, settings, cash=Decimal(2000)).opens()


def refused_at(house: House, clock: str, day: date, quantity: str = "0.2") -> tuple[str, ...]:
    """Why a typed buy is not staged then."""
    house.until(clock, day)
    before = len(house.facts(ProposalSkipped))
    house.presses(a_typed_buy(quantity, limit="100.10", stop="99.80"))
    skipped = house.facts(ProposalSkipped)[before:]
    return skipped[0].reasons if skipped else ()


def test_regular_hours_close_the_market_outside(snapshot: SnapshotAssertion) -> None:
    """RK-20: the default."""
    house = a_house("regular_only", THURSDAY, FRIDAY)

    open_ = refused_at(house, "10:05", THURSDAY)
    closed = [refused_at(house, *when) for when in (("17:00", THURSDAY), ("08:00", FRIDAY))]

    assert open_ == ()
    assert closed == snapshot


HOURS = {
    THURSDAY: (
        ("15:59", THURSDAY, True),
        ("16:00", THURSDAY, True),
        ("20:00", THURSDAY, False),
        ("03:59", FRIDAY, False),
        ("04:00:01", FRIDAY, True),
    ),
    EVE: (("12:00", THANKSGIVING, False), ("13:00", HALF_DAY, True), ("17:00", HALF_DAY, False)),
}


@pytest.mark.parametrize("first", HOURS)
def test_extended_hours_take_a_limit_order(first: date, snapshot: SnapshotAssertion) -> None:
    """RK-20: after the close, at night, before the open, on Thanksgiving, and after a half day."""
    house = a_house("include_extended", first, NEXT_MONDAY)

    for clock, day, is_taken in HOURS[first]:
        refused = refused_at(house, clock, day)

        assert (refused == (), refused) == (is_taken, snapshot)
        staged = house.desk.stage.proposals()
        assert [proposal.order.extended_hours for proposal in staged] == ([clock != "15:59"] if is_taken else [])
        for proposal in staged:
            house.presses(Decline(proposal.id, "no"))


def test_extended_hours_halve_the_largest_order(snapshot: SnapshotAssertion) -> None:
    """RK-20: 50 USD are the most of a regular order, 25 then; both reasons are told."""
    house = a_house("include_extended", THURSDAY, FRIDAY).until("17:00")
    house = house.restarted()

    small, large = (refused_at(house, "17:05", THURSDAY, size) for size in ("0.2", "0.3"))

    assert small == ()
    assert large == snapshot
    assert refused_at(house, "10:05", FRIDAY, "0.3") == ()


def test_a_position_can_be_closed_at_any_hour() -> None:
    """RK-20, RK-22: it is staged in the evening, and sold when the market opens."""
    house = a_house("include_extended", THURSDAY, FRIDAY)
    house.until("10:05")
    house.presses(a_typed_buy("0.2", limit="100.10", stop="99.80"))
    confirms_now(house)
    passes(house, 60)
    assert house.held() == "0.2"

    house.until("17:00")
    house.presses(ProposeClose(SPY))

    assert [proposal.is_guard for proposal in house.desk.stage.proposals()] == [True, False]  # its stop ended at 16:00
    house.until("09:30", FRIDAY)
    confirms_now(house)
    passes(house, 60)
    assert house.held() == "0"


NEWS = "Trading Halt, News Pending"


def is_told(house: House, symbol: Symbol = SPY, *, is_halted: bool = True, words: str = NEWS) -> House:
    status = TradingHaltHeard(symbol, is_halted, house.line.at, words)
    house.line.take(house.line.at, status)
    return house


def verdict(house: House) -> tuple[CheckResult, str]:
    (found,) = (v for v in house.ticket.review.verdicts if v.check == "trading halt")
    return found.standing, found.reason


def test_entry_in_a_halted_symbol_is_refused(snapshot: SnapshotAssertion) -> None:
    """MD-06, RK-01"""
    house = House(a_day(("10:06", "10:30", STEADY))).opens().until("10:05:30")
    is_told(house)
    house.until("10:06")

    (skipped,) = house.facts(ProposalSkipped)
    assert skipped.checks == ("trading halt",)
    assert skipped.reasons == snapshot


def test_halt_before_the_key_refuses_the_entry() -> None:
    """MD-06, OP-02"""
    house = a_house_with_a_proposal()
    is_told(house)
    house.opens_ticket()
    house.until("10:06:02")

    standing, reason = verdict(house)
    assert standing is CheckResult.REFUSES
    assert "News Pending" in reason
    house.confirms()
    house.until("10:06:30")
    assert house.held() == "0"


def test_exit_in_a_halted_symbol_is_only_warned(snapshot: SnapshotAssertion) -> None:
    """MD-06, RK-22"""
    house = a_house_in_a_position()
    is_told(house)
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    house.until_moment(house.line.at + timedelta(seconds=2))

    standing, reason = verdict(house)
    assert standing is CheckResult.WARNS
    assert reason == snapshot
    assert house.ticket.review.passes


def test_halt_is_recorded_once_until_resumed() -> None:
    """MD-06"""
    house = House(a_day(("10:06", "10:30", STEADY))).opens().until("10:00")
    for _ in range(3):
        is_told(house)
    is_told(house, IBM)
    is_told(house, is_halted=False, words="Trading Resumption")
    is_told(house, is_halted=False, words="Trading Resumption")

    assert [fact.halt.symbol for fact in house.facts(TradingHalted)] == [SPY, IBM]
    assert house.facts(TradingResumed) == [TradingResumed(SPY, "Trading Resumption")]
    assert set(house.desk.normaliser.state.halted) == {IBM}


def test_traded_minute_ends_the_halt(snapshot: SnapshotAssertion) -> None:
    """MD-06: nothing stays shut for a message that was lost; the minute in which the halt came ends nothing."""
    house = House(a_day(("10:06", "10:30", STEADY))).opens().until("10:00:30")
    is_told(house)
    house.until("10:01:00")
    assert SPY in house.desk.normaliser.state.halted

    house.until("10:02:00")

    (over,) = house.facts(TradingResumed)
    assert over == snapshot


def test_halt_survives_a_restart() -> None:
    """MD-06, SP-05"""
    house = House(a_day(("10:06", "10:30", STEADY))).opens().until("10:00:30")
    is_told(house, IBM)

    assert IBM in house.restarted().desk.normaliser.state.halted


def test_halt_is_shown_in_its_rows(snapshot: SnapshotAssertion) -> None:
    """MD-06: position, stop and proposal."""
    house = a_house_in_a_position()
    is_told(house)
    house.presses(ProposeClose(SPY))
    view = ViewBuilder(house.engine).draw(house.line.at)

    (position,) = view.positions
    assert position.halted == snapshot
    assert view.proposals[0].halted == position.halted
    working = [row for row in view.orders if not row.status.is_terminal]
    assert working
    assert all(HALTED in row.marks for row in working)
    assert [line.text for line in view.log if "HALTED" in line.text] == snapshot


RAW: dict[str, Any] = {"sm": "Trading Halt", "rc": "T1", "rm": "News Pending", "t": "2026-11-19T15:00:00Z"}


def test_each_status_code_is_read() -> None:
    """MD-06, MD-07: an unknown one halts where its words do."""
    for code, words, is_halted in (
        ("H", "Trading Halt", True),
        ("P", "Volatility Trading Pause", True),
        ("2", "Trading Halt", True),
        ("Q", "Quotation Resumption", True),
        ("T", "Trading Resumption", False),
        ("3", "Resume", False),
        ("Z9", "Trading Pause of a new kind", True),
    ):
        found = read_status(SPY, {**RAW, "sc": code, "sm": words, "rm": ""}, "test")

        assert found == TradingHaltHeard(SPY, is_halted, at("10:00"), words), code


def test_unknown_status_is_reported_as_broken(snapshot: SnapshotAssertion) -> None:
    """MD-06, MD-07"""
    assert read_status(SPY, {**RAW, "sc": "E", "sm": "Short Sale Restriction"}, "test") is None
    unknown = read_status(SPY, {**RAW, "sc": "x", "sm": "Something"}, "test")
    assert isinstance(unknown, MarketDataBroken)
    assert unknown.reason == snapshot
    assert isinstance(read_status(SPY, {"sc": "H"}, "test"), MarketDataBroken)
    assert isinstance(read_status(SPY, 7, "test"), MarketDataBroken)
