"""Editing and declining on the ticket: what was read before counts no more; nothing is sent (OP-03, OP-04)."""

from __future__ import annotations

from decimal import Decimal

from console.screens.edit import DeclineScreen, EditScreen
from console.screens.ticket import TicketPhase
from core.facts import ConfirmationReceived, EditRefused, OrderCreated, ProposalEdited, ProposalEnded
from core.messages.commands import Command, Confirm, Decline, EditProposal, LeaveTicket, OpenTicket, ProposeClose
from core.messages.desk_commands import KeyPressed, LookAt
from core.runtime.virtual import VirtualRuntime
from tests.desk.desk_house import SPY, House, open_desk
from tests.kit.stepped_engine import SteppedHandle


class RecordingHandle(SteppedHandle):
    """Remembers what the console sent."""

    def __init__(self, runtime: VirtualRuntime) -> None:
        super().__init__(runtime)
        self.sent: list[Command] = []

    def send(self, command: Command) -> None:
        self.sent.append(command)
        super().send(command)


async def edits(house: House, quantity: str = "", limit: str = "") -> EditScreen:
    """`e`, and what is typed into its fields; Enter is left to the test."""
    await house.press("e")
    await house.until(lambda: isinstance(house.desk.screen, EditScreen))
    form = house.desk.screen
    assert isinstance(form, EditScreen)
    await house.press(*quantity, "tab", *limit)
    return form


async def test_an_edit_makes_a_new_ticket_with_a_delay() -> None:
    """OP-03, OP-04: the old ticket is forgotten with Enter, not with the engine's answer; no edit sends nothing"""
    async with open_desk(handled_by=RecordingHandle) as house:
        ticket = await house.opens_the_ticket()
        before = ticket._shown
        assert before is not None
        sent = house.desk.handle.sent  # type: ignore[attr-defined]

        await edits(house)
        await house.press("enter")
        await house.until(lambda: house.shows("this is the order as it is"))
        await house.press("tab", *"1e3", "enter")
        await house.until(lambda: house.shows("shares, a number above zero"))
        await house.press("escape")
        await house.until(lambda: house.desk.screen is ticket)
        assert {type(command) for command in sent} <= {OpenTicket, LookAt, KeyPressed}

        await house.until(house.is_armed)
        await edits(house, "0.05", "496.10")
        await house.until(lambda: house.shows("24.81 USD, 0.07 USD lost at the stop 494.72"))
        await house.press("enter", "B")
        await house.until(lambda: house.facts(ProposalEdited))
        await house.until(lambda: ticket._shown is not None and ticket._shown.ticket.id != before.ticket.id)
        assert not house.is_armed()
        assert EditProposal(ticket.proposal_id, Decimal("0.05"), Decimal("496.10")) in sent  # type: ignore[arg-type]
        await house.until(lambda: ticket.phase is TicketPhase.READY)
        await house.wait(0.3)
        assert not any(isinstance(command, Confirm) for command in sent)
        assert house.sent_nothing()
        await house.until(lambda: house.shows("0.05 SPY at 496.10 limit, day", "cost 24.81 USD"))
        await house.until(house.is_armed)
        assert ticket._shown is not None
        assert ticket._shown.ticket.digest != before.ticket.digest
        await house.press("B")
        await house.until(lambda: house.facts(OrderCreated))
        assert str(house.facts(OrderCreated)[0].order.quantity) == "0.05"


async def test_a_refused_edit_keeps_the_old_ticket() -> None:
    """OP-03"""
    async with open_desk() as house:
        await house.opens_the_ticket()

        await edits(house, "0.2")
        await house.press("enter")

        await house.until(lambda: house.facts(EditRefused))
        await house.until(lambda: house.shows("NOT CHANGED", "over 50.00 USD an order; 0.1 would pass"))
        await house.until(house.is_armed)
        await house.sees("0.1 SPY at 496.21 limit, day", "NOT CHANGED")
        await house.press("B")
        await house.until(lambda: house.facts(OrderCreated))
        assert house.facts(OrderCreated)[0].order.quantity == Decimal("0.1")


async def test_a_ticket_under_a_form_is_not_armed() -> None:
    """OP-04, OP-12: what is typed there is the reason of the decline"""
    async with open_desk() as house:
        house.types_an_order()
        await house.until(lambda: house.shows("2 waiting"))
        ticket = await house.opens_the_ticket_of("0.1 SPY")

        await house.press("x")
        await house.until(lambda: isinstance(house.desk.screen, DeclineScreen))
        await house.wait(0.6)
        await house.sees("not armed")
        assert not ticket.armed.arming.has_painted
        await house.press("B")
        await house.wait(0.3)

        assert house.sent_nothing()
        await house.sees("Reason        B▏")
        await house.press("escape")
        await house.until(house.is_armed)

        await house.press("x", *"spread too wide", "enter")
        await house.until(lambda: house.facts(ProposalEnded))
        assert house.facts(ProposalEnded)[0].reason == "spread too wide"


async def test_a_waiting_exit_is_one_key_away_and_parks_the_ticket() -> None:
    """OP-06"""
    async with open_desk(size=(80, 24), handled_by=RecordingHandle) as house:
        house.types_an_order()
        await house.until(lambda: house.shows("2 waiting"))
        await house.opens_the_ticket_of("0.1 SPY")
        await house.press("B")
        await house.until(lambda: house.shows("broker 0.1"))
        house.desk.handle.send(ProposeClose(SPY))
        await house.until(lambda: house.shows("2 waiting, 1 EXIT"))
        await house.press("1", "home", "down", "enter")
        await house.until(lambda: house.shows("0.09 SPY at 496.00 limit"))
        await house.sees("!  EXIT WAITS  SELL 0.1 SPY, typed by you", "USD since")

        await house.press("exclamation_mark")

        await house.until(lambda: house.shows("SELL to close ─ SPY", "result"))
        sent = house.desk.handle.sent  # type: ignore[attr-defined]
        assert any(isinstance(command, LeaveTicket) for command in sent)
        assert not any(isinstance(command, Decline) for command in sent)
        assert len(house.facts(ConfirmationReceived)) == 1
        await house.until(house.is_armed)
        parked = house.desk.screen
        await house.press("exclamation_mark")
        await house.until(lambda: "no other exit waits" in house.footer())
        assert house.desk.screen is parked
        await house.pilot.resize_terminal(120, 40)
        await house.sees("paid 496.21 a share", "after fill: flat")
        await house.until(house.is_armed)
        await house.press("S")
        await house.until(lambda: len(house.facts(ConfirmationReceived)) == 2)
