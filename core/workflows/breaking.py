"""Hearing how the broker answers, whatever it is asked, and opening the breaker where it does not (EX-15).

A time-out, a 5xx, a broken connection, an answer that cannot be read is a failure. A refusal that the broker states is
an answer. While the breaker is open nothing is counted; what decides then is the one entry that is let through.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from core.desk import Desk
from core.effects import Effect
from core.execution.breaker import Phase
from core.facts import BreakerClosed, BreakerOpened, CallAnswered, CallFailed
from core.inputs import (
    AccountFetched,
    CancelAnswered,
    ClearBreaker,
    FiguresFetched,
    LookUpAnswered,
    PictureFetched,
    SubmissionAnswered,
)
from core.model.broker import NoAnswer
from core.workflows.contract import answers

Reply = SubmissionAnswered | CancelAnswered | LookUpAnswered | FiguresFetched | AccountFetched | PictureFetched
CALLS: dict[type[Reply], str] = {
    SubmissionAnswered: "order",
    CancelAnswered: "cancel",
    LookUpAnswered: "look-up",
    FiguresFetched: "figures",
    AccountFetched: "account",
    PictureFetched: "books",
}
"""The replies that are heard, and what was asked for."""


class Breaking:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    @answers(*CALLS)
    def hear(self, reply: Reply) -> Iterable[Effect]:
        """Before the reply's own workflow takes it up."""
        call = CALLS[type(reply)]
        breaker = self.desk.breaker
        trial = breaker.state.trial
        is_trial = isinstance(reply, SubmissionAnswered) and reply.client_order_id == trial
        if not is_trial and breaker.phase(self.desk.at) is not Phase.CLOSED:
            return ()
        if isinstance(reply.answer, NoAnswer):
            self._failed(call, reply.answer.reason, is_trial=is_trial)
        else:
            self._answered(call, _took(reply, self.desk), is_trial=is_trial)
        return ()

    def _failed(self, call: str, reason: str, *, is_trial: bool) -> None:
        self.desk.record(CallFailed(call, reason))
        limits = self.desk.control.settings.execution
        if is_trial:
            self._open(f"the entry that was let through had no answer: {reason}")
        elif self.desk.breaker.state.failures >= limits.breaker_failures:
            self._open(f"{limits.breaker_failures} requests in a row had no answer, the last: {call}, {reason}")

    def _answered(self, call: str, took: Decimal | None, *, is_trial: bool) -> None:
        """Told where it ends a row, adds to one, or decides; a broker that answers as it should is no news."""
        limits, state = self.desk.control.settings.execution, self.desk.breaker.state
        is_slow = took is not None and took > limits.breaker_slow_seconds
        ends_a_row = bool(state.failures) or (bool(state.slow) and took is not None)
        if is_slow or ends_a_row or is_trial:
            self.desk.record(CallAnswered(call, took, is_slow))
        if is_trial and not is_slow:
            self.desk.record(BreakerClosed("the broker answered the entry that was let through"))
        elif is_trial:
            self._open(f"the entry that was let through was answered after {took} s")
        elif state.slow >= limits.breaker_slow_times:
            self._open(f"{limits.breaker_slow_times} orders in a row were answered late, the last after {took} s")

    def _open(self, reason: str) -> None:
        """For a minute; the third time in an hour until the operator clears it."""
        limits, at = self.desk.control.settings.execution, self.desk.at
        is_latched = len(self.desk.breaker.openings_within_an_hour(at)) + 1 >= limits.breaker_openings
        until = None if is_latched else at + timedelta(seconds=float(limits.breaker_seconds))
        self.desk.record(BreakerOpened(reason, until))

    @answers(ClearBreaker)
    def on_clear(self, _command: ClearBreaker) -> Iterable[Effect]:
        """The operator's word, where the breaker is not closed already."""
        if self.desk.breaker.phase(self.desk.at) is not Phase.CLOSED:
            self.desk.record(BreakerClosed("cleared by the operator"))
        return ()


def _took(reply: Reply, desk: Desk) -> Decimal | None:
    """Seconds from the gateway's pass to the answer; None where nobody measured it."""
    if not isinstance(reply, SubmissionAnswered) or reply.sent_at is None:
        return None
    microseconds = (desk.at - reply.sent_at) // timedelta(microseconds=1)
    return (Decimal(microseconds) / 1_000_000).quantize(Decimal("0.001"))
