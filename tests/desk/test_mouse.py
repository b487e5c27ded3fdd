"""The mouse selects, focuses, scrolls and opens; it never confirms, declines, cancels or answers (OP-04)."""

from __future__ import annotations

from textual.geometry import Region

from console.screens.question import ArmedQuestion
from console.screens.ticket import TicketScreen
from core.facts import CancelRequested, ConfirmationReceived, ProposalEnded
from tests.desk.desk_house import House, open_desk


def everywhere(region: Region) -> list[tuple[int, int]]:
    return [(x, y) for y in range(region.y, region.bottom) for x in range(region.x, region.right, 3)]


async def click_all_over(house: House, region: Region, times: int = 1) -> None:
    for x, y in everywhere(region):
        await house.pilot.click(offset=(x, y), times=times)


async def test_a_click_selects_and_focuses_and_a_double_click_opens() -> None:
    async with open_desk() as house:
        grid = house.desk.board.proposals.grid
        house.types_an_order()
        await house.until(lambda: house.shows("2 waiting"))
        await house.press("3")
        await house.pilot.click(grid, offset=(10, 2))
        assert house.desk.focused is grid
        assert house.desk.view is not None
        assert grid.selected == house.desk.view.proposals[1].id

        await house.pilot.click(grid, offset=(10, 2), times=2)
        await house.until(lambda: house.shows("0.09 SPY at 496.00 limit"))
        assert house.sent_nothing()


async def test_no_click_on_a_ticket_confirms_or_declines() -> None:
    """OP-04"""
    async with open_desk() as house:
        ticket = await house.opens_the_ticket()
        await click_all_over(house, ticket.box.region, times=2)
        await house.wait(0.4)

        assert isinstance(house.desk.screen, TicketScreen)
        assert not house.facts(ConfirmationReceived)
        assert not house.facts(ProposalEnded)


async def test_no_click_answers_a_question() -> None:
    """OP-04"""
    async with open_desk() as house:
        await house.buys()
        await house.press("3", "home", "d")
        await house.until(lambda: house.shows("Cancel this stop?"))
        await house.until(house.is_armed)
        await click_all_over(house, house.desk.screen.query_one(".question").region, times=2)
        await house.wait(0.4)
        assert isinstance(house.desk.screen, ArmedQuestion)
        assert not house.facts(CancelRequested)


async def test_a_click_on_the_last_line_does_nothing() -> None:
    async with open_desk() as house:
        await click_all_over(house, house.desk.board.line.region)
        assert len(house.desk.screen_stack) == 1
        assert house.sent_nothing()


async def test_a_click_breaks_the_silence_of_a_ticket() -> None:
    """OP-04"""
    async with open_desk() as house:
        ticket = await house.opens_the_ticket()
        before = house.desk.keyboard.heard_at
        await house.pilot.click(ticket.box, offset=(5, 2))
        assert house.desk.keyboard.heard_at > before
