"""Entries leave room in the rate of messages to the broker: exits and cancels keep a reserve (RK-24)."""

from __future__ import annotations

from core.model.staging import Verdict
from core.risk.checks.verdicts import refused
from core.risk.gate import Candidate, ReviewContext
from core.risk.message_counts import for_entries, limits_of

SPANS = ("second", "minute", "day")


class MessageRateCheck:
    """Shuts every entry that would eat the reserve, and warns of an exit; ends with the second, the minute or the day.

    Exits and cancels are never held, whatever `risk.messages` says.
    """

    name = "message rate"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        terms = state.settings.risk.messages
        if not terms.enabled:
            return None
        limits = limits_of(terms, state.capabilities.messages_a_minute)
        if state.messages.is_quiet(limits, terms.reserve):
            return None
        sent = state.messages.sent(state.at, state.day)
        for span, count, limit in zip(SPANS, sent, limits, strict=True):
            if count < (allowed := for_entries(limit, terms.reserve)):
                continue
            words = f"FULL, {count} of {limit} messages to the broker in the {span}"
            return refused(self.name, f"{words}; {limit - allowed} are kept for exits and cancels")
        return None
