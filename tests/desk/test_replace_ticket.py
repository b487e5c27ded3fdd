"""The ticket of an order that takes another's place: what it was, what it will be, and the one key that says so."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from console.screens.ticket import TicketScreen
from core.facts import ConfirmationReceived, OrderCreated
from core.messages.commands import EditOrder, MoveStop
from core.model.values import Price, Quantity
from core.views import OrderRow
from core.views.builders.desk import ViewBuilder
from tests.desk.desk_house import SPY, House, open_desk
from tests.scenarios.changes import a_house_in_a_thin_market, edits, moves, passes
from tests.scenarios.house import STEADY, a_house_in_a_position
from tests.scenarios.house import House as Story
from widgets.ticket_text import change_in_words, ticket_lines


def the_stop(house: House) -> OrderRow:
    view = house.desk.view
    assert view is not None
    return next(row for row in view.orders if row.is_protective)


def ticket_of(house: Story) -> list[str]:
    """The lines of the first proposal's ticket, as they are drawn."""
    house.opens_ticket()
    passes(house, 0.5)
    view = ViewBuilder(house.engine).draw(house.line.at)
    return ["".join(cell.text for cell in line) for line in ticket_lines(view.tickets[0], house.line.at, 74)]


async def moves_the_stop(house: House, price: str) -> None:
    """Its ticket is open and its key would count."""
    await house.until(lambda: house.shows("stop 494.72 SUBMITTED"))
    house.desk.handle.send(MoveStop(SPY, "vwap", Price(Decimal(price))))
    await house.until(lambda: house.shows("REPLACE stop"))
    await house.press("1", "enter")
    await house.until(house.is_armed)


async def test_a_stop_ticket_shows_from_to_and_cost() -> None:
    """OP-03, OP-06, RK-02: it is no urgent exit; a stop that moves away says what more is lost"""
    async with open_desk() as house:
        await house.buys()
        await moves_the_stop(house, "495.00")

        await house.sees(
            "PAPER ─ REPLACE stop ─ SPY",
            "0.1 SPY stop 494.72 → 495.00",
            "at it  lose 0.15 USD → lose 0.12 USD",
            "the operator moves the stop",
            "R  replace stop",
        )
        assert not house.shows("EXIT WAITS")
        await house.press("escape")
        await house.until(lambda: house.shows("REPLACE stop", "was stop 494.72"))
        assert house.desk.view is not None
        assert not any(row.is_urgent for row in house.desk.view.proposals)
        house.desk.handle.send(EditOrder(the_stop(house).id, Quantity(Decimal(1)), None, None))
        await house.until(lambda: house.shows("only an entry is edited"))

        await house.press("1", "home", "x", "enter")
        await house.until(lambda: house.desk.view is not None and not house.desk.view.proposals)
        await moves_the_stop(house, "494.00")
        await house.sees("lose 0.15 USD → lose 0.22 USD  WORSE than before", "AWAY")


def test_a_stop_at_average_is_break_even(snapshot: SnapshotAssertion) -> None:
    """OP-03"""
    house = a_house_in_a_position(("10:06", "10:07", STEADY), ("10:08", "10:30", "99.80"))
    house.until("10:09")

    moves(house, "99.60")

    assert ticket_of(house)[0] == snapshot
    (ticket,) = ViewBuilder(house.engine).draw(house.line.at).tickets
    assert ticket.replaced is not None
    for average, word in (("99.5933", True), ("99.6033", False)):
        off_its_tick = replace(ticket.replaced, average_price=Price(Decimal(average)))
        assert ("(break-even)" in change_in_words(ticket.ticket.order, off_its_tick)) is word, average


@pytest.mark.usefixtures("a_tick_each_way_as_before")
def test_an_edited_entry_shows_both_versions(snapshot: SnapshotAssertion) -> None:
    """OP-03, EX-12"""
    house = a_house_in_a_thin_market()
    house.until("10:10:30")

    edits(house, "14", "99.70")

    lines = ticket_of(house)
    assert lines[0] == snapshot
    assert lines[1] == snapshot
    assert "\n".join(lines) == snapshot


async def test_r_alone_moves_a_stop() -> None:
    """OP-04"""
    async with open_desk() as house:
        await house.buys()
        await moves_the_stop(house, "495.00")
        created, confirmed = len(house.facts(OrderCreated)), len(house.facts(ConfirmationReceived))

        for wrong in ("S", "B", "C", "H", "enter", "y"):
            await house.until(house.is_armed)
            await house.press(wrong)
            await house.wait(0.3)
        assert (len(house.facts(OrderCreated)), len(house.facts(ConfirmationReceived))) == (created, confirmed)
        await house.until(house.is_armed)
        await house.press("R")
        await house.until(lambda: len(house.facts(OrderCreated)) > created)

        sent = house.facts(OrderCreated)[-1].order
        assert (sent.stop_price, sent.replaces) == (
            Decimal("495.00"),
            house.facts(OrderCreated)[1].order.client_order_id,
        )
        await house.until(lambda: not isinstance(house.desk.screen, TicketScreen))
        await house.until(lambda: house.shows("REPLACED by "))
