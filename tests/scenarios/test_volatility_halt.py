"""A wild minute halts its symbol for half an hour, and the market's halts everything; whoever is in gets out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from syrupy.assertion import SnapshotAssertion

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


def test_a_wild_symbol_alone_is_halted_over_a_restart(snapshot: SnapshotAssertion) -> None:
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

    assert refused == after_a_restart == snapshot
    assert other == [SPY]
    assert staged(house) == [SPY, IBM]
    (trip,) = house.facts(ProtectionTripped)
    assert (trip.name, trip.scope, trip.until) == ("volatility_halt", "IBM", at("10:36"))
    assert house.facts(ProtectionExpired) == [ProtectionExpired("volatility_halt", "IBM")]
    assert_can_be_rebuilt(house)


def test_a_late_start_halts_by_the_mornings_bars(snapshot: SnapshotAssertion) -> None:
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
    assert late.last(ProposalSkipped).checks == ("volatility halt",)
    assert late.last(ProposalSkipped).reasons == snapshot


def test_a_wild_market_blocks_entries_and_lets_exits_go(snapshot: SnapshotAssertion) -> None:
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

    halt = rows["volatility_halt/global"]
    assert (halt.is_tripped, halt.until) == (True, at("10:36"))
    assert (refused, halt.measure) == snapshot
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
