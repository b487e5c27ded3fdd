"""The way out of a live desk: what fails in a lane is told, and holds nothing up."""

from __future__ import annotations

from dataclasses import replace
from queue import Queue
from typing import Any, cast

import pytest
from syrupy.assertion import SnapshotAssertion

from core.execution.gateway import Gateway
from core.messages.effects import CancelOrder, SubmitOrder
from core.messages.inputs import CancelAnswered, Input, SubmissionAnswered, SubmissionBegan, SubmissionStopped
from core.model.broker import Accepted, NoAnswer, Refused
from core.model.codes import RefusalKind
from core.model.staging import Approval
from core.model.values import ClientOrderId, TicketId
from core.runtime.call_record import CallMade, CallOutcome
from core.runtime.pending_requests import PendingRequests
from core.runtime.request_executor import RequestExecutor
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
