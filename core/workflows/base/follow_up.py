"""Run the reactions to facts, each in isolation, in the order of the facts and of the engine's list."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from core.messages.effects import Effect
from core.trading_state.state import TradingState
from core.workflows.base.isolation import apart


def follow_up(state: TradingState, only: type | None = None) -> Iterator[Effect]:
    """Run everything that follows from the facts recorded so far, before the caller's next step.

    Reactions at the end of the act need no call of this.
    """
    while news := state.news.take(only):
        for follower, fact in news:
            yield from apart(state, partial(follower, fact))
