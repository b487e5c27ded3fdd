"""The ticket on a real engine: it shows what is sent, one key sends it, all else sends nothing (OP-03, OP-04)."""

from __future__ import annotations

import pytest
from textual import events

from console.screens.ticket import TicketPhase, TicketScreen
from core.facts import ConfirmationReceived, ConfirmationRefused, OrderCreated
from core.messages.commands import Confirm, Decline, OpenTicket
from core.model.desk import PaintProof
from core.model.order import Effect
from core.risk.standard_gate import standard_gate
from tests.desk.desk_house import open_desk
from tests.desk.hands import held_back
from tests.kit.stepped_engine import WiredHandle

SILENT = 12
"""Checks with nothing to say here: allocation, message rate, lists, self-cross, twin, repeated execution, and those
that no settings turned on: order size, price collar, day value, broker limits, margin deficits, concentration."""


@pytest.mark.usefixtures("a_tick_each_way_as_before")
async def test_the_ticket_shows_exactly_what_is_sent() -> None:
    """OP-01, OP-02, OP-03"""
    async with open_desk(handled_by=WiredHandle) as house:
        await house.opens_the_ticket()
        await house.sees(
            "PAPER ─ BUY to open ─ SPY",
            "0.1 SPY at 496.21 limit, day",
            "cost 49.62 USD   24.8 % of equity",
            "STOP 494.72, the broker holds it",
            "lose 0.15 USD    size capped by 50 USD",
            "target VWAP 497.89, needs your key",
            "gain 0.17 USD    after fill: 0.1 long",
            "buying power after 150.38 USD",
            "quote  496.20 × 496.22",
            "derived",
            "since the signal 0.00 %",
            "VWAP, bar 10:23: close 496.21 is 0.34 % below VWAP 497.89",
            f"{len(standard_gate().checks) - SILENT} checks pass",
        )
        assert house.sent_nothing()

        await house.press("B")
        await house.until(lambda: house.facts(OrderCreated))
        order = house.facts(OrderCreated)[0].order

        assert (str(order.quantity.normalize()), str(order.limit_price), order.effect) == ("0.1", "496.21", Effect.OPEN)
        await house.until(lambda: not isinstance(house.desk.screen, TicketScreen))
        await house.until(lambda: house.shows("FILLED", "└ SELL stop"))
        assert house.desk.board.orders.new == order.client_order_id
        await house.until(lambda: house.desk.board.orders.grid.selected == order.client_order_id)
        assert house.desk.focused is house.desk.board.proposals.grid


async def test_another_meaning_of_a_key_sends_nothing() -> None:
    """OP-04"""
    async with open_desk() as house:
        ticket = await house.opens_the_ticket()

        for wrong in ("S", "H", "C", "enter", "space", "b", "R", "n"):
            await house.until(house.is_armed)
            await house.press(wrong)
            await house.until(lambda: not house.is_armed())

        await house.wait(0.3)
        assert house.sent_nothing()
        assert house.desk.screen is ticket


async def test_help_over_a_ticket_confirms_nothing() -> None:
    """OP-04, OP-06: its title keeps the countdown, no key goes through, and closing it arms the ticket again"""
    async with open_desk() as house:
        ticket = await house.opens_the_ticket()
        await house.until(house.is_armed)

        await house.press("question_mark")
        await house.sees("Help ─ ticket, NOT ARMED, ", "buy to open")
        await house.press("B", "x", "e", "tab")
        await house.wait(1)
        assert (house.desk.screen.beneath, ticket.phase) == (ticket, TicketPhase.READY)  # type: ignore[attr-defined]
        assert house.sent_nothing()
        await house.press("escape")
        await house.until(lambda: house.desk.screen is ticket)
        assert not house.is_armed()
        await house.until(house.is_armed)


async def test_a_held_key_and_a_paste_send_nothing() -> None:
    """OP-04: pressed with the ticket's opening, at the slowest wait and the slowest rate, then at a fast one"""
    async with open_desk() as house:
        await house.press("enter", "B")
        for pause in (0.9, 0.5, 0.5, *[0.033] * 15):
            await house.wait(pause)
            house.desk.post_message(events.Key("B", "B"))
        await house.wait(0.4)
        assert house.sent_nothing()

        await house.until(house.is_armed)
        house.desk.post_message(events.Paste("B\nB"))
        await house.wait(0.6)
        assert house.sent_nothing()


async def test_a_ticket_stays_fresh_until_r_brings_another() -> None:
    """OP-02, OP-03, OP-04: what is armed stays armed; `r` brings new figures, and a key from before counts no more"""
    async with open_desk(handled_by=WiredHandle) as house:
        ticket = await house.opens_the_ticket()
        before = ticket._shown
        assert before is not None

        await house.wait(4.0)
        fresh = ticket._shown
        assert fresh is not None
        assert fresh.quote.at > before.quote.at  # type: ignore[union-attr]
        assert fresh.ticket is before.ticket
        assert house.is_armed()

        await house.press("r", "B")
        await house.until(lambda: ticket._shown is not None and ticket._shown.ticket.id != before.ticket.id)
        await house.wait(0.2)
        assert house.sent_nothing()


async def test_swapped_tickets_confirm_only_what_shows() -> None:
    """OP-04"""
    async with open_desk(handled_by=WiredHandle) as house:
        await house.opens_the_ticket()
        house.types_an_order()
        await house.until(lambda: house.desk.view is not None and len(house.desk.view.proposals) == 2)

        await house.press("tab", "B")
        await house.until(lambda: house.shows("0.09 SPY at 496.00 limit"))
        await house.wait(0.2)
        assert house.sent_nothing()

        await house.until(house.is_armed)
        await house.press("B")
        await house.until(lambda: house.facts(OrderCreated))
        assert str(house.facts(OrderCreated)[0].order.quantity) == "0.09"
        assert house.facts(ConfirmationReceived)[0].ticket_id != ""


async def test_a_refusal_keeps_the_ticket_open() -> None:
    """OP-03: and `r` opens it anew"""
    async with open_desk(handled_by=WiredHandle) as house:
        ticket = await house.opens_the_ticket()
        shown = ticket._shown
        assert shown is not None

        key = Confirm(shown.ticket.id, shown.ticket.digest, Effect.SHORT, hold=shown.hold, proof=PaintProof.ANSWERED)
        house.desk.handle.send(key)
        await house.until(lambda: house.facts(ConfirmationRefused))
        await house.until(lambda: ticket.phase is TicketPhase.REFUSED)
        await house.wait(0.15)
        await house.sees("REFUSED", "that key does something else; this ticket needs B", "not armed")
        await house.press("B")
        await house.wait(0.4)
        assert house.sent_nothing()

        await house.press("r")
        await house.until(house.is_armed)
        await house.press("B")
        await house.until(lambda: house.facts(OrderCreated))


async def test_a_red_check_or_its_end_elsewhere_disarms_a_ticket() -> None:
    """OP-03: a halt makes the kill check refuse every entry"""
    async with open_desk() as house:
        ticket = await house.opens_the_ticket()

        house.desk.port.halt("a test")
        await house.until(lambda: ticket.phase is TicketPhase.RED)
        await house.press("B")
        await house.wait(0.4)
        await house.sees("NOT NOW", "not armed")
        assert house.sent_nothing()

        house.desk.handle.send(Decline(ticket.proposal_id, "by another hand"))
        await house.until(lambda: house.shows("OVER", "DECLINED: by another hand"))
        await house.press("B")
        await house.wait(0.3)
        assert house.sent_nothing()


async def test_a_tiny_terminal_shows_no_part_and_confirms_nothing() -> None:
    """OP-03, OP-04"""
    async with open_desk() as house:
        await house.opens_the_ticket()
        await house.pilot.resize_terminal(60, 20)
        await house.sees("Keyturn needs 80 × 24; this terminal has 60 × 20")
        await house.until(lambda: not house.shows("BUY to open"))
        await house.wait(0.6)
        await house.press("B")
        await house.wait(0.4)
        assert house.sent_nothing()

        await house.pilot.resize_terminal(80, 24)
        await house.until(house.is_armed)
        await house.sees("lose 0.15 USD    size capped by 50 USD")
        await house.press("B")
        await house.until(lambda: house.facts(ConfirmationReceived))


async def test_a_ticket_arms_only_when_complete() -> None:
    """OP-03, OP-04: what was known is read meanwhile; the key that confirms does nothing before the figures are here"""
    async with open_desk((80, 24)) as house:
        await house.until(lambda: house.desk.board.proposals.grid.selected is not None)
        on = house.desk.handle.send
        kept = held_back(house, OpenTicket)
        await house.press("enter")
        await house.until(lambda: isinstance(house.desk.screen, TicketScreen))
        await house.sees(
            "PAPER ─ BUY to open ─ SPY", "0.1 SPY limit 496.21", "lose 0.15 USD", "STOP 494.72", "fetching"
        )
        ticket = house.desk.screen
        assert isinstance(ticket, TicketScreen)
        tones = {cell.tone for line in ticket.box.body.lines[1:] for cell in line if cell.text.strip()}
        assert tones == {"muted"}
        await house.wait(0.8)
        await house.press("B")
        await house.wait(0.3)
        assert (house.is_armed(), house.sent_nothing()) == (False, True)

        on(kept.pop())
        await house.until(house.is_armed)
        await house.sees("0.1 SPY at 496.21 limit, day", "lose 0.15 USD    size capped by 50 USD")
        assert house.sent_nothing()
