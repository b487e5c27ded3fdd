"""A market order needs a recent quote; for a limit order an old quote only warns (RK-17)."""

from __future__ import annotations

from core.model.quote import Feed, NoQuote
from core.model.staging import Verdict, unsaid
from core.risk.checks.verdicts import refused, warned, without
from core.risk.gate import Candidate, ReviewContext


class QuoteAgeCheck:
    """Shuts market entries, warns on limit orders; ends with the next quote."""

    name = "quote age"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        found = refused if state.is_fresh and not candidate.order.type.has_limit else warned
        if isinstance(state.quote, NoQuote):
            return found(self.name, without(state.quote))
        risk = state.settings.risk
        limit = risk.quote_age_seconds_iex if state.quote.feed is Feed.IEX else risk.quote_age_seconds
        age, feed = state.quote.age(state.at).total_seconds(), state.quote.feed.value
        if age > limit:
            return found(self.name, f"{age:.1f} s old, limit {limit} s, feed {feed}")
        return unsaid(self.name, lambda: f"{age:.1f} s, {feed}")
