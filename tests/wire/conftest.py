"""Every test has an exchange of its own, on a port of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.wire.exchange.clocks import StillClock
from tests.wire.exchange.server import MORNING, LoopbackExchange


@pytest.fixture
def exchange() -> Iterator[LoopbackExchange]:
    """A seeded market on a Thursday at ten in New York; its clock stands until a test moves it."""
    with LoopbackExchange(clock=StillClock(MORNING)) as house:
        yield house
