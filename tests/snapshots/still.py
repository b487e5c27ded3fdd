"""A desk that stands still: one picture of the engine, and a clock that moves when the test says so."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from textual.pilot import Pilot

from console.client.access import NO_SURROUNDINGS, HostFiles, nobody_looks
from console.client.handle import EngineHandle
from console.desk import DeskApp
from console.screens.dialog import ArmedDialog
from core.messages.commands import Command
from core.model.desk import DeskNumber
from core.runtime.runtime import Runtime
from core.settings.settings import DisplaySettings
from core.views import DeskView
from core.views.desk import EngineFailed, EngineLoading
from tests.snapshots.day import NOW

Shown = DeskView | EngineLoading | EngineFailed
Answer = Callable[[DeskView, Command], DeskView]


class StillHandle(EngineHandle):
    """The real handle; its engine is never started: it shows the picture it was given, and keeps what was sent."""

    def __init__(self, view: Shown, answer: Answer) -> None:
        super().__init__(_no_engine)
        self.view = view
        self.sent: list[Command] = []
        self._answer = answer

    @property
    def desk(self) -> DeskNumber | None:
        """The first of those that the picture has attached."""
        desks = self.view.status.key.desks if isinstance(self.view, DeskView) else ()
        return desks[0].number if desks else None

    def start(self, on_news: Callable[[], None] = nobody_looks) -> None:
        """Nothing runs behind this desk."""

    def clock(self) -> datetime:
        return self.view.status.at if isinstance(self.view, DeskView) else NOW

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

    def __init__(self, pilot: Pilot[Any]) -> None:
        assert isinstance(pilot.app, DeskApp)
        self.desk = pilot.app
        self.pilot = pilot

    @property
    def view(self) -> DeskView:
        """The engine's last picture."""
        assert isinstance(self.desk.handle.view, DeskView)
        return self.desk.handle.view

    @property
    def sent(self) -> list[Command]:
        assert isinstance(self.desk.handle, StillHandle)
        return self.desk.handle.sent

    def shows(self, view: Shown) -> None:
        """The engine's next picture."""
        before = self.desk.handle.view
        if isinstance(view, DeskView) and isinstance(before, DeskView):
            view = replace(view, number=before.number + 1)
        self.desk.handle.view = view

    async def shows_next(self, view: Shown) -> None:
        self.shows(view)
        await self.settle()

    async def resize(self, size: tuple[int, int]) -> None:
        if self.desk.size != size:
            await self.pilot.resize_terminal(*size)
            await self.settle()

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def after(self, seconds: float) -> None:
        """The console's clock moves on."""
        assert isinstance(self.desk.now, StillClock)
        self.desk.now.at += seconds
        await self.settle()

    async def settle(self) -> None:
        """What the last key or frame led to is drawn."""
        for _ in range(2):
            await self.pilot.pause()
            self.desk._frame()
            if isinstance(self.desk.screen, ArmedDialog):
                self.desk.screen.tick()
        await self.pilot.pause()


Steps = Callable[[Still], Awaitable[None]]
"""What hands do before the picture is taken."""


def presses(*keys: str) -> Steps:
    return lambda still: still.press(*keys)


async def nothing(_still: Still) -> None:
    """The desk as it opens."""


def unanswered(view: DeskView, _command: Command) -> DeskView:
    return view


def a_still_desk(
    view: Shown,
    answer: Answer = unanswered,
    display: DisplaySettings | None = None,
    around: HostFiles = NO_SURROUNDINGS,
) -> DeskApp:
    return DeskApp(StillHandle(view, answer), StillClock(), around, display)


@asynccontextmanager
async def still_desk(view: Shown, size: tuple[int, int], answer: Answer = unanswered) -> AsyncIterator[Still]:
    async with a_still_desk(view, answer).run_test(size=size) as pilot:
        still = Still(pilot)
        await still.settle()
        yield still


def _no_engine(_stack: ExitStack) -> Runtime:
    raise AssertionError("a still desk has no engine to build")
