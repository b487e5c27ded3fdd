"""A clock that jumps shuts entries with the reason; exits and the kill go on; it ends when the clock is steady."""

from __future__ import annotations

import time
from datetime import timedelta
from decimal import Decimal

import pytest

from core.facts import ClockJumped, ClockSettled, Killed, ProposalSkipped, TradeClosed
from core.messages.commands import Kill, ProposeClose
from core.messages.inputs import ClockRead
from core.settings.settings import Settings
from tests.scenarios.house import STEADY, House, a_day, a_house_in_a_position, a_typed_buy
from tests.scenarios.live_floor import LiveFloor, LiveHouse
from tests.unit.core.brokers.trading_floor import SPY

pytestmark = pytest.mark.usefixtures("timeline")

FORWARD = ClockRead(Decimal("3600.0"), Decimal("0.0"))
BACK = ClockRead(Decimal("-3600.0"), Decimal("3600.0"))
STILL_BEHIND = ClockRead(Decimal("0.0"), Decimal("3595.0"))


def at_ten() -> House:
    return House(a_day(("10:06", "11:00", STEADY))).opens().until("10:03")


def refusals(house: House) -> tuple[str, ...]:
    before = len(house.facts(ProposalSkipped))
    house.presses(a_typed_buy())
    skipped = house.facts(ProposalSkipped)[before:]
    return skipped[0].reasons if skipped else ()


def hears(house: House, read: ClockRead) -> None:
    house.line.take(house.line.at, read)


@pytest.mark.parametrize(("read", "way"), [(FORWARD, "forward"), (BACK, "back")])
def test_a_jump_refuses_entries(read: ClockRead, way: str) -> None:
    """RK-01, EX-11"""
    house = at_ten()
    hears(house, read)

    assert refusals(house) == (
        f"kill switch: this machine's clock jumped 3,600 s {way}: see that it is right; entries wait for a steady one",
    )


def test_exits_and_kill_need_no_clock() -> None:
    """RK-22, OP-07"""
    house = a_house_in_a_position(("10:06", "10:40", STEADY))
    hears(house, BACK)
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    house.until("10:06:40")
    house.confirms()
    house.until("10:06:50")
    house.presses(Kill("key"))

    assert house.held() == "0"
    assert house.facts(TradeClosed)
    assert house.facts(Killed)


def test_a_jump_ends_after_a_minute() -> None:
    """EX-11"""
    house = at_ten()
    hears(house, FORWARD)
    house.until("10:03:59")
    before = refusals(house)
    house.until("10:04")

    assert before
    assert len(house.facts(ClockSettled)) == 1
    assert refusals(house) == ()


def test_a_clock_behind_blocks_until_it_catches_up() -> None:
    """EX-11: it is told again now and then, and recorded once."""
    house = at_ten()
    hears(house, BACK)
    for clock in ("10:03:30", "10:04", "10:04:30"):
        house.until(clock)
        hears(house, STILL_BEHIND)
    house.until("10:05:29")
    before = house.desk.control.state.clock
    house.until("10:05:30")

    assert before is not None
    assert house.desk.control.state.clock is None
    assert len(house.facts(ClockJumped)) == 1


def test_a_jump_outlives_a_restart() -> None:
    """SP-05"""
    house = at_ten()
    hears(house, FORWARD)
    house.until("10:03:10").restarted().until("10:03:20")
    after_a_restart = refusals(house)
    house.until("10:04:10")

    assert len(after_a_restart) == 1
    assert refusals(house) == ()


def test_the_settings_say_how_long_to_wait() -> None:
    """EX-11"""
    settings = Settings.model_validate({"risk": {"clock_steady_seconds": "5"}})
    house = House(a_day(("10:06", "11:00", STEADY)), settings).opens().until("10:03")
    hears(house, FORWARD)

    assert house.until("10:03:04").desk.control.state.clock is not None
    assert house.until("10:03:05").desk.control.state.clock is None


@pytest.mark.parametrize(("hours", "way"), [(1, "forward"), (-1, "back")])
def test_a_live_runtime_sees_its_clock_being_set(hours: int, way: str) -> None:
    """EX-11, EX-14: nothing halts, and what comes after it is taken in as ever."""
    floor = LiveFloor("10:20", a_day(("10:06", "10:20", STEADY)))
    with LiveHouse(floor, steady=time.monotonic) as house:
        house.waits(lambda view: view.status.word == "on" and view.status.entries_refused is None, "the desk is on")
        floor.offset += timedelta(hours=hours)
        view = house.waits(lambda view: view.status.entries_refused is not None, "the jump")
        house.presses(Kill("key"))
        house.waits(lambda view: view.status.word == "killed", "the kill")

    assert f"clock jumped 3,600 s {way}" in (view.status.entries_refused or "")
