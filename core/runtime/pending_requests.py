"""What a live desk asks of broker and market: each request in its lane, and what has no outcome yet.

Everything here is called in the engine's thread but what runs in a lane. An order that waits in its lane can be taken
back; just before its request the gateway looks once more. The engine hears that a request left a moment after it did:
nothing of ours stands between the permission and the wire.
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
from core.runtime.call_counts import counted
from core.runtime.call_record import CallListener, CallMade, call_made
from core.runtime.lane_threads import LaneThreads, NoThreadError
from core.runtime.request_executor import RequestExecutor, no_answer
from core.settings.settings import Settings


def nobody_counts(_call: CallMade) -> None:
    """Nobody is told."""


class PendingRequests:
    """The way out.

    Parameters
    ----------
    settings
        Those in force. In the engine's thread: a lane is given what they were as its request was taken in.
    clock
        The time now. Any thread.
    put, put_quietly
        Where outcomes go. Any thread; the second is looked at a moment later.
    tell
        Who hears of each request that has come to something. Called in its lane; never waits and does not raise.
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
        """Behind what its lane sends first; `at` is when its permission is measured where it only reduces."""
        self._unanswered[effect.order.client_order_id] = effect
        settings = self._settings()
        try:
            self.lanes.send(lane_of(effect), lambda: self._send(effect, at, settings))
        except NoThreadError as error:
            self.refuse(effect, Withheld(str(error)))

    def ask(self, effect: Effect) -> None:
        """A question, or a cancel."""
        if isinstance(effect, CancelOrder):
            self._cancels[effect.client_order_id] += 1
        settings = self._settings()
        try:
            self.lanes.send(lane_of(effect), lambda: self._ask(effect, settings))
        except NoThreadError as error:
            self._put(no_answer(effect, str(error)))

    def take_back(self, order_id: ClientOrderId, why: Withheld = TAKEN_BACK) -> bool:
        """Whether it waited here, and never leaves."""
        effect = self._unanswered.get(order_id)
        return effect is not None and self.refuse(effect, why)

    def refuse(self, effect: SubmitOrder | ReplaceOrder, why: Withheld) -> bool:
        """Whether it has not left; then it never does."""
        order_id = effect.order.client_order_id
        if not self.gateway.take_back(order_id):
            return False
        self._put(SubmissionStopped(order_id, why.words, effect.approval, why.code))
        return True

    def settle(self, message: Input) -> None:
        """What was asked for has come to something."""
        if isinstance(message, SubmissionAnswered | SubmissionStopped | SubmissionKept):
            self._unanswered.pop(message.client_order_id, None)
        elif isinstance(message, CancelAnswered):
            self._cancels[message.client_order_id] -= 1
            if self._cancels[message.client_order_id] <= 0:
                del self._cancels[message.client_order_id]

    # ── leaving ──────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def awaits(self) -> bool:
        """Whether an answer is to come to an order or a cancel."""
        return bool(self._unanswered or self._cancels)

    @property
    def awaits_exits(self) -> bool:
        return any(effect.order.effect.only_reduces for effect in self._unanswered.values())

    def refuse_entries(self, why: str) -> list[OrderRequest]:
        """Those that wait for their turn."""
        entries = [e for e in self._unanswered.values() if not e.order.effect.only_reduces]
        return [effect.order for effect in entries if self.refuse(effect, Withheld(why))]

    def close(self) -> tuple[list[SubmitOrder | ReplaceOrder], list[OrderRequest]]:
        """Nothing leaves from here on: what never did, and what did and has no answer."""
        self.is_shut = True
        unanswered = tuple(self._unanswered.values())
        kept = [effect for effect in unanswered if self.gateway.take_back(effect.order.client_order_id)]
        self.lanes.close()
        self.asking.close()
        return kept, [effect.order for effect in unanswered if effect not in kept]

    # ── in a lane ────────────────────────────────────────────────────────────────────────────────────────────────

    def _send(self, effect: SubmitOrder | ReplaceOrder, queued_at: datetime, settings: Settings) -> None:
        """At its turn: the latch is read, and whether the order still stands, just before the request."""
        order_id = effect.order.client_order_id
        sent_at = self._clock()
        withheld = self._withheld(effect, sent_at, queued_at)
        if withheld is not None:
            if withheld.code is not BlockCode.TAKEN_BACK:  # whoever took it back has said so
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
        """A look that fails lets nothing out, and holds no lane."""
        try:
            return self.gateway.refusal(effect, now, queued_at)
        except Exception as error:
            return Withheld(f"the last look before it failed: {type(error).__name__}: {error}")

    def _ask(self, effect: Effect, settings: Settings) -> None:
        self._put(self._answer_to(effect, settings))
        self._tell_counts(is_told=isinstance(effect, FetchPicture))

    def _tell_counts(self, *, is_told: bool = False) -> None:
        """With each picture of the books, and where more was sent than was counted as it left, also before the engine
        asked for anything (RK-24).
        """
        with suppress(Exception):  # a lane goes on although somebody could not count
            counts = counted(self.asking.broker, self.asking.market)
            counts = replace(counts, beyond=counts.beyond + self._before)
            if is_told or counts.beyond != self._beyond:
                self._beyond = counts.beyond
                self._put(counts)

    def _answer_to(self, effect: Effect, settings: Settings) -> Input:
        """An adapter never raises; one that does has said nothing that could be believed."""
        begun = time.perf_counter()
        try:
            answer = self.asking.ask(effect, settings)
        except Exception as error:
            answer = no_answer(effect, f"{type(error).__name__}: {error}")
        self._tell(call_made(effect, answer, self._clock(), time.perf_counter() - begun))
        return answer
