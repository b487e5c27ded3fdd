"""Every test has an exchange of its own, on a port of its own, and a time of its own that the desk shares with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.kit.timeline import Timeline, installed
from tests.wire.exchange.clocks import RunningClock, StillClock
from tests.wire.exchange.server import MORNING, LoopbackExchange

YESTERDAY = (MORNING - timedelta(days=1)).date()


@pytest.fixture(autouse=True)
def timeline() -> Iterator[Timeline]:
    """Nothing happens but while a test waits."""
    with installed(Timeline()) as line:
        yield line


@pytest.fixture
def exchange(timeline: Timeline) -> Iterator[LoopbackExchange]:
    """A seeded market on a Thursday at ten in New York; its clock stands until a test moves it."""
    with LoopbackExchange(clock=StillClock(MORNING)) as house:
        yield house


def a_market(**more: Any) -> LoopbackExchange:
    """A seeded market that goes on with the time of the test, and remembers the day before it."""
    return LoopbackExchange(clock=RunningClock(), since=YESTERDAY, **more)


@pytest.fixture
def market(timeline: Timeline) -> Iterator[LoopbackExchange]:
    """A seeded market on a Thursday at five past ten in New York; it goes on with the time of the test."""
    with a_market() as exchange:
        yield exchange
