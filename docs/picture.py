"""Takes the pictures of the desk: a proposal, its ticket, a position's trailing stop, the chart, and all of it wide.

    .venv/bin/python docs/picture.py    writes docs/desk.svg, ticket.svg, position.svg, chart.svg and wide.svg

The demo runs without a terminal, on a home of its own, until its first proposal waits.
"""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from console.client.handle import EngineHandle
from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from console.desk import DeskApp
from console.screens.position_exits import TrailScreen
from console.screens.ticket import TicketPhase, TicketScreen

HERE = Path(__file__).resolve().parent
SIZE, WIDE = (120, 40), (200, 60)
PATIENCE = 150.0
"""Seconds; the demo proposes at its first minute."""


async def take(home: str) -> None:
    os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    os.environ.pop("NO_COLOR", None)
    keyturn = Host.of({"KEYTURN_HOME": home})
    desk = DeskApp(EngineHandle(lambda stack: demo_runtime(keyturn, DemoOptions(), stack)))
    async with desk.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: desk.view is not None and bool(desk.view.proposals))
        await pilot.press("1", "home")
        await until(pilot, lambda: bool(desk.board.proposals.grid.selected))
        await pilot.pause(1.0)
        save(desk, "desk.svg")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(desk.screen, TicketScreen) and desk.screen.phase is TicketPhase.READY)
        await pilot.pause(1.0)
        save(desk, "ticket.svg")
        await pilot.press("B")
        await until(
            pilot, lambda: not isinstance(desk.screen, TicketScreen) and bool(desk.board.positions.grid.selected)
        )
        await pilot.press("2", "home", "t")
        await until(pilot, lambda: isinstance(desk.screen, TrailScreen))
        await pilot.pause(1.0)
        save(desk, "position.svg")
        await pilot.press("escape", "9", "z")
        await until(pilot, lambda: desk.view is not None and desk.view.chart is not None)
        await pilot.pause(1.0)
        save(desk, "chart.svg")
        await pilot.press("z")
        await pilot.resize_terminal(*WIDE)
        await pilot.press("2")
        await pilot.pause(1.0)
        save(desk, "wide.svg")
        desk.handle.close("the picture was taken", PATIENCE)


FONTS_FROM_AFAR = re.compile(r",\s*url\([^)]*\) format\([^)]*\)")


def save(desk: DeskApp, name: str) -> None:
    """The picture asks nobody for anything: fonts are those of whoever looks at it. Its blanks count in every viewer,
    also those at the ends of a text: without them two words that are apart on the desk stand against each other."""
    picture = desk.export_screenshot(title="Keyturn")
    (HERE / name).write_text(FONTS_FROM_AFAR.sub("", picture).replace("<text ", '<text xml:space="preserve" '))


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    end = asyncio.get_running_loop().time() + PATIENCE
    while not holds():
        if asyncio.get_running_loop().time() > end:
            raise SystemExit("no proposal came; nothing was written")
        await pilot.pause(0.1)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(take(folder))
