"""Full garbage collections wait for a closed market."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from weakref import ref

import pytest

from state.housekeeping import COLLECT_SECONDS, QuietCollections


class Loop:
    """Garbage that only a collection finds."""

    def __init__(self) -> None:
        self.own = self


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_garbage_goes_once_the_market_is_closed() -> None:
    """SY-01, SY-05"""
    is_open = True
    collections = QuietCollections(0.0, lambda: is_open)
    gc.disable()
    garbage = ref(Loop())
    collections.look(COLLECT_SECONDS)
    assert garbage() is not None

    is_open = False
    collections.look(COLLECT_SECONDS - 1)
    assert garbage() is not None

    collections.look(COLLECT_SECONDS)
    gc.enable()
    assert garbage() is None


def test_python_runs_none_by_itself() -> None:
    """SY-01: one would stop the kill chord for a tenth of a second"""
    young, middle, _ = gc.get_threshold()

    QuietCollections(0.0, lambda: True)

    assert gc.get_threshold() == (young, middle, 100_000)
