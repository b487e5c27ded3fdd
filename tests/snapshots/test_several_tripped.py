"""Eight refusals at once, of the real engine: the ticket and the Protections pane hide none of them (RK-01, RK-09)."""

from __future__ import annotations

import re
from dataclasses import replace

from console.desk import DeskApp
from core.messages.commands import Command, OpenTicket
from core.views import DeskView
from tests.kit.screen import text_of
from tests.snapshots.pictures import Views
from tests.snapshots.sizes import SMALL, USUAL, WIDE
from tests.snapshots.tickets import opens_the_first
from tests.snapshots.tripped import tripped

FRAME = re.compile(r"[\s│┌┐└┘─╭╮╰╯▸▹]+")


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


async def test_a_ticket_lists_every_reason_why_it_is_refused(pictures: Views) -> None:
    """RK-01, RK-09, OP-03"""
    (ticket,) = tripped().tickets
    reasons = [f"{verdict.check}: {verdict.reason}" for verdict in ticket.now.refusals]
    assert [reason.split(":")[0] for reason in reasons] == [
        "daily loss", "max drawdown", "stop loss guard", "cooldown", "low profit", "loss streak", "volatility halt",
        "trade frequency",
    ]  # fmt: skip

    async with pictures.desk(without_ticket(), SMALL, answer=opens_it) as still:
        await opens_the_first(still)
        await pictures.take(still, "as before")
        for size in (SMALL, USUAL, WIDE):
            await still.resize(size)
            read = as_read(still.desk, "#ticket-body")
            assert (size, [reason for reason in reasons if in_one(reason) not in read]) == (size, [])
    assert not pictures.differ


async def test_the_pane_says_how_many_are_tripped(pictures: Views) -> None:
    """RK-09"""
    async with pictures.desk(without_ticket(), SMALL) as still:
        await still.press("4")
        await pictures.take(still, "as before")
        for size in (SMALL, USUAL, WIDE):
            await still.resize(size)
            assert in_one("10 TRIPPED") in as_read(still.desk, "#protections"), size
    assert not pictures.differ


async def test_the_pane_tells_each_reason_whole_as_one_goes_down(pictures: Views) -> None:
    """RK-09"""
    for size in (SMALL, USUAL):
        left = {f"{row.name}: {row.reason}" for row in tripped().protections if row.is_tripped}
        assert len(left) == 10
        async with pictures.desk(without_ticket(), size) as still:
            await still.press("4")
            for _ in range(30):  # as many lines as there are
                read = as_read(still.desk, "#protections")
                left = {reason for reason in left if in_one(reason) not in read}
                await still.pilot.press("down")
        assert (size, left) == (size, set())


async def test_the_details_of_one_that_nobody_saw_trip(pictures: Views) -> None:
    """RK-12, RK-09: entries are shut by a measurement, of which no moment is known."""
    async with pictures.desk(without_ticket(), SMALL) as still:
        await still.press("4")
        while "Entries VWAP:" not in text_of(still.desk):
            await still.pilot.press("down")
        await still.press("enter")
        assert "it has not tripped" not in text_of(still.desk)
        await pictures.take(still)
    assert not pictures.differ
