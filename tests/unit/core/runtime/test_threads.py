"""Threads for requests: in order within a lane, and no lane behind another."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from core.execution.lanes import Lane, LaneKind
from core.runtime.lane_threads import LaneThreads, NoThreadError, Threads
from tests.kit.no_threads import no_thread_starts
from tests.kit.waiting import PATIENCE

ENTRIES, LOOK_UP = Lane(LaneKind.ENTRIES), Lane(LaneKind.LOOK_UPS, "one")


@pytest.fixture
def lanes() -> Iterator[LaneThreads]:
    found = LaneThreads()
    yield found
    found.close()


def test_requests_of_one_lane_leave_in_order_one_at_a_time(lanes: LaneThreads) -> None:
    """EX-22"""
    sent: list[int] = []
    is_done = threading.Event()
    for number in range(50):
        lanes.send(ENTRIES, lambda number=number: sent.append(number))  # type: ignore[misc]
    lanes.send(ENTRIES, is_done.set)

    assert is_done.wait(PATIENCE)
    assert sent == list(range(50))


def test_a_request_that_hangs_holds_one_place_of_its_own_lane(lanes: LaneThreads) -> None:
    """EX-22: six look-ups of one order and an entry hang; others go on."""
    release, another, behind = threading.Event(), threading.Event(), threading.Event()
    for _ in range(6):
        lanes.send(LOOK_UP, lambda: _wait(release))
    lanes.send(ENTRIES, lambda: _wait(release))
    lanes.send(ENTRIES, behind.set)
    lanes.send(Lane(LaneKind.EXITS, "SPY"), another.set)

    assert another.wait(PATIENCE)
    assert not behind.is_set()
    release.set()
    assert behind.wait(PATIENCE)


def test_what_waits_when_the_lanes_close_is_never_done(lanes: LaneThreads) -> None:
    """EX-22"""
    release, is_begun, behind = threading.Event(), threading.Event(), threading.Event()

    def hangs() -> None:
        is_begun.set()
        _wait(release)

    lanes.send(ENTRIES, hangs)
    lanes.send(ENTRIES, behind.set)
    assert is_begun.wait(PATIENCE)

    lanes.close()
    release.set()
    last = Threads("last").ask(lambda: None)

    assert last.result(PATIENCE) is None
    assert not behind.is_set()


def test_a_request_whose_thread_cannot_start_frees_its_lane(lanes: LaneThreads) -> None:
    """EX-22: who sent it is told, and the next one of the lane leaves."""
    sent: list[str] = []
    is_done = threading.Event()
    with no_thread_starts(), pytest.raises(NoThreadError):
        lanes.send(ENTRIES, lambda: sent.append("the first"))
    lanes.send(ENTRIES, lambda: sent.append("the second"))
    lanes.send(ENTRIES, is_done.set)

    assert is_done.wait(PATIENCE)
    assert sent == ["the second"]


def test_many_questions_are_asked_a_few_at_a_time_and_answered_in_their_order() -> None:
    """EX-17"""
    at_once, most, lock = 0, 0, threading.Lock()

    def question(number: int) -> int:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        with lock:
            at_once -= 1
        return number

    found = Threads("some").all_of([lambda n=n: question(n) for n in range(40)], 3)  # type: ignore[misc]

    assert found == list(range(40))
    assert most <= 3


def test_what_a_question_raises_is_told_to_whoever_waits_for_it() -> None:
    """EX-17"""

    def fails() -> None:
        raise ValueError("a symbol that is none")

    with pytest.raises(ValueError, match="none"):
        Threads("some").all_of([fails], 3)


def _wait(release: threading.Event) -> None:
    release.wait(PATIENCE)
