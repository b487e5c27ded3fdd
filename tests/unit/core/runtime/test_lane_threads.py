"""Threads for requests: in order within a lane, and no lane behind another."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from core.execution.lanes import Lane, LaneKind
from core.runtime.lane_threads import LaneThreads, NoThreadError, Threads
from tests.kit.no_threads import no_thread_starts

pytestmark = pytest.mark.usefixtures("timeline")

ENTRIES, LOOK_UP = Lane(LaneKind.ENTRIES), Lane(LaneKind.LOOK_UPS, "one")


@pytest.fixture
def lanes() -> Iterator[LaneThreads]:
    found = LaneThreads()
    yield found
    found.close()


def test_a_lane_sends_in_order(lanes: LaneThreads) -> None:
    """EX-22"""
    sent: list[int] = []
    is_done = threading.Event()
    for number in range(50):
        lanes.send(ENTRIES, lambda number=number: sent.append(number))  # type: ignore[misc]
    lanes.send(ENTRIES, is_done.set)

    is_done.wait()
    assert sent == list(range(50))


def test_a_hanging_request_holds_its_own_lane(lanes: LaneThreads) -> None:
    """EX-22: six look-ups of one order and an entry hang; others go on."""
    release, another, behind = threading.Event(), threading.Event(), threading.Event()
    for _ in range(6):
        lanes.send(LOOK_UP, lambda: _wait(release))
    lanes.send(ENTRIES, lambda: _wait(release))
    lanes.send(ENTRIES, behind.set)
    lanes.send(Lane(LaneKind.EXITS, "SPY"), another.set)

    another.wait()
    assert not behind.is_set()
    release.set()
    behind.wait()


def test_closing_drops_waiting_requests(lanes: LaneThreads) -> None:
    """EX-22"""
    release, is_begun, behind = threading.Event(), threading.Event(), threading.Event()

    def hangs() -> None:
        is_begun.set()
        _wait(release)

    lanes.send(ENTRIES, hangs)
    lanes.send(ENTRIES, behind.set)
    is_begun.wait()

    lanes.close()
    release.set()
    last = Threads("last").ask(lambda: None)

    assert last.result() is None
    assert not behind.is_set()


def test_a_failed_thread_start_frees_its_lane(lanes: LaneThreads) -> None:
    """EX-22: who sent it is told, and the next one of the lane leaves."""
    sent: list[str] = []
    is_done = threading.Event()
    with no_thread_starts(), pytest.raises(NoThreadError):
        lanes.send(ENTRIES, lambda: sent.append("the first"))
    lanes.send(ENTRIES, lambda: sent.append("the second"))
    lanes.send(ENTRIES, is_done.set)

    is_done.wait()
    assert sent == ["the second"]


def test_questions_are_bounded_and_ordered() -> None:
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


def test_a_questions_error_reaches_its_asker() -> None:
    """EX-17"""

    def fails() -> None:
        raise ValueError("a symbol that is none")

    with pytest.raises(ValueError, match="none"):
        Threads("some").all_of([fails], 3)


def _wait(release: threading.Event) -> None:
    release.wait()
