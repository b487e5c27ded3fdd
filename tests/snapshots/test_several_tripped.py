"""Eight refusals at once, of the real engine: the ticket and the Protections pane hide none of them (RK-01, RK-09)."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from console.desk import DeskApp
from core.messages.commands import Command, OpenTicket
from core.views import DeskView
from tests.kit.screen import text_of
from tests.snapshots.conftest import Compare
from tests.snapshots.sizes import SMALL, USUAL, WIDE
from tests.snapshots.still import Still, presses, still_desk
from tests.snapshots.tickets import opens_the_first
from tests.snapshots.tripped import tripped

FRAME = re.compile(r"[\s│┌┐└┘─╭╮╰╯▸▹]+")
at_every_size = pytest.mark.parametrize("size", [SMALL, USUAL, WIDE], ids=lambda size: f"{size[0]}x{size[1]}")


def without_ticket() -> DeskView:
    return replace(tripped(), tickets=())


def opens_it(view: DeskView, command: Command) -> DeskView:
    return tripped() if isinstance(command, OpenTicket) else view


def as_read(desk: DeskApp, where: str) -> str:
    """The words that are painted where a widget is, whatever they were wrapped at."""
    region = desk.screen.query_one(where).region
    lines = text_of(desk).splitlines()[region.y : region.bottom]
    return in_one("\n".join(line[region.x : region.right] for line in lines))


def in_one(text: str) -> str:
    """Without the blanks, at which lines end, and the frames."""
    return FRAME.sub("", text)


@at_every_size
async def test_a_ticket_lists_every_reason_why_it_is_refused(size: tuple[int, int]) -> None:
    """RK-01, RK-09, OP-03"""
    (ticket,) = tripped().tickets
    reasons = [f"{verdict.check}: {verdict.reason}" for verdict in ticket.now.refusals]

    async with still_desk(without_ticket(), size, opens_it) as still:
        await opens_the_first(still)
        read = as_read(still.desk, "#ticket-body")

    assert [reason.split(":")[0] for reason in reasons] == [
        "daily loss", "max drawdown", "stop loss guard", "cooldown", "low profit", "loss streak", "volatility halt",
        "trade frequency",
    ]  # fmt: skip
    assert [reason for reason in reasons if in_one(reason) not in read] == []


def test_a_ticket_with_every_reason_looks_as_before(looks_as_before: Compare) -> None:
    """RK-09, OP-03"""
    assert looks_as_before(without_ticket(), SMALL, opens_the_first, answer=opens_it)


@at_every_size
async def test_the_pane_says_how_many_are_tripped(size: tuple[int, int]) -> None:
    """RK-09"""
    async with still_desk(without_ticket(), size) as still:
        await still.press("4")
        read = as_read(still.desk, "#protections")

    assert in_one("10 TRIPPED") in read


def test_the_pane_with_all_that_tripped_looks_as_before(looks_as_before: Compare) -> None:
    """RK-09"""
    assert looks_as_before(without_ticket(), SMALL, presses("4"))


@pytest.mark.parametrize("size", [SMALL, USUAL], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_pane_tells_each_reason_whole_as_one_goes_down(size: tuple[int, int]) -> None:
    """RK-09"""
    left = {f"{row.name}: {row.reason}" for row in tripped().protections if row.is_tripped}
    assert len(left) == 10

    async with still_desk(without_ticket(), size) as still:
        await still.press("4")
        for _ in range(30):  # as many lines as there are
            read = as_read(still.desk, "#protections")
            left = {reason for reason in left if in_one(reason) not in read}
            await still.pilot.press("down")

    assert left == set()


def test_the_details_of_one_that_nobody_saw_trip(looks_as_before: Compare) -> None:
    """RK-12, RK-09: entries are shut by a measurement, of which no moment is known."""

    async def opens_its_details(still: Still) -> None:
        await still.press("4")
        while "Entries VWAP:" not in text_of(still.desk):
            await still.pilot.press("down")
        await still.press("enter")
        assert "it has not tripped" not in text_of(still.desk)

    assert looks_as_before(without_ticket(), SMALL, opens_its_details)
