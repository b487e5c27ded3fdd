"""The way out of a live desk: what fails in a lane is told, and holds nothing up."""

from __future__ import annotations

from dataclasses import replace
from queue import SimpleQueue
from typing import Any, cast

from core.effects import SubmitOrder
from core.execution.departing import Departing
from core.execution.gateway import Gateway
from core.inputs import Input, SubmissionAnswered, SubmissionBegan, SubmissionStopped
from core.model.broker import Accepted
from core.model.staging import Approval
from core.model.values import ClientOrderId, TicketId
from core.runtime.asking import Asking
from core.runtime.sending import Sending
from tests.unit.core.execution.books import TEN, a_request
from tests.waiting import PATIENCE


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

    def ask(self, effect: SubmitOrder) -> Input:
        return SubmissionAnswered(effect.order.client_order_id, cast(Accepted, None))

    def close(self) -> None:
        pass


def a_submission(name: str) -> SubmitOrder:
    order = replace(a_request(limit="100"), client_order_id=ClientOrderId(name))
    return SubmitOrder(order, Approval(f"approval {name}", TicketId("t-1"), None, order.digest("paper"), TEN))


def test_a_last_look_that_fails_lets_nothing_out_and_the_next_order_leaves() -> None:
    """OP-08, EX-22"""
    heard: SimpleQueue[Any] = SimpleQueue()
    asking = cast(Asking, Answers())
    gateway = Gateway("paper", BrokenOnce())
    sending = Sending(gateway, asking, Departing(), lambda: TEN, heard.put, heard.put)

    sending.send(a_submission("first"), TEN)
    sending.send(a_submission("second"), TEN)
    told = [heard.get(timeout=PATIENCE) for _ in range(3)]

    assert [type(message) for message in told] == [SubmissionStopped, SubmissionBegan, SubmissionAnswered]
    assert told[0].reason == "the last look before it failed: OSError: the disk is gone"
    assert [message.client_order_id for message in told] == ["first", "second", "second"]
    sending.close()
