"""Protections that shut by the market and by the curve of a strategy."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.facts import ProposalSkipped, ProtectionExpired, ProtectionTripped
from core.messages.commands import OverrideProtection, ProposeClose, ProposeOrder, ResumeStrategy
from core.messages.inputs import BarArrived
from core.model.values import ClientOrderId, Symbol
from core.risk.shadow_trades import ShadowTrade
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from core.workflows.protection.protections import FOR_A_REVIEW, WORD
from tests.scenarios.house import FALL, STEADY, House, a_day, a_typed_buy, assert_can_be_rebuilt, minutes
from tests.unit.core.brokers.trading_floor import IBM, SPY, THURSDAY, at

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


#
# The curves here are short: one result is judged, two below in a row disable.

SHORT = Settings.model_validate(
    {
        "risk": {
            "protections": {
                "equity_curve": {"trades": 1, "disabled_after": 2},
                "max_drawdown": {"enabled": False},
                "low_profit": {"enabled": False},
            }
        }
    }
)
LOW = "99.25 99.30 99.20 99.25"
"""Where the stop of 99.30 left it: VWAP would buy at 99.25, its stop at 98.95."""
UP = "99.60 100.20 99.60 100.20"
DOWN = "99.00 99.00 98.90 98.90"
DIPS = "99.30 99.30 99.30 99.30"


def a_loss(*then: tuple[str, str, str], entries_a_day: int = 9) -> House:
    """It is 10:09: the entry of 10:06 was stopped out at 10:07, and the strategy signals on."""
    bars = a_day(("10:06", "10:06", STEADY), ("10:07", "10:07", FALL), ("10:08", "10:11", LOW), *then)
    risk = SHORT.risk.model_copy(update={"entries_a_day": entries_a_day})
    house = House(bars, SHORT.model_copy(update={"risk": risk})).opens()
    house.confirms_at("10:06:02")
    return house.until("10:09:01")


def shadows(house: House) -> list[ShadowTrade]:
    return [shadow for shadow in house.desk.shadows.of_day(THURSDAY) if shadow.is_counted]


@pytest.mark.usefixtures("a_tick_each_way")
def test_shadow_trades_lift_the_curve(snapshot: SnapshotAssertion) -> None:
    """RK-13, OP-12"""
    house = a_loss(("10:12", "10:15", UP), ("10:16", "10:20", DIPS))
    refused = house.last(facts.ProposalSkipped).reasons
    house.restarted().until("10:11:30")
    on_the_way = [shadow.course.value for shadow in shadows(house)]
    house.until("10:17:30")
    (ended,) = shadows(house)
    curve = house.desk.protections.equity_curve.state.curves["vwap"]

    assert refused == snapshot
    assert on_the_way == ["open"]
    assert (ended.course.value, ended.is_counted) == ("target", True)
    assert (curve.are_shadows, curve.total > 0) == ([True], True)
    assert [fact.until for fact in house.facts(facts.ProtectionTripped) if fact.name == "equity_curve"] == [None]
    assert house.facts(facts.ProtectionExpired) == [facts.ProtectionExpired("equity_curve", "vwap")]
    assert len(house.facts(facts.ProposalStaged)) > 1
    assert house.desk.stage.proposals()


def test_losing_shadow_trades_disable_a_strategy(snapshot: SnapshotAssertion) -> None:
    """RK-13: twice below in a row; its pause outlives a restart, and resuming it does not lift the curve."""
    house = a_loss(("10:12", "10:12", DOWN), ("10:13", "10:30", "98.90"))
    house.until("10:13:30")
    paused = house.facts(facts.StrategyPaused)
    known = len(house.facts(facts.ProposalSkipped))
    house.restarted().until("10:20:30")
    while_disabled = len(house.facts(facts.ProposalSkipped)) - known

    house.presses(ResumeStrategy("vwap", SPY))
    house.until("10:22:30")

    assert paused == [facts.StrategyPaused("vwap", SPY, FOR_A_REVIEW)]
    assert while_disabled == 0
    assert len(house.facts(facts.StrategyResumed)) == 1
    assert house.facts(facts.StrategyPaused) == paused
    assert house.last(facts.ProposalSkipped).reasons == snapshot


def test_shadow_trades_keep_to_the_days_entries() -> None:
    """RK-13, ST-02: one trade and one shadow are its two; what is followed beyond them lifts and disables nothing."""
    house = a_loss(("10:12", "10:12", DOWN), ("10:13", "10:20", "98.90"), entries_a_day=2).until("10:20:30")

    followed = house.desk.shadows.of_day(THURSDAY)

    assert len(followed) > 1
    assert len(shadows(house)) == 1


def test_a_shadow_trade_ends_at_the_last_close() -> None:
    """RK-13, OP-12: half a spread below 99.25; the first that is heard of Friday is a refused entry elsewhere."""
    house = a_loss().until("10:12:30")
    (refused,) = house.facts(facts.ProposalSkipped)[-1:]
    assert refused.proposal is not None
    order = replace(refused.proposal.order, symbol=IBM, client_order_id=ClientOrderId("friday"))
    elsewhere = replace(refused, symbol=IBM, proposal=replace(refused.proposal, order=order))

    house.desk.at = at("10:00", date(2026, 11, 20))
    house.desk.record(elsewhere)

    curve = house.desk.protections.equity_curve.state.curves["vwap"]
    assert (curve.are_shadows, curve.total) == ([True], Decimal("-0.0001007557"))
    assert house.desk.protections.equity_curve.locks.by_scope["vwap"].again_at == at("16:00")
