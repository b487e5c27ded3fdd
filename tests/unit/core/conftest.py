"""A time of its own for a test of sockets or threads, which they share with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.timeline import Timeline, installed


@pytest.fixture
def timeline() -> Iterator[Timeline]:
    """Nothing happens but while the test waits, and nothing takes time but what waits for it."""
    with installed(Timeline()) as line:
        yield line
