"""Facts with followers: queued when recorded, taken when the followers run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from core.facts import Fact
from core.messages.effects import Effect

Follower = Callable[[Any], Iterable[Effect] | None]


Followers = Callable[[type], tuple[Follower, ...]]
"""The followers of a kind of fact, in the engine's order."""


def nobody(_kind: type) -> tuple[Follower, ...]:
    """Return no followers, for a desk without an engine."""
    return ()


class FactQueue:
    """Recorded facts whose followers have not run yet."""

    def __init__(self, followers: Followers = nobody) -> None:
        self._followers = followers
        self._news: list[Fact] = []

    def note(self, fact: Fact) -> None:
        """Queue a recorded fact, also if a slice fails to fold it."""
        if self._followers(type(fact)):
            self._news.append(fact)

    def take(self, only: type | None = None) -> list[tuple[Follower, Fact]]:
        """Return the followers of the queued facts, in order; with `only` those of one kind."""
        if not self._news:
            return []
        taken = [fact for fact in self._news if only is None or type(fact) is only]
        self._news = [fact for fact in self._news if only is not None and type(fact) is not only]
        return [(follower, fact) for fact in taken for follower in self._followers(type(fact))]

    @property
    def has_news(self) -> bool:
        return bool(self._news)

    def drop(self) -> None:
        """Clear the queue: nothing can be recorded any more."""
        self._news.clear()
