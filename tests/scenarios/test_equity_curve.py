"""A strategy that loses is shut, goes on in the shadows, and comes back by them or waits for a review.

The curves here are short: one result is judged, two below in a row disable.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.messages.commands import ResumeStrategy
from core.model.values import ClientOrderId
from core.risk.shadow_trades import ShadowTrade
from core.settings.settings import Settings
from core.workflows.protection.protections import FOR_A_REVIEW
from tests.scenarios.house import FALL, STEADY, House, a_day
from tests.unit.core.brokers.trading_floor import IBM, SPY, THURSDAY, at

SHORT = Settings.model_validate(
    {
        "risk": {
            "protections": {
                "equity_curve": {"trades": 1, "disabled_after": 2},
                "max_drawdown": {"enabled": False},
                "low_profit": {"enabled": False},
            },
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
