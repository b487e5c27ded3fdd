"""An engine that stands still (SIGSTOP) breaks no link: the desk names its silence, and claims nothing of it."""

from __future__ import annotations

from datetime import timedelta

from console.client.access import EngineLink
from console.screens.desk_control import LeaveScreen
from tests.desk.still_house import StillHouse, a_position, a_view, open_still
from widgets import format as f


class Instants:
    at = 100.0

    def __call__(self) -> float:
        return self.at


async def falls_silent(house: StillHouse, seconds: float) -> None:
    now = Instants()
    house.handle.link = EngineLink(now)  # type: ignore[assignment]
    house.handle.goes_on = True  # type: ignore[misc]
    now.at += seconds
    await house.is_drawn()


async def test_a_silent_engine_is_named() -> None:
    """OP-07, SY-01, DESK rule 1: a breath is no silence; the clock does not run on; a press not heard goes before"""
    view = a_view(proposals=())
    async with open_still(view) as house:
        await house.sees("ENTRIES ON", "EXITS ON")
        await falls_silent(house, 2.5)
        assert not house.shows("ENGINE SILENT")

        for owed in ("halt", "kill"):
            house.handle.owes_press = owed  # type: ignore[assignment]
            await house.is_drawn()
            await house.sees(f"{owed.upper()} NOT HEARD YET")
        house.handle.clock = lambda: view.status.at + timedelta(seconds=36)  # type: ignore[method-assign]
        await falls_silent(house, 36)
        await house.sees("KILL NOT HEARD YET", "ENGINE SILENT")
        house.handle.owes_press = None
        await house.is_drawn()
        await house.until(lambda: not house.shows("NOT HEARD YET"))

        for size in ((80, 24), (120, 40)):
            await house.pilot.resize_terminal(*size)
            await house.sees("ENGINE SILENT for 36 s:", "AS OF", "AWAY")
            assert not house.shows("ENTRIES ON")
        await house.sees(f.weekday_clock(view.status.at))
        assert not house.shows(f.weekday_clock(view.status.at + timedelta(seconds=36)))


async def test_leaving_does_not_claim_that_it_goes_on() -> None:
    """OP-06, SY-01"""
    async with open_still(a_view(positions=(a_position("SPY"),))) as house:
        await falls_silent(house, 36)
        await house.press("q")
        await house.until(lambda: isinstance(house.desk.screen, LeaveScreen))

        await house.sees("The engine does not answer")
        assert not house.shows("The engine goes on")
