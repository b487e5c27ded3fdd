"""Before, in and after the regular session, New York time: what is refused, with which words, and what still goes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.facts import ProposalSkipped
from core.messages.commands import Decline, ProposeClose
from core.settings.settings import Settings
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.house import House, a_typed_buy, minutes
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY

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
