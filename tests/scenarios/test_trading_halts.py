"""A halt of trading is heard, recorded and shown; nothing is opened in the symbol, and an exit is warned of (MD-06)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from syrupy.assertion import SnapshotAssertion

from core.facts import ProposalSkipped, TradingHalted, TradingResumed
from core.market.alpaca.wire import read_status
from core.messages.commands import ProposeClose
from core.messages.inputs import MarketDataBroken, TradingHaltHeard
from core.model.staging import CheckResult
from core.model.values import Symbol
from core.views import HALTED
from core.views.builders.desk import ViewBuilder
from tests.scenarios.house import STEADY, House, a_day, a_house_in_a_position, a_house_with_a_proposal
from tests.unit.core.brokers.trading_floor import IBM, SPY, at

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
