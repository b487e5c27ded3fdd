"""The way out of a live desk: what fails in a lane is told, and holds nothing up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from queue import Queue
from typing import Any, cast

import pytest
from syrupy.assertion import SnapshotAssertion

from core.execution.gateway import Gateway, Lane, LaneKind
from core.messages.effects import CancelOrder, SubmitOrder
from core.messages.inputs import CancelAnswered, Input, SubmissionAnswered, SubmissionBegan, SubmissionStopped
from core.model.broker import Accepted, NoAnswer, Refused
from core.model.codes import RefusalKind
from core.model.staging import Approval
from core.model.values import ClientOrderId, TicketId
from core.runtime.call_record import CallMade, CallOutcome
from core.runtime.inbox import NoThreadError, Threads
from core.runtime.pending_requests import PendingRequests, RequestExecutor
from core.settings.settings import Settings
from tests.kit.no_threads import no_thread_starts
from tests.unit.core.execution.books import TEN, a_request

pytestmark = pytest.mark.usefixtures("timeline")


class BrokenOnce:
    """A latch that cannot be read the first time."""

    def __init__(self) -> None:
        self.asked = 0

    def shut(self) -> str | None:
        self.asked += 1
        if self.asked == 1:
            raise OSError("the disk is gone")
        return None


class Answers:
    """Takes every order; nothing here reads what it says of it."""

    def ask(self, effect: SubmitOrder, _settings: Settings) -> Input:
        return SubmissionAnswered(effect.order.client_order_id, cast(Accepted, None))

    def close(self) -> None:
        pass


def a_submission(name: str) -> SubmitOrder:
    order = replace(a_request(limit="100"), client_order_id=ClientOrderId(name))
    return SubmitOrder(order, Approval(f"approval {name}", TicketId("t-1"), None, order.digest("paper"), TEN))


def test_a_failing_last_check_sends_nothing(snapshot: SnapshotAssertion) -> None:
    """OP-08, EX-22"""
    heard: Queue[Any] = Queue()
    asking = cast(RequestExecutor, Answers())
    gateway = Gateway("paper", BrokenOnce())
    sending = PendingRequests(gateway, asking, Settings, lambda: TEN, heard.put, heard.put)

    sending.send(a_submission("first"), TEN)
    sending.send(a_submission("second"), TEN)
    told = [heard.get() for _ in range(3)]

    assert [type(message) for message in told] == [SubmissionStopped, SubmissionBegan, SubmissionAnswered]
    assert told[0].reason == snapshot
    assert [message.client_order_id for message in told] == ["first", "second", "second"]
    sending.close()


def test_a_request_without_a_thread_is_answered() -> None:
    """EX-22: an order never leaves, and a cancel may be asked for again."""
    heard: Queue[Any] = Queue()
    latch = BrokenOnce()
    latch.asked = 1
    gateway = Gateway("paper", latch)
    sending = PendingRequests(gateway, cast(RequestExecutor, Answers()), Settings, lambda: TEN, heard.put, heard.put)

    with no_thread_starts():
        sending.send(a_submission("first"), TEN)
        sending.ask(CancelOrder(ClientOrderId("other"), None))
    sending.send(a_submission("second"), TEN)
    told = [heard.get() for _ in range(4)]

    no_thread = "this machine starts no thread for it: can't start new thread"
    assert told[0] == SubmissionStopped(ClientOrderId("first"), no_thread, a_submission("first").approval)
    assert told[1] == CancelAnswered(ClientOrderId("other"), NoAnswer(no_thread))
    assert [type(message) for message in told[2:]] == [SubmissionBegan, SubmissionAnswered]
    sending.close()


def test_each_request_is_timed_with_its_outcome(snapshot: SnapshotAssertion) -> None:
    """EX-16, SY-05: in its lane, a broken adapter's too."""
    heard: Queue[Any] = Queue()
    calls: Queue[CallMade] = Queue()
    latch = BrokenOnce()
    latch.asked = 1
    asking = cast(RequestExecutor, RefusesOrders())
    sending = PendingRequests(Gateway("paper", latch), asking, Settings, lambda: TEN, heard.put, heard.put, calls.put)

    sending.send(a_submission("first"), TEN)
    refused = calls.get()
    sending.ask(CancelOrder(ClientOrderId("other"), None))
    failed = calls.get()

    assert (refused.at, refused.kind, refused.outcome, refused.order) == (TEN, "submit", CallOutcome.REFUSED, "first")
    assert (refused.refusal, refused.words, refused.symbol) == (RefusalKind.NOT_SHORTABLE, snapshot, "SPY")
    assert (failed.kind, failed.outcome, failed.order) == ("cancel", CallOutcome.NO_ANSWER, "other")
    assert failed.words == "RuntimeError: broken"
    assert min(refused.seconds, failed.seconds) >= 0
    sending.close()


class RefusesOrders:
    """Takes no order, and breaks at anything else."""

    def ask(self, effect: SubmitOrder, _settings: Settings) -> Input:
        if not isinstance(effect, SubmitOrder):
            raise RuntimeError("broken")
        return SubmissionAnswered(effect.order.client_order_id, Refused(RefusalKind.NOT_SHORTABLE, "no shares to lend"))

    def close(self) -> None:
        pass


ENTRIES, LOOK_UP = Lane(LaneKind.ENTRIES), Lane(LaneKind.LOOK_UPS, "one")


@pytest.fixture
def lanes() -> Iterator[PendingRequests]:
    asking, heard = cast(RequestExecutor, Answers()), Queue[Any]()
    found = PendingRequests(Gateway("paper", BrokenOnce()), asking, Settings, lambda: TEN, heard.put, heard.put)
    yield found
    found.close()


def test_a_lane_sends_in_order(lanes: PendingRequests) -> None:
    """EX-22"""
    sent: list[int] = []
    is_done = threading.Event()
    for number in range(50):
        lanes.queue(ENTRIES, lambda number=number: sent.append(number))  # type: ignore[misc]
    lanes.queue(ENTRIES, is_done.set)

    is_done.wait()
    assert sent == list(range(50))


def test_a_hanging_request_holds_its_own_lane(lanes: PendingRequests) -> None:
    """EX-22: six look-ups of one order and an entry hang; others go on."""
    release, another, behind = threading.Event(), threading.Event(), threading.Event()
    for _ in range(6):
        lanes.queue(LOOK_UP, lambda: release.wait() and None)
    lanes.queue(ENTRIES, lambda: release.wait() and None)
    lanes.queue(ENTRIES, behind.set)
    lanes.queue(Lane(LaneKind.EXITS, "SPY"), another.set)

    another.wait()
    assert not behind.is_set()
    release.set()
    behind.wait()


def test_closing_drops_waiting_requests(lanes: PendingRequests) -> None:
    """EX-22"""
    release, is_begun, behind = threading.Event(), threading.Event(), threading.Event()

    def hangs() -> None:
        is_begun.set()
        release.wait()

    lanes.queue(ENTRIES, hangs)
    lanes.queue(ENTRIES, behind.set)
    is_begun.wait()

    lanes.close()
    release.set()
    last = Threads("last").ask(lambda: None)

    assert last.result() is None
    assert not behind.is_set()


def test_a_failed_thread_start_frees_its_lane(lanes: PendingRequests) -> None:
    """EX-22: who sent it is told, and the next one of the lane leaves."""
    sent: list[str] = []
    is_done = threading.Event()
    with no_thread_starts(), pytest.raises(NoThreadError):
        lanes.queue(ENTRIES, lambda: sent.append("the first"))
    lanes.queue(ENTRIES, lambda: sent.append("the second"))
    lanes.queue(ENTRIES, is_done.set)

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
