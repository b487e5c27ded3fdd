"""Two clocks, each by its name; and what a ticket says and offers when one of them has run out (OP-04)."""

from __future__ import annotations

from decimal import Decimal

from console.client.access import EngineLink
from console.screens.ticket import TicketPhase, TicketScreen
from core.facts import OrderCreated
from core.messages.commands import LeaveTicket
from core.settings.orders import StagingSettings
from core.settings.settings import Settings
from tests.desk.desk_house import House, open_desk

SHORT = Settings(staging=StagingSettings(ticket_seconds=Decimal(2)))


def the_ticket(house: House) -> TicketScreen:
    screen = house.desk.screen
    assert isinstance(screen, TicketScreen)
    return screen


async def test_an_expired_ticket_offers_its_keys() -> None:
    """OP-04: two clocks, neither taken for the other; Enter leaves only an expired ticket"""
    async with open_desk(settings=SHORT) as house:
        ticket = await house.opens_the_ticket()
        await house.sees("this ticket 0:0", "the proposal 1:")
        await house.press("enter")
        assert house.desk.screen is ticket
        await house.until(lambda: ticket.phase is TicketPhase.EXPIRED)

        await house.sees("EXPIRED Ticket expired", "the proposal 1:", "r open it again", "Enter leave")
        await house.until(lambda: not house.shows("B  buy to open"))
        assert house.desk.screen is ticket
        await house.until(lambda: not house.shows("e edit"))
        await house.press("B")
        await house.wait(0.5)
        assert house.facts(OrderCreated) == []

        await house.press("r")
        await house.until(lambda: ticket.phase is TicketPhase.READY)
        await house.until(lambda: ticket.phase is TicketPhase.EXPIRED)
        await house.press("enter")
        await house.until(lambda: not isinstance(house.desk.screen, TicketScreen))
        assert house.desk.view.proposals  # type: ignore[union-attr]


async def test_a_gone_proposal_leaves_only_escape() -> None:
    """OP-04, ST-03"""
    settings = Settings(staging=StagingSettings(signal_seconds=Decimal(4)))
    async with open_desk(settings=settings) as house:
        await house.opens_the_ticket()
        ticket = the_ticket(house)
        await house.until(lambda: ticket.phase is TicketPhase.OVER)

        await house.sees("OVER", "EXPIRED", "Enter leave")
        await house.until(lambda: not house.shows("x decline"))
        await house.press("r")
        await house.sees("this proposal has ended")
        assert ticket.phase is TicketPhase.OVER
        await house.press("enter")
        await house.until(lambda: not isinstance(house.desk.screen, TicketScreen))


async def loses_its_engine(house: House, ticket: TicketScreen) -> None:
    """And has it back, with the ticket closed and most of its time left."""
    link = EngineLink(house.desk.now)
    house.desk.handle.link = link  # type: ignore[misc]
    link.lose("the link broke")
    await house.wait(0.1)
    link.hear()
    assert ticket._shown is not None
    house.desk.handle.send(LeaveTicket(ticket._shown.ticket.id))


async def test_a_lost_engine_voids_the_ticket() -> None:
    """OP-04, SY-01"""
    async with open_desk() as house:
        await loses_its_engine(house, await house.opens_the_ticket())

        await house.sees("LOST Engine disconnected: ticket void", "r open it again")
        assert not house.shows("Ticket expired")


async def test_an_unanswered_ticket_names_its_order() -> None:
    """OP-04, EX-06"""
    async with open_desk() as house:
        ticket = await house.opens_the_ticket()
        assert ticket._shown is not None
        ticket.standing.confirm(ticket._shown)
        await loses_its_engine(house, ticket)

        await house.sees("LOST    Engine disconnected: ticket void.", "Confirmed but not sent: no order")
