"""A wild minute halts its symbol for half an hour, and the market's halts everything; whoever is in gets out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from core.facts import ProposalSkipped, ProtectionExpired, ProtectionTripped
from core.messages.commands import OverrideProtection, ProposeClose, ProposeOrder
from core.messages.inputs import BarArrived
from core.model.values import Symbol
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from core.workflows.protection.protections import WORD
from tests.scenarios.house import House, a_typed_buy, assert_can_be_rebuilt, minutes
from tests.unit.core.brokers.trading_floor import IBM, SPY, at

BY_HAND: dict[str, Any] = {
    "symbols": ["SPY", "IBM"],
    "risk": {"max_open_positions": 5, "entries_a_day": 5},
    "strategies": {"vwap": {"enabled": False}},
}


def a_house_with_a_spike_in(symbol: Symbol, **halt: object) -> House:
    """Both at 100 all morning; at 10:05 one of them is at 96, and stays there."""
    risk = {**BY_HAND["risk"], "protections": {"volatility_halt": halt}}
    calm = IBM if symbol == SPY else SPY
    wild = minutes("09:30", "10:04", symbol=symbol) + minutes("10:05", "11:30", "96", symbol=symbol)
    bars = minutes("09:30", "11:30", symbol=calm) + wild
    return House(bars, Settings.model_validate({**BY_HAND, "risk": risk})).opens()


def a_buy_of(symbol: Symbol, limit: str = "96", stop: str = "95.8") -> ProposeOrder:
    return replace(a_typed_buy(limit=limit, stop=stop), symbol=symbol)


def staged(house: House) -> list[str]:
    return [proposal.symbol for proposal in house.desk.stage.proposals()]


def test_a_wild_symbol_is_halted_for_half_an_hour_over_a_restart_and_no_other_is() -> None:
    """RK-08, RK-09"""
    house = a_house_with_a_spike_in(IBM).until("10:07")

    house.presses(a_buy_of(IBM))
    refused = house.last(ProposalSkipped).reasons
    house.restarted().until("10:35:50")
    house.presses(a_buy_of(IBM))
    after_a_restart = house.last(ProposalSkipped).reasons
    house.presses(a_buy_of(SPY, "100", "99.7"))
    other = staged(house)
    house.until("10:36:30")
    house.presses(a_buy_of(IBM))

    told = "IBM: 30 one-minute returns of IBM deviate by 0.730 %, the limit is 0.600 %"
    assert refused == after_a_restart == (f"volatility halt: {told}, until 10:36 New York",)
    assert other == [SPY]
    assert staged(house) == [SPY, IBM]
    assert house.facts(ProtectionTripped) == [
        ProtectionTripped("volatility_halt", "IBM", told.removeprefix("IBM: "), at("10:36"))
    ]
    assert house.facts(ProtectionExpired) == [ProtectionExpired("volatility_halt", "IBM")]
    assert_can_be_rebuilt(house)


def test_a_desk_that_starts_late_is_halted_by_the_morning_that_it_is_told_again() -> None:
    """RK-08, MD-02: at 10:20 it decides as one that ran since the open."""
    running = a_house_with_a_spike_in(IBM).until("10:20")
    wild = [*minutes("09:30", "10:04", symbol=IBM), *minutes("10:05", "10:19", "96", symbol=IBM)]
    late = House(minutes("10:20", "11:30"), running.settings)
    late.line.at = at("10:20")
    late.opens()
    for bar in [*minutes("09:30", "10:19"), *wild]:
        late.line.take(late.line.at, BarArrived(bar, "history"))

    for house in (running, late):
        house.until("10:20:20")
        house.presses(a_buy_of(IBM))

    halts = [house.desk.protections.volatility_halt.state for house in (running, late)]
    assert halts[0].symbols[IBM] == halts[1].symbols[IBM]
    assert halts[0].locks == halts[1].locks
    assert late.last(ProposalSkipped).reasons[0].startswith("volatility halt: IBM: 30 one-minute returns")


def test_where_the_market_is_wild_nothing_opens_and_who_is_in_gets_out() -> None:
    """RK-08, RK-22"""
    house = a_house_with_a_spike_in(SPY).until("10:01")
    house.presses(a_buy_of(IBM, "100", "99.7"))
    house.confirms_at("10:01:05")
    house.until("10:07")
    assert house.held(IBM) == "0.1"

    house.presses(a_buy_of(IBM, "100", "99.7"))
    refused = house.last(ProposalSkipped).reasons
    rows = {row.key: row for row in ViewBuilder(house.engine).draw(house.line.at).protections}
    house.presses(ProposeClose(IBM))
    house.confirms_at("10:07:10")
    house.until("10:07:30")

    assert refused == (
        "volatility halt: global: 30 one-minute returns of SPY deviate by 0.730 %, the limit is 0.600 %, "
        "until 10:36 New York",
    )
    halt = rows["volatility_halt/global"]
    assert (halt.is_tripped, halt.measure, halt.until) == (True, "0.73 % of 0.60 %", at("10:36"))
    assert not rows["volatility_halt/IBM"].is_tripped
    assert house.held(IBM) == "0"


def test_a_halt_passes_while_the_operator_overrides_it() -> None:
    """RK-08, RK-06: the minutes that go on over the limit do not take the word back."""
    house = a_house_with_a_spike_in(IBM).until("10:07")

    house.presses(OverrideProtection("volatility_halt", "IBM", WORD))
    house.until("10:12")
    house.presses(a_buy_of(IBM))

    assert staged(house) == [IBM]


def test_a_halt_that_is_switched_off_halts_nothing() -> None:
    """RK-08"""
    house = a_house_with_a_spike_in(IBM, enabled=False).until("10:07")

    house.presses(a_buy_of(IBM))

    assert staged(house) == [IBM]
    assert house.facts(ProtectionTripped) == []
