"""Consult the deterministic advisers of a virtual desk synchronously, in virtual time (OP-09)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from core.advisers.base import Adviser, consulted, shown_of
from core.messages.inputs import FromAdviser
from core.model.authority import Watch
from core.settings.advisers import AdvisersSettings
from core.views import DeskView


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
