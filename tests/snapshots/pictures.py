"""Takes pictures of still desks, and says which of them differ from the kept ones."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from rich.console import Console
from syrupy.assertion import SnapshotAssertion

from console.desk import DeskApp
from tests.kit.screen import whole
from tests.snapshots.still import Shown, Steps, Still, a_still_desk, nothing


class Views:
    """Of one test. `differ` names those that are not as they were kept: a test asserts that it is empty."""

    def __init__(self, kept: SnapshotAssertion) -> None:
        self._kept = kept
        self.differ: list[str] = []

    @asynccontextmanager
    async def desk(self, view: Shown, size: tuple[int, int], **terms: Any) -> AsyncIterator[Still]:
        async with a_still_desk(view, **terms).run_test(size=size) as pilot:
            still = Still(pilot)
            await still.settle()
            yield still

    async def one(
        self, view: Shown, size: tuple[int, int], steps: Steps = nothing, name: str | None = None, **terms: Any
    ) -> None:
        """A desk of its own, after these steps; `terms` are those of `a_still_desk`."""
        async with self.desk(view, size, **terms) as still:
            await steps(still)
            await self.take(still, name)

    async def take(self, still: Still, name: str | None = None) -> None:
        """What the desk shows now, which is settled; the kept picture is called after the test and `name`."""
        picture = svg_of(still.desk)
        is_kept = self._kept(name=name) == picture
        if not is_kept:
            self.differ.append(name or "the picture")


def svg_of(desk: DeskApp) -> str:
    """As `App.export_screenshot` draws it, without the identifier of each picture that takes a third of its time."""
    width, height = desk.size
    console = Console(
        width=width, height=height, file=io.StringIO(), force_terminal=True, color_system="truecolor", record=True,
        legacy_windows=False, safe_box=False,
    )  # fmt: skip
    console.print(whole(desk, simplify=True))
    return console.export_svg(title=desk.title, unique_id="terminal-0")
