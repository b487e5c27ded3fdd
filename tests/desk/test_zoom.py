"""`z` gives a pane the whole screen and takes it back; what must be seen stays."""

from __future__ import annotations

from console.panes import PANES
from console.screens.ticket import TicketScreen
from tests.desk.desk_house import open_desk
from tests.desk.still_house import StillHouse, a_position, a_view, an_exit, open_still

SIZES = [(80, 24), (120, 40)]


def shown(house: StillHouse) -> set[str]:
    return set(house.desk.board._layout.names())


async def test_z_zooms_the_focused_pane() -> None:
    """OP-06: the status lines, the waiting exit and the last line stay"""
    view = a_view(proposals=(an_exit("AIG"),), positions=(a_position(),))
    async with open_still(view, SIZES[0]) as house:
        for size in SIZES:
            await house.pilot.resize_terminal(*size)
            await house.press("2")
            before = shown(house)
            await house.press("z")
            await house.until(lambda: shown(house) == {"positions"})
            await house.sees("!  EXIT WAITS  SELL to close 100 AIG", "2 Positions", "Ctrl+K KILL", "ENTRIES")
            assert not house.shows("6 Log ─")
            assert house.desk.focused is house.desk.board.positions.grid
            pane = house.desk.board.positions
            assert pane.region.size == (size[0], house.desk.board.line.region.y - pane.region.y)

            await house.press("z")
            await house.until(lambda before=before: shown(house) == before)
            await house.sees("6 Log ─")
            assert house.desk.focused is house.desk.board.positions.grid
        assert house.handle.commands == []


async def test_a_number_moves_the_zoom() -> None:
    """And a resize keeps zoom and focus"""
    async with open_still(a_view(), (120, 40)) as house:
        await house.press("1", "z")
        for number, name in enumerate(PANES, start=1):
            await house.press(str(number % 10))
            await house.until(lambda name=name: shown(house) == {name})  # type: ignore[misc]
            assert house.desk.board.holder == name
        await house.press("3")
        for size in SIZES:
            await house.pilot.resize_terminal(*size)
            await house.until(lambda: shown(house) == {"orders"})
            assert house.desk.focused is house.desk.board.orders.grid
        await house.press("z", "6")
        await house.until(lambda: {"log", "proposals"} <= shown(house))


async def test_tickets_open_over_a_zoomed_pane() -> None:
    """OP-04: and a row of a pane that is not shown is not what a key acts on"""
    async with open_desk() as house:
        await house.press("1", "z")
        await house.until(lambda: not house.shows("6 Log ─"))
        await house.press("x")
        await house.until(lambda: len(house.desk.screen_stack) == 2)
        await house.press("escape")
        await house.until(lambda: len(house.desk.screen_stack) == 1)
        await house.press("enter")
        await house.until(lambda: isinstance(house.desk.screen, TicketScreen) and house.is_armed())
        await house.press("z")
        await house.wait(0.2)
        assert isinstance(house.desk.screen, TicketScreen)
        await house.until(house.is_armed)
        await house.press("B")
        await house.until(lambda: len(house.desk.screen_stack) == 1)
        await house.press("z")
        await house.sees("6 Log ─", "FILLED")
