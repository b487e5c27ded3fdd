"""Consult advisers: of a live desk in threads, of a virtual desk in virtual time.

Consult the advisers of a live desk, each in its own thread (OP-09).
Each adviser has at most one consultation in progress. One that hangs costs its thread and counts as a failure; after
repeated failures it is no longer asked. Trading never waits: an answer is one input among others.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from core.advisers import Adviser, Shown, consulted, shown_of
from core.messages.inputs import FromAdviser
from core.model.account import ConnectionStatus
from core.model.recommendation import AdviserFault, Watch
from core.settings.service import AdvisersSettings
from core.views import DeskView


class AdviserPool:
    """Parameters
    ----------
    draw
        Draws the current desk view; called in the engine's thread.
    is_asked
        Whether an adviser is still consulted.
    """

    def __init__(
        self,
        advisers: Sequence[Adviser],
        terms: AdvisersSettings,
        draw: Callable[[], DeskView],
        is_asked: Callable[[str], bool],
    ) -> None:
        self.advisers = advisers
        self.terms = terms
        self._draw = draw
        self._is_asked = is_asked

    async def run(self, hear: Callable[[FromAdviser], None], _show: Callable[[ConnectionStatus], None]) -> None:
        """Run in the engine's loop until cancelled."""
        while True:
            await asyncio.sleep(self.terms.every_seconds)
            asked = [adviser for adviser in self.advisers if self._is_asked(adviser.name)]
            if asked:
                view = self._draw()
                await asyncio.gather(*(self._consult(adviser, view, hear) for adviser in asked))

    async def _consult(self, adviser: Adviser, view: DeskView, hear: Callable[[FromAdviser], None]) -> None:
        watch = Watch(adviser.name)
        answered: asyncio.Future[object] = asyncio.get_running_loop().create_future()

        def tell(answer: object) -> None:
            """Take an answer in the loop. After the time-out only the attempts that it made meanwhile are reported."""
            if not answered.done():
                answered.set_result(answer)
            elif attempts := watch.taken():
                hear(FromAdviser(adviser.name, (), attempts))

        shown, most = shown_of(view, watch), self.terms.most
        arguments = (adviser, shown, watch, most, asyncio.get_running_loop(), tell)
        threading.Thread(target=_ask, args=arguments, name=f"adviser {adviser.name}", daemon=True).start()
        try:
            answer = await asyncio.wait_for(answered, self.terms.answer_seconds)
        except TimeoutError:
            answer = AdviserFault(f"gave no answer in {self.terms.answer_seconds} s")
        hear(FromAdviser(adviser.name, answer, watch.taken()))


def _ask(
    adviser: Adviser,
    shown: Shown,
    watch: Watch,
    most: int,
    loop: asyncio.AbstractEventLoop,
    tell: Callable[[object], None],
) -> None:
    """Consult the adviser in its own thread."""
    answer = consulted(adviser, shown, watch, most)
    with suppress(RuntimeError):  # the loop has ended meanwhile
        loop.call_soon_threadsafe(tell, answer)


class Rounds:
    """`next_at` is the time of the next round; None without advisers."""

    def __init__(self, advisers: Sequence[Adviser], terms: AdvisersSettings, start: datetime) -> None:
        self.advisers = tuple(adviser for adviser in advisers if adviser.is_deterministic)
        self.terms = terms
        self._every = timedelta(seconds=terms.every_seconds)
        self.next_at = start + self._every if self.advisers else None

    def ask(self, at: datetime, draw: Callable[[], DeskView], is_asked: Callable[[str], bool]) -> Iterator[FromAdviser]:
        """Run one round and schedule the next."""
        self.next_at = at + self._every
        asked = [adviser for adviser in self.advisers if is_asked(adviser.name)]
        if not asked:
            return
        view = draw()
        for adviser in asked:
            watch = Watch(adviser.name)
            answer = consulted(adviser, shown_of(view, watch), watch, self.terms.most)
            yield FromAdviser(adviser.name, answer, watch.taken())
