"""A market order needs a tight spread; for a limit order a wide spread only warns (RK-17)."""

from __future__ import annotations

from decimal import Decimal

from core.model.quote import NoQuote, Quote
from core.model.staging import StopPlan, Verdict, unsaid
from core.model.values import percent
from core.risk.checks.verdicts import refused, warned, without
from core.risk.gate import Candidate, ReviewContext


class SpreadCheck:
    """Shuts market entries, warns on limit orders; ends with a tighter quote."""

    name = "spread"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        found = refused if state.is_fresh and not candidate.order.type.has_limit else warned
        quote = state.quote
        if isinstance(quote, NoQuote):
            return found(self.name, without(quote))
        if quote.bid <= 0 or quote.ask < quote.bid:
            return found(self.name, f"the quote {quote.bid} × {quote.ask} is crossed or empty; wait for a better one")
        limit = state.settings.risk.spread_limit
        if quote.spread > limit:
            return found(self.name, f"{percent(quote.spread)} of mid is over {percent(limit)}; wait for a tighter one")
        way, part = _way_to_stop(candidate, quote), state.settings.risk.spread_of_stop_limit
        if way is not None and quote.width() > part * way:
            of_way = f"{percent(part)} of the way to the stop"
            return found(self.name, f"{quote.width()} USD is over {of_way}, {way} USD; wait for a tighter one")
        return unsaid(self.name, lambda: f"{percent(quote.spread)} of mid, limit {percent(limit)}")


def _way_to_stop(candidate: Candidate, quote: Quote) -> Decimal | None:
    """Return the shortest distance to the stop in USD: a marketable limit may fill nearer to its stop than
    its price.
    """
    nearest = candidate.nearest(quote)
    return candidate.stop.way_from(nearest) if isinstance(candidate.stop, StopPlan) and nearest is not None else None
