"""The mouse selects, focuses, scrolls and opens; it never confirms, declines, cancels or answers (OP-04)."""

from __future__ import annotations

from textual import events
from textual.geometry import Region

from console.screens.dialog import ArmedQuestion
from console.screens.ticket import TicketScreen
from core.facts import CancelRequested, ConfirmationReceived, ProposalEnded
from tests.desk.desk_house import House, open_desk


async def click(house: House, *places: tuple[int, int], times: int = 1) -> None:
    """As the driver tells it: through the desk, before any screen."""
    for x, y in places:
        for _ in range(times):
            for kind in (events.MouseDown, events.MouseUp):
                event = kind(None, x, y, 0, 0, 1, False, False, False, screen_x=x, screen_y=y)
                house.desk.post_message(event)
    await house.wait(0.2)


async def click_all_over(house: House, region: Region) -> None:
    places = ((x, y) for y in range(region.y, region.bottom) for x in range(region.x, region.right, 25))
    await click(house, *places, times=2)


async def test_a_click_selects_and_focuses_and_a_double_click_opens() -> None:
    async with open_desk() as house:
        grid = house.desk.board.proposals.grid
        house.types_an_order()
        await house.sees("2 waiting")
        await house.press("3")
        second = (grid.region.x + 10, grid.region.y + 2)
        await click(house, second)
        assert house.desk.focused is grid
        assert house.desk.view is not None
        assert grid.selected == house.desk.view.proposals[1].id

        await click(house, second, times=2)
        await house.sees("0.09 SPY at 496.00 limit")
        assert house.sent_nothing()


async def test_no_click_on_a_ticket_confirms_or_declines() -> None:
    """OP-04: it breaks its silence"""
    async with open_desk() as house:
        await click_all_over(house, house.desk.board.line.region)
        assert len(house.desk.screen_stack) == 1

        ticket = await house.opens_the_ticket()
        before = house.desk.keyboard.heard_at
        await click_all_over(house, ticket.box.region)
        assert house.desk.keyboard.heard_at > before
        await house.wait(0.4)

        assert isinstance(house.desk.screen, TicketScreen)
        assert not house.facts(ConfirmationReceived)
        assert not house.facts(ProposalEnded)
        assert house.sent_nothing()


async def test_no_click_answers_a_question() -> None:
    """OP-04"""
    async with open_desk() as house:
        await house.buys()
        await house.press("3", "home", "down", "d")
        await house.sees("Cancel this stop?")
        await house.until(house.is_armed)
        await click_all_over(house, house.desk.screen.query_one(".question").region)
        await house.wait(0.4)
        assert isinstance(house.desk.screen, ArmedQuestion)
        assert not house.facts(CancelRequested)
