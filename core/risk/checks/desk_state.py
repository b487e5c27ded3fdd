"""Checks of the desk itself: killed, halted, its mode, its breaker, its queue, its message rate."""

from __future__ import annotations

from core.execution.breaker import BreakerPhase
from core.execution.ledger import Ledger
from core.model.account import Mode
from core.model.staging import Verdict, unsaid
from core.risk.gate import Candidate, ReviewContext, passed, refused
from core.risk.message_counts import for_entries, limits_of


class KillCheck:
    """No entry is allowed while the desk is killed, halted or read-only (OP-07, EX-14).

    Shuts every entry; ends with the operator's U, CLEAR or REARM, with reconciled books, or with reloaded limits.
    """

    name = "kill switch"
    passes = passed(name, "entries are on")

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        refusal = state.control.refusal()
        return refused(self.name, refusal) if refusal else self.passes


class BreakerCheck:
    """No entry is allowed while the broker's circuit breaker is open (EX-15).

    Shuts every entry; ends when its time has passed and one entry is answered well, or when the
    operator clears it.
    """

    name = "breaker"
    passes = passed(name, "closed; the broker answers")

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        phase = state.breaker.phase(state.at)
        if phase is BreakerPhase.CLOSED and not candidate.only_reduces:
            return self.passes
        refusal = state.breaker.refusal(state.at)
        if candidate.only_reduces:
            # Exits are never blocked; the ticket warns that no answer may come (RK-22).
            failures = state.breaker.state.in_a_row
            if refusal is None and not failures:
                return self.passes
            why = refusal or f"{failures} in a row without an answer"
            return refused(self.name, f"{why}; this one goes out, and is in doubt until the broker answers")
        if refusal is not None:
            return refused(self.name, refusal)
        return unsaid(self.name, lambda: f"{phase.value}; the broker answers")


class BackPressureCheck:
    """No further entry is staged while too many orders wait for the broker's answer (EX-15).

    Shuts every entry; ends when the broker has answered enough of them.

    Strategies decline with BACK_PRESSURE instead; this check is for manual orders.
    """

    name = "back-pressure"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        if candidate.only_reduces:
            return passed(self.name, "closes; waits for none")
        queued, most = queued_orders(state.ledger), state.settings.execution.max_queued
        if queued > most:
            return refused(self.name, f"{queued} orders wait for the broker's answer, more than {most}")
        return unsaid(self.name, lambda: f"{queued} of {most} wait for an answer")


def queued_orders(ledger: Ledger) -> int:
    """Count pending orders without an answer; orders in doubt are looked up and do not count."""
    return len([o for o in ledger.pending() if o.in_doubt_since is None])


SPANS = ("second", "minute", "day")


class MessageRateCheck:
    """Entries leave a reserve in the rate of messages and requests to the broker for exits and cancels (RK-24).

    Shuts every entry that would use the reserve, and warns of an exit; ends with the second, the minute or the day.

    Exits and cancels are never blocked, whatever `risk.messages` says.
    """

    name = "message rate"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        terms = state.settings.risk.messages
        if not terms.enabled:
            return None
        limits = limits_of(terms, state.capabilities.messages_a_minute)
        if (full := self._full_of_requests(state)) is not None:
            return full
        if state.messages.is_quiet(limits, terms.reserve):
            return None
        sent = state.messages.sent(state.at, state.day)
        for span, count, limit in zip(SPANS, sent, limits, strict=True):
            if count < (allowed := for_entries(limit, terms.reserve)):
                continue
            words = f"FULL, {count} of {limit} messages to the broker in the {span}"
            return refused(self.name, f"{words}; {limit - allowed} are kept for exits and cancels")
        return None

    def _full_of_requests(self, state: ReviewContext) -> Verdict | None:
        """Check all requests of a minute against the broker's own limit."""
        limit, reserve = state.capabilities.messages_a_minute, state.settings.risk.messages.reserve
        if limit is None:
            return None
        count, allowed = state.messages.requests(state.at), for_entries(limit, reserve)
        if count < allowed:
            return None
        words = f"FULL, {count} of {limit} requests to the broker in the minute"
        return refused(self.name, f"{words}; {limit - allowed} are kept for exits and cancels")


class ModeCheck:
    """Live trading only when both the settings and the environment ask for it (OP-10).

    Shuts every entry; ends with a start where both agree.
    """

    name = "mode"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        if state.mode is Mode.LIVE and state.settings.account.mode is not Mode.LIVE:
            return refused(self.name, "the account is live and account.mode is paper; start the desk again")
        return passed(self.name, state.mode.value)
