"""The requests of a live desk to broker and market, each in its lane, and those without an outcome yet.

Everything here is called in the engine's thread, except for code that runs in a lane. An order that waits in its lane
can be withdrawn; right before the request the gateway checks once more. The engine learns of a sent request slightly
later, so that nothing comes between the check and the request.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from core.execution.gateway import TAKEN_BACK, Gateway, Withheld
from core.execution.lanes import lane_of
from core.messages.effects import CancelOrder, Effect, FetchPicture, ReplaceOrder, SubmitOrder
from core.messages.inputs import (
    CancelAnswered,
    Input,
    SubmissionAnswered,
    SubmissionBegan,
    SubmissionKept,
    SubmissionStopped,
)
from core.model.codes import BlockCode
from core.model.order import OrderRequest
from core.model.values import ClientOrderId
from core.runtime.call_record import CallListener, CallMade, call_made, counted
from core.runtime.lane_threads import LaneThreads, NoThreadError
from core.runtime.request_executor import RequestExecutor, no_answer
from core.settings.settings import Settings


def nobody_counts(_call: CallMade) -> None:
    """Ignore the call."""


class PendingRequests:
    """The outgoing requests.

    Parameters
    ----------
    settings
        The current settings. Called in the engine's thread: a lane gets the value of the time when its request was
        queued.
    clock
        The current time. Any thread.
    put, put_quietly
        Receive the outcomes. Any thread; the second is processed a moment later.
    tell
        Receives each finished request. Called in its lane; never waits and does not raise.
    """

    def __init__(
        self,
        gateway: Gateway,
        asking: RequestExecutor,
        settings: Callable[[], Settings],
        clock: Callable[[], datetime],
        put: Callable[[Input], None],
        put_quietly: Callable[[Input], None],
        tell: CallListener = nobody_counts,
    ) -> None:
        self.gateway = gateway
        self.asking = asking
        self.lanes = LaneThreads()
        self.is_shut = False
        self._settings = settings
        self._clock = clock
        self._put = put
        self._put_quietly = put_quietly
        self._tell = tell
        self._unanswered: dict[ClientOrderId, SubmitOrder | ReplaceOrder] = {}
        self._cancels: Counter[ClientOrderId] = Counter()
        self._beyond, self._before = 0, 0
        with suppress(Exception):  # an adapter that does not count, or breaks
            counts = counted(asking.broker)
            self._before = sum(sent for _, sent in counts.calls) - counts.beyond

    # ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────

    def send(self, effect: SubmitOrder | ReplaceOrder, at: datetime) -> None:
        """Queue an order behind its lane's earlier ones; for a reducing order, its permission is measured from `at`."""
        self._unanswered[effect.order.client_order_id] = effect
        settings = self._settings()
        try:
            self.lanes.send(lane_of(effect), lambda: self._send(effect, at, settings))
        except NoThreadError as error:
            self.refuse(effect, Withheld(str(error)))

    def ask(self, effect: Effect) -> None:
        """Queue a query or a cancel."""
        if isinstance(effect, CancelOrder):
            self._cancels[effect.client_order_id] += 1
        settings = self._settings()
        try:
            self.lanes.send(lane_of(effect), lambda: self._ask(effect, settings))
        except NoThreadError as error:
            self._put(no_answer(effect, str(error)))

    def take_back(self, order_id: ClientOrderId, why: Withheld = TAKEN_BACK) -> bool:
        """Withdraw an order that waits here. Return whether it was waiting; then it never leaves."""
        effect = self._unanswered.get(order_id)
        return effect is not None and self.refuse(effect, why)

    def refuse(self, effect: SubmitOrder | ReplaceOrder, why: Withheld) -> bool:
        """Stop an order that has not left. Return whether that was so; then it never leaves."""
        order_id = effect.order.client_order_id
        if not self.gateway.take_back(order_id):
            return False
        self._put(SubmissionStopped(order_id, why.words, effect.approval, why.code))
        return True

    def settle(self, message: Input) -> None:
        """Note that a request has its outcome."""
        if isinstance(message, SubmissionAnswered | SubmissionStopped | SubmissionKept):
            self._unanswered.pop(message.client_order_id, None)
        elif isinstance(message, CancelAnswered):
            self._cancels[message.client_order_id] -= 1
            if self._cancels[message.client_order_id] <= 0:
                del self._cancels[message.client_order_id]

    # ── leaving ──────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def awaits(self) -> bool:
        """Whether an answer to an order or a cancel is outstanding."""
        return bool(self._unanswered or self._cancels)

    @property
    def awaits_exits(self) -> bool:
        return any(effect.order.effect.only_reduces for effect in self._unanswered.values())

    def refuse_entries(self, why: str) -> list[OrderRequest]:
        """Stop the queued entries, and return them."""
        entries = [e for e in self._unanswered.values() if not e.order.effect.only_reduces]
        return [effect.order for effect in entries if self.refuse(effect, Withheld(why))]

    def close(self) -> tuple[list[SubmitOrder | ReplaceOrder], list[OrderRequest]]:
        """Send nothing from now on; return the orders that never left, and those that were sent and have no answer."""
        self.is_shut = True
        unanswered = tuple(self._unanswered.values())
        kept = [effect for effect in unanswered if self.gateway.take_back(effect.order.client_order_id)]
        self.lanes.close()
        self.asking.close()
        return kept, [effect.order for effect in unanswered if effect not in kept]

    # ── in a lane ────────────────────────────────────────────────────────────────────────────────────────────────

    def _send(self, effect: SubmitOrder | ReplaceOrder, queued_at: datetime, settings: Settings) -> None:
        """Send an order at its turn, after a last check of the latch and of the order itself."""
        order_id = effect.order.client_order_id
        sent_at = self._clock()
        withheld = self._withheld(effect, sent_at, queued_at)
        if withheld is not None:
            if withheld.code is not BlockCode.TAKEN_BACK:  # whoever withdrew it has already reported that
                self._put(SubmissionStopped(order_id, withheld.words, effect.approval, withheld.code))
            return
        self._put_quietly(SubmissionBegan(order_id))
        answer = self._answer_to(effect, settings)
        if isinstance(answer, SubmissionAnswered):
            given_back = self.gateway.given_back(effect, answer.answer)
            answer = replace(answer, sent_at=sent_at, approval=given_back)
        self._put(answer)
        self._tell_counts()

    def _withheld(self, effect: SubmitOrder | ReplaceOrder, now: datetime, queued_at: datetime) -> Withheld | None:
        """Return why the gateway blocks an order; on an error of the gateway block it too, and free the lane."""
        try:
            return self.gateway.refusal(effect, now, queued_at)
        except Exception as error:
            return Withheld(f"the last look before it failed: {type(error).__name__}: {error}")

    def _ask(self, effect: Effect, settings: Settings) -> None:
        self._put(self._answer_to(effect, settings))
        self._tell_counts(is_told=isinstance(effect, FetchPicture))

    def _tell_counts(self, *, is_told: bool = False) -> None:
        """Report the request counts with each copy of the broker's books, and when more was sent than was counted.

        Requests sent before the engine's first one are included (RK-24).
        """
        with suppress(Exception):  # a failure to count must not stop the lane
            counts = counted(self.asking.broker, self.asking.market)
            counts = replace(counts, beyond=counts.beyond + self._before)
            if is_told or counts.beyond != self._beyond:
                self._beyond = counts.beyond
                self._put(counts)

    def _answer_to(self, effect: Effect, settings: Settings) -> Input:
        """Return the answer of an adapter. Adapters never raise; if one does, the outcome counts as unknown."""
        begun = time.perf_counter()
        try:
            answer = self.asking.ask(effect, settings)
        except Exception as error:
            answer = no_answer(effect, f"{type(error).__name__}: {error}")
        self._tell(call_made(effect, answer, self._clock(), time.perf_counter() - begun))
        return answer
