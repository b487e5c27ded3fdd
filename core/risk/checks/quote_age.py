"""A market order needs a young quote; a limit order only a warning (RK-17)."""

from __future__ import annotations

from core.model.quote import Feed, NoQuote
from core.model.staging import Verdict
from core.risk.checks.verdicts import passed, refused, warned
from core.risk.gate import Candidate, ReviewContext, is_market_like


class QuoteAgeCheck:
    """Shuts market entries, warns on limit orders; ends with the next quote."""

    name = "quote age"

    def review(self, candidate: Candidate, desk: ReviewContext) -> Verdict:
        found = refused if is_market_like(candidate.order) and desk.is_fresh else warned
        if isinstance(desk.quote, NoQuote):
            return found(self.name, f"no quote: {desk.quote.reason}")
        risk = desk.settings.risk
        limit = risk.quote_age_seconds_iex if desk.quote.feed is Feed.IEX else risk.quote_age_seconds
        age = desk.quote.age(desk.at).total_seconds()
        if age > limit:
            return found(self.name, f"{age:.1f} s old, limit {limit} s, feed {desk.quote.feed.value}")
        return passed(self.name, f"{age:.1f} s, {desk.quote.feed.value}")
