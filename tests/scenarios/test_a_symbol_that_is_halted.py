"""A halt of trading is heard, recorded and shown; nothing is opened in the symbol, and an exit is warned of (MD-06)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core.facts import ProposalSkipped, TradingHalted, TradingResumed
from core.market.alpaca.wire import read_status
from core.messages.commands import ProposeClose
from core.messages.inputs import MarketDataBroken, TradingHaltHeard
from core.model.staging import CheckResult
from core.model.values import Symbol
from core.views import HALTED
from core.views.builders.desk import ViewBuilder
from tests.scenarios.house import (
    STEADY,
    House,
    a_day,
    a_house_in_a_position,
    a_house_with_a_proposal,
    assert_can_be_rebuilt,
)
from tests.unit.core.brokers.trading_floor import IBM, SPY, at

NEWS = "Trading Halt, News Pending"


def is_told(house: House, symbol: Symbol = SPY, *, is_halted: bool = True, words: str = NEWS) -> House:
    status = TradingHaltHeard(symbol, is_halted, house.line.at, words)
    house.line.take(house.line.at, status)
    return house


def verdict(house: House) -> tuple[CheckResult, str]:
    (found,) = (v for v in house.ticket.review.verdicts if v.check == "trading halt")
    return found.standing, found.reason


def test_an_entry_in_a_halted_symbol_is_refused_with_the_reason() -> None:
    """MD-06, RK-01"""
    house = House(a_day(("10:06", "10:30", STEADY))).opens().until("10:05:30")
    is_told(house)
    house.until("10:06")

    (skipped,) = house.facts(ProposalSkipped)
    reason = "SPY is halted since 10:05:30 New York (Trading Halt, News Pending): it would wait until it trades again"
    assert any(reason in text for text in skipped.reasons)
    assert_can_be_rebuilt(house)


def test_a_halt_between_the_proposal_and_its_key_refuses_it() -> None:
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


def test_an_exit_from_a_halted_symbol_is_warned_and_goes_all_the_same() -> None:
    """MD-06, RK-22"""
    house = a_house_in_a_position()
    is_told(house)
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    house.until_moment(house.line.at + timedelta(seconds=2))

    standing, reason = verdict(house)
    assert standing is CheckResult.WARNS
    assert "it would wait until it trades again, at whatever price that is" in reason
    assert house.ticket.review.passes


def test_a_halt_is_recorded_once_and_ends_by_the_exchanges_word() -> None:
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
    assert_can_be_rebuilt(house)


def test_a_minute_that_traded_after_the_halt_ends_it_where_the_word_was_not_heard() -> None:
    """MD-06: nothing stays shut for a message that was lost; the minute in which the halt came ends nothing."""
    house = House(a_day(("10:06", "10:30", STEADY))).opens().until("10:00:30")
    is_told(house)
    house.until("10:01:00")
    assert SPY in house.desk.normaliser.state.halted

    house.until("10:02:00")

    (over,) = house.facts(TradingResumed)
    assert over == TradingResumed(SPY, "its minute 10:01 New York has traded")


def test_a_restart_still_knows_the_halt() -> None:
    """MD-06, SP-05"""
    house = House(a_day(("10:06", "10:30", STEADY))).opens().until("10:00:30")
    is_told(house, IBM)

    assert IBM in house.restarted().desk.normaliser.state.halted


def test_its_rows_say_so() -> None:
    """MD-06: position, stop and proposal."""
    house = a_house_in_a_position()
    is_told(house)
    house.presses(ProposeClose(SPY))
    view = ViewBuilder(house.engine).draw(house.line.at)

    (position,) = view.positions
    assert position.halted.endswith("New York, Trading Halt, News Pending")
    assert view.proposals[0].halted == position.halted
    working = [row for row in view.orders if not row.status.is_terminal]
    assert working
    assert all(HALTED in row.marks for row in working)
    assert any("SPY is HALTED by its exchange: Trading Halt, News Pending" in line.text for line in view.log)


# ── what the stream says ─────────────────────────────────────────────────────────────────────────────────────────────

RAW: dict[str, Any] = {"sm": "Trading Halt", "rc": "T1", "rm": "News Pending", "t": "2026-11-19T15:00:00Z"}


@pytest.mark.parametrize(
    ("code", "words", "is_halted"),
    [
        ("H", "Trading Halt", True),
        ("P", "Volatility Trading Pause", True),
        ("2", "Trading Halt", True),
        ("Q", "Quotation Resumption", True),
        ("T", "Trading Resumption", False),
        ("3", "Resume", False),
        ("Z9", "Trading Pause of a new kind", True),
    ],
)
def test_each_code_of_the_tapes_is_read(code: str, words: str, is_halted: bool) -> None:
    """MD-06, MD-07: an unknown one halts where its words do."""
    found = read_status(SPY, {**RAW, "sc": code, "sm": words, "rm": ""}, "test")

    assert found == TradingHaltHeard(SPY, is_halted, at("10:00"), words)


def test_what_is_neither_a_halt_nor_its_end_changes_nothing_and_what_nobody_knows_is_said() -> None:
    """MD-06, MD-07"""
    assert read_status(SPY, {**RAW, "sc": "E", "sm": "Short Sale Restriction"}, "test") is None
    unknown = read_status(SPY, {**RAW, "sc": "x", "sm": "Something"}, "test")
    assert isinstance(unknown, MarketDataBroken)
    assert "SPY status: 'x' (Something, News Pending) is not known" in unknown.reason
    assert isinstance(read_status(SPY, {"sc": "H"}, "test"), MarketDataBroken)
    assert isinstance(read_status(SPY, 7, "test"), MarketDataBroken)
