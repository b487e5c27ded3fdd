"""What other workflows do because of facts: each apart, in the order of the facts and of the engine's list."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from core.desk import Desk
from core.effects import Effect
from core.workflows.apart import apart


def follow_up(desk: Desk, only: type | None = None) -> Iterator[Effect]:
    """Everything that follows from what was recorded until now, before the next step of whoever asks.

    What follows only at the end of the act needs no call of this.
    """
    while news := desk.news.take(only):
        for follower, fact in news:
            yield from apart(desk, partial(follower, fact))
