"""Facts that workflows follow: noted as they are written, and taken by whoever lets what follows from them happen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from core.effects import Effect
from core.facts import Fact

Follower = Callable[[Any], Iterable[Effect] | None]


class News:
    """`table` says who follows a kind of fact, in the engine's order."""

    def __init__(self) -> None:
        self.table: Mapping[type, tuple[Follower, ...]] = {}
        self._news: list[Fact] = []

    def note(self, fact: Fact) -> None:
        """It is written; also where a slice fails to fold it."""
        if type(fact) in self.table:
            self._news.append(fact)

    def take(self, only: type | None = None) -> list[tuple[Follower, Fact]]:
        """What is to follow from the facts since the last time, in their order; of `only` one kind, the others wait."""
        if not self._news:
            return []
        taken = [fact for fact in self._news if only is None or type(fact) is only]
        self._news = [fact for fact in self._news if only is not None and type(fact) is not only]
        return [(follower, fact) for fact in taken for follower in self.table[type(fact)]]

    @property
    def has_news(self) -> bool:
        return bool(self._news)

    def drop(self) -> None:
        """Nothing can be written any more: nothing follows."""
        self._news.clear()
