"""What other workflows do because of facts: each apart, in the order of the facts and of the engine's list."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from core.messages.effects import Effect
from core.trading_state.state import TradingState
from core.workflows.base.isolation import apart


def follow_up(state: TradingState, only: type | None = None) -> Iterator[Effect]:
    """Everything that follows from what was recorded until now, before the next step of whoever asks.

    What follows only at the end of the act needs no call of this.
    """
    while news := state.news.take(only):
        for follower, fact in news:
            yield from apart(state, partial(follower, fact))
