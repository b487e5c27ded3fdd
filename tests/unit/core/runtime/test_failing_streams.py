"""A stream that fails by an error of the program or of a library: a named state, and ever longer pauses (EX-26)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from core.model.account import Channel, ConnectionState, ConnectionStatus
from core.runtime.live import LONGEST_PAUSE, LiveStreams
from tests.kit.pause import pause

pytestmark = pytest.mark.usefixtures("timeline")
AT = datetime(2026, 11, 19, 15, 5, tzinfo=UTC)


class Failing:
    """Raises as a library may, or ends; notes when it was begun."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error
        self.begun: list[float] = []

    async def run(self, _hear: Callable[[Any], None], _show: Callable[[ConnectionStatus], None]) -> None:
        self.begun.append(asyncio.get_running_loop().time())
        if self.error is not None:
            raise self.error


async def test_a_stream_that_raises_is_down_in_words_and_waits_longer() -> None:
    """EX-26, EX-22: one of the connections shows it, any other only says it"""
    orders, regime = Failing(RuntimeError("a library's")), Failing(None)
    shown: list[ConnectionStatus] = []
    said: list[str] = []
    engine, inbox = SimpleNamespace(say=said.append), SimpleNamespace(show=shown.append)
    inbox.hear_news = inbox.hear_update = inbox.hear_market = shown.append
    streams = LiveStreams(
        cast(Any, engine),
        cast(Any, inbox),
        lambda: AT,
        cast(Any, orders),
        cast(Any, None),
        cast(Any, regime),
        None,
        None,
    )
    tasks = streams.begin()
    await pause(70.0)
    for task in tasks:
        task.cancel()

    steps = [later - before for before, later in zip(orders.begun, orders.begun[1:], strict=False)]
    assert [round(step) for step in steps] == [1, 2, 4, 8, 16, LONGEST_PAUSE]
    assert len(regime.begun) == len(orders.begun)
    assert {(each.line, each.state) for each in shown} == {(Channel.TRADES, ConnectionState.DOWN)}
    assert [each.tries for each in shown] == [*range(1, len(shown) + 1)]
    assert all("RuntimeError: a library's" in each.words for each in shown)
    assert len(said) == len(orders.begun) + len(regime.begun)
