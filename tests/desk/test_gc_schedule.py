"""Memory is tidied while no hand is on the keyboard (OP-07)."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest
from textual._styles_cache import StylesCache
from textual.color import Color

from console.frame_loop import AT_MOST, COLLECTS_EVERY, RESTED, GcSchedule, choose_moments


class Ring:
    """Held by nothing but itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def a_lost_ring() -> weakref.ref[Ring]:
    return weakref.ref(Ring())


def test_collection_runs_each_minute_at_rest() -> None:
    tidying = GcSchedule(0.0)
    lost = a_lost_ring()
    assert [at for at in range(301) if tidying.look(float(at))] == [60, 120, 180, 240, 300]
    assert lost() is None


def test_collection_waits_for_a_typing_hand() -> None:
    tidying = GcSchedule(0.0)
    done = []
    for second in range(int(AT_MOST) * 2 + 1):
        tidying.heard(float(second))
        if tidying.look(second + 0.5):
            done.append(second)
    assert done == [600, 1200]


def test_it_is_done_as_soon_as_the_hand_rests() -> None:
    tidying = GcSchedule(0.0)
    tidying.heard(COLLECTS_EVERY + 1)
    assert not tidying.look(COLLECTS_EVERY + 1 + RESTED - 0.1)
    assert tidying.look(COLLECTS_EVERY + 1 + RESTED)


def test_a_late_key_turns_no_clock_back() -> None:
    tidying = GcSchedule(0.0)
    tidying.heard(COLLECTS_EVERY + 3)
    tidying.heard(COLLECTS_EVERY)
    assert not tidying.look(COLLECTS_EVERY + 6)


def test_the_lines_of_closed_widgets_are_let_go() -> None:
    cache = StylesCache()
    cache.get_inner_outer(Color(1, 2, 3), Color(1, 2, 3))
    gone = weakref.ref(cache)
    del cache
    assert gone() is not None
    assert GcSchedule(0.0).look(COLLECTS_EVERY)
    assert gone() is None


def test_python_never_chooses_the_moment() -> None:
    gc.collect()
    choose_moments()
    full = gc.get_stats()[2]["collections"]
    kept = [[number] for number in range(300_000)]
    assert gc.get_stats()[2]["collections"] == full
    assert len(kept) == 300_000
