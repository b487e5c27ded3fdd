"""Facts that workflows follow: noted as they are written, and taken by whoever lets what follows from them happen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from core.facts import Fact
from core.messages.effects import Effect

Follower = Callable[[Any], Iterable[Effect] | None]


Followers = Callable[[type], tuple[Follower, ...]]
"""Who follows a kind of fact, in the engine's order."""


def nobody(_kind: type) -> tuple[Follower, ...]:
    """A desk without an engine: nothing follows."""
    return ()


class FactQueue:
    """What was recorded and is followed, and not yet by those who follow it."""

    def __init__(self, followers: Followers = nobody) -> None:
        self._followers = followers
        self._news: list[Fact] = []

    def note(self, fact: Fact) -> None:
        """It is written; also where a slice fails to fold it."""
        if self._followers(type(fact)):
            self._news.append(fact)

    def take(self, only: type | None = None) -> list[tuple[Follower, Fact]]:
        """What is to follow from the facts since the last time, in their order; of `only` one kind, the others wait."""
        if not self._news:
            return []
        taken = [fact for fact in self._news if only is None or type(fact) is only]
        self._news = [fact for fact in self._news if only is not None and type(fact) is not only]
        return [(follower, fact) for fact in taken for follower in self._followers(type(fact))]

    @property
    def has_news(self) -> bool:
        return bool(self._news)

    def drop(self) -> None:
        """Nothing can be written any more: nothing follows."""
        self._news.clear()
