"""A desk on the baskets' own floor: six positions of 60 at 100, eight symbols to buy, at the pace of a person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from console.desk import DeskApp
from core.messages.commands import BasketRow, OpenBasket
from core.model.basket import BasketSource
from core.runtime.inbox import Link
from core.runtime.virtual_time import Pace
from tests.desk.desk_house import SPY, House
from tests.kit import virtual_time
from tests.kit.stepped_engine import SteppedHandle
from tests.kit.waiting import TIMEOUT
from tests.scenarios.house import House as Story
from tests.scenarios.plans import SOLD, a_house_that_holds

__all__ = ["SPY", "open_floor"]


@asynccontextmanager
async def open_floor(
    *held: str, size: tuple[int, int] = (120, 40), latency: timedelta = timedelta(milliseconds=20)
) -> AsyncIterator[House]:
    """The desk holds `held`, all six where none is named."""
    async with open_on(a_house_that_holds(*(held or SOLD), quantity="60"), size, latency) as house:
        yield house


@asynccontextmanager
async def open_on(
    before: Story, size: tuple[int, int] = (120, 40), latency: timedelta = timedelta(milliseconds=20)
) -> AsyncIterator[House]:
    """A desk on the engine of a story, which goes on at the pace of a person from where it was told to."""
    line = before.line
    line.pace = Pace(1.0)
    line.pace.free_until = line.at
    line.link = Link(latency)
    handle = SteppedHandle(line, before.port)
    desk = DeskApp(handle, virtual_time.now)
    async with desk.run_test(size=size) as pilot:
        house = House(desk, pilot, line)
        await house.until(lambda: desk.view is not None and house.shows("ENTRIES ON"))
        try:
            yield house
        finally:
            handle.close("the test is over", TIMEOUT)


async def opens_a_plan(house: House, *rows: BasketRow) -> None:
    house.desk.handle.send(OpenBasket(BasketSource.FILE, "rows.csv", rows))
    await house.until(lambda: house.shows("the basket rows.csv waits for its marks and its key; p opens it"))
    await house.press("p")
    await house.until(lambda: house.shows("Basket ─ rows.csv"))
