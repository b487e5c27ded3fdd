"""Takes pictures of still desks, and says which of them differ from the kept ones."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from syrupy.assertion import SnapshotAssertion

from tests.snapshots.still import Shown, Steps, Still, a_still_desk, nothing


class Pictures:
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
        """What the desk shows now; the kept picture is called after the test and `name`."""
        await still.settle()
        picture = still.desk.export_screenshot(title=still.desk.title, simplify=True)
        is_kept = self._kept(name=name) == picture
        if not is_kept:
            self.differ.append(name or "the picture")
