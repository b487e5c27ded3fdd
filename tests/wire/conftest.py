"""Every test has an exchange of its own, on a port of its own, and a time of its own that the desk shares with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.kit.timeline import Timeline, installed
from tests.wire.exchange.clocks import StillClock
from tests.wire.exchange.server import MORNING, LoopbackExchange
from tests.wire.open_desk import TODAY, a_market


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


@pytest.fixture
def market(timeline: Timeline) -> Iterator[LoopbackExchange]:
    """A seeded market on a Thursday at five past ten in New York; it goes on with the time of the test."""
    with a_market() as exchange:
        yield exchange


@pytest.fixture
def market_with_a_past(timeline: Timeline) -> Iterator[LoopbackExchange]:
    """The same market, which remembers the day before."""
    with a_market(since=TODAY - timedelta(days=1)) as exchange:
        yield exchange
