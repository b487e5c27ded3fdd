"""Takes the pictures of the desk: a proposal, its ticket, a position's trailing stop, the chart, all of it wide, and an
agent's draft.

    .venv/bin/python docs/picture.py    writes docs/desk.svg, ticket, position, chart, wide and draft.svg

The demo runs without a terminal, on a home of its own, until its first proposal waits.
"""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

from textual.pilot import Pilot

from console.client.handle import EngineHandle
from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_folder, demo_runtime
from console.desk import DeskApp
from console.screens.draft import DraftScreen
from console.screens.position_exits import TrailScreen
from console.screens.ticket import TicketPhase, TicketScreen
from core.messages.inputs import DraftSubmitted
from core.model.draft import DraftFact, DraftRequest, DraftTerms
from core.model.order import Effect, OrderType
from core.model.values import CENT, Fraction, Price, Symbol
from core.runtime.runtime import Runtime
from state.desk_files import DeskFiles

HERE = Path(__file__).resolve().parent
SPY = Symbol("SPY")
SIZE, WIDE = (120, 40), (200, 60)
PATIENCE = 150.0
"""Seconds; the demo proposes at its first minute."""


async def take(home: str) -> None:
    os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    os.environ.pop("NO_COLOR", None)
    keyturn = Host.of({"KEYTURN_HOME": home})
    (Path(home) / "settings.toml").write_text("[agents.claude]\n")
    runtimes: list[Runtime] = []

    def started(stack: ExitStack) -> Runtime:
        runtimes.append(demo_runtime(keyturn, DemoOptions(), stack))
        return runtimes[-1]

    files = DeskFiles(keyturn.home, lambda: demo_folder(keyturn, DemoOptions()))
    files.guide_was_closed()
    desk = DeskApp(EngineHandle(started), surroundings=files)
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
        await pilot.resize_terminal(*SIZE)
        runtimes[-1].hear_agent(a_draft(runtimes[-1]))
        await until(pilot, lambda: desk.view is not None and bool(desk.view.drafts))
        await pilot.press("1", "end", "enter")
        await until(pilot, lambda: isinstance(desk.screen, DraftScreen))
        await pilot.pause(1.0)
        save(desk, "draft.svg")
        desk.handle.close("the picture was taken", PATIENCE)


def a_draft(runtime: Runtime) -> DraftSubmitted:
    """A draft with a fact that matches, one that differs and one that cannot be checked."""
    last = runtime.engine.state.last_price(SPY)
    assert last is not None
    limit = Price(last[1] + CENT)
    terms = DraftTerms(SPY, Effect.OPEN, None, OrderType.LIMIT, limit, Price(limit - 5))
    stated = (
        DraftFact(SPY, "price", last[1], None, "get_quote"),
        DraftFact(SPY, "position", Decimal(40), None, "list_positions"),
        DraftFact(SPY, "rsi", Decimal(28), None, "its own"),
    )
    reason = "SPY is stretched below its average, and the volume dries up"
    return DraftSubmitted("claude", DraftRequest("1", terms, reason, stated, Fraction(Decimal("0.6"))), 1)


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
