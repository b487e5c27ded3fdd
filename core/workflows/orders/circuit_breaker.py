"""Open and close the circuit breaker of entries by how the broker answers (EX-15).

A time-out, a 5xx, a broken connection or an unreadable answer is a failure. A stated refusal is an answer. Failures in
a row are counted of all requests together, and of orders alone: where only order entry fails, answered queries end no
row of failed orders. While the breaker is open nothing is counted; the result of the one trial entry decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from core.execution.breaker import ORDER_CALL, BreakerPhase
from core.facts import BreakerClosed, BreakerOpened, CallAnswered, CallFailed
from core.messages.commands import ClearBreaker
from core.messages.effects import Effect
from core.messages.inputs import (
    AccountFetched,
    BooksFetched,
    CancelAnswered,
    FiguresFetched,
    LookUpAnswered,
    SubmissionAnswered,
)
from core.model.broker import NoAnswer
from core.trading_state.state import TradingState
from core.workflows.workflow import answers

Reply = SubmissionAnswered | CancelAnswered | LookUpAnswered | FiguresFetched | AccountFetched | BooksFetched


CALLS: dict[type[Reply], str] = {
    SubmissionAnswered: ORDER_CALL,
    CancelAnswered: "cancel",
    LookUpAnswered: "look-up",
    FiguresFetched: "figures",
    AccountFetched: "account",
    BooksFetched: "books",
}
"""The counted replies, with the name of the request."""


class CircuitBreaker:
    def __init__(self, state: TradingState) -> None:
        self.state = state

    @answers(*CALLS)
    def hear(self, reply: Reply) -> Iterable[Effect]:
        """Count the reply before its own workflow handles it."""
        call = CALLS[type(reply)]
        breaker = self.state.breaker
        trial = breaker.state.trial
        is_trial = isinstance(reply, SubmissionAnswered) and reply.client_order_id == trial
        if not is_trial and breaker.phase(self.state.at) is not BreakerPhase.CLOSED:
            return ()
        # Rate limits and answers for another account count as answers. For an order a limit still leaves a doubt.
        is_order, answer = isinstance(reply, SubmissionAnswered), reply.answer
        is_reachable = isinstance(answer, NoAnswer) and (answer.limited_seconds is not None or answer.is_other_account)
        if not is_order and is_reachable:
            return ()
        if isinstance(reply.answer, NoAnswer):
            self._failed(call, reply.answer.reason, is_trial=is_trial)
        else:
            self._answered(call, _took(reply, self.state), is_trial=is_trial)
        return ()

    def _failed(self, call: str, reason: str, *, is_trial: bool) -> None:
        state, limits = self.state.breaker.state, self.state.control.settings.execution
        self.state.record(CallFailed(call, reason, state.order_failures + 1 if call == ORDER_CALL else 0))
        if is_trial:
            self._open(f"the entry that was let through had no answer: {reason}")
        elif state.in_a_row >= limits.breaker_failures:
            requests = "requests" if state.failures >= limits.breaker_failures else "orders"
            self._open(f"{limits.breaker_failures} {requests} in a row had no answer, the last: {call}, {reason}")

    def _answered(self, call: str, took: Decimal | None, *, is_trial: bool) -> None:
        """Record an answer that ends a series, adds to one, or decides a trial; other answers are not recorded."""
        limits, state = self.state.control.settings.execution, self.state.breaker.state
        is_slow = took is not None and took > limits.breaker_slow_seconds
        ends_a_row_of_orders = call == ORDER_CALL and bool(state.order_failures)
        ends_a_row = bool(state.failures) or ends_a_row_of_orders or (bool(state.slow) and took is not None)
        if is_slow or ends_a_row or is_trial:
            self.state.record(CallAnswered(call, took, is_slow))
        if is_trial and not is_slow:
            self.state.record(BreakerClosed("the broker answered the entry that was let through"))
        elif is_trial:
            self._open(f"the entry that was let through was answered after {took} s")
        elif state.slow >= limits.breaker_slow_times:
            self._open(f"{limits.breaker_slow_times} orders in a row were answered late, the last after {took} s")

    def _open(self, reason: str) -> None:
        """Open the breaker for a minute; the third time in an hour until the operator clears it."""
        limits, at = self.state.control.settings.execution, self.state.at
        is_latched = len(self.state.breaker.openings_within_an_hour(at)) + 1 >= limits.breaker_openings
        until = None if is_latched else at + timedelta(seconds=float(limits.breaker_seconds))
        self.state.record(BreakerOpened(reason, until))

    @answers(ClearBreaker)
    def on_clear(self, _command: ClearBreaker) -> Iterable[Effect]:
        """Clear the breaker if it is not closed already."""
        if self.state.breaker.phase(self.state.at) is not BreakerPhase.CLOSED:
            self.state.record(BreakerClosed("cleared by the operator"))
        return ()


def _took(reply: Reply, state: TradingState) -> Decimal | None:
    """Return the seconds from the gateway's release to the answer; None if they were not measured."""
    if not isinstance(reply, SubmissionAnswered) or reply.sent_at is None:
        return None
    microseconds = (state.at - reply.sent_at) // timedelta(microseconds=1)
    return (Decimal(microseconds) / 1_000_000).quantize(Decimal("0.001"))
