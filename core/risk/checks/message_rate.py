"""Entries leave a reserve in the rate of messages and requests to the broker for exits and cancels (RK-24)."""

from __future__ import annotations

from core.model.staging import Verdict
from core.risk.checks.verdicts import refused
from core.risk.gate import Candidate, ReviewContext
from core.risk.message_counts import for_entries, limits_of

SPANS = ("second", "minute", "day")


class MessageRateCheck:
    """Shuts every entry that would use the reserve, and warns of an exit; ends with the second, the minute or the day.

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
