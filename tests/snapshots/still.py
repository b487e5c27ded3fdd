"""A desk that stands still: one picture of the engine, and a clock that moves when the test says so."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from datetime import datetime

import pytest
from textual.pilot import Pilot

from console.desk import Desk
from console.handle import EngineHandle, Failed, Loading, Running, nobody_looks
from console.screens.ticket import TicketScreen
from core.inputs import Command
from core.settings import DisplaySettings
from core.views import DeskView
from tests.snapshots.day import NOW

SIZES = ((80, 24), (120, 40), (200, 60))
at_every_size = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


class StillHandle(EngineHandle):
    """The real handle; its engine is never started: it shows the picture it was given, and keeps what was sent."""

    def __init__(self, view: DeskView | Loading | Failed, answer: Callable[[DeskView, Command], DeskView]) -> None:
        super().__init__(_no_engine)
        self.view = view
        self.sent: list[Command] = []
        self._answer = answer

    def start(self, on_news: Callable[[], None] = nobody_looks) -> None:
        """Nothing runs behind this desk."""

    def clock(self) -> datetime:
        return NOW

    def send(self, command: Command) -> None:
        self.sent.append(command)
        if isinstance(self.view, DeskView):
            self.view = self._answer(self.view, command)


class StillClock:
    """The console's monotonic clock."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


class Still:
    """The desk, its keys and its clock."""

    def __init__(self, desk: Desk, pilot: Pilot[None], clock: StillClock) -> None:
        self.desk = desk
        self.pilot = pilot
        self.clock = clock

    @property
    def sent(self) -> list[Command]:
        assert isinstance(self.desk.handle, StillHandle)
        return self.desk.handle.sent

    def shows(self, view: DeskView) -> None:
        """The engine's next picture."""
        self.desk.handle.view = view

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def after(self, seconds: float) -> None:
        """The console's clock moves on."""
        self.clock.at += seconds
        await self.settle()

    async def settle(self) -> None:
        """What the last key or frame led to is drawn."""
        for _ in range(3):
            await self.pilot.pause()
            self.desk._frame()
            if isinstance(self.desk.screen, TicketScreen):
                self.desk.screen.tick()
        await self.pilot.pause()


def unanswered(view: DeskView, _command: Command) -> DeskView:
    return view


@asynccontextmanager
async def still_desk(
    view: DeskView | Loading | Failed,
    size: tuple[int, int],
    answer: Callable[[DeskView, Command], DeskView] = unanswered,
    display: DisplaySettings | None = None,
) -> AsyncIterator[Still]:
    clock = StillClock()
    desk = Desk(StillHandle(view, answer), clock, display=display)
    async with desk.run_test(size=size) as pilot:
        still = Still(desk, pilot, clock)
        await still.settle()
        yield still


def _no_engine(_stack: ExitStack) -> Running:
    raise AssertionError("a still desk has no engine to build")
