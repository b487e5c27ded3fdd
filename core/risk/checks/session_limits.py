"""Outside regular hours an entry is a limit order, within the limits of those hours, at a tight spread (RK-20)."""

from __future__ import annotations

from decimal import Decimal

from core.model.instrument import BrokerInstrument, Hours
from core.model.quote import NoQuote, Quote
from core.model.session import Session
from core.model.staging import StopPlan, Verdict, unsaid
from core.model.values import Price, percent
from core.risk.checks.verdicts import lacking, passed, refused, unmeasured, usd
from core.risk.gate import Candidate, ReviewContext
from core.settings.portfolio import HoursSettings


class SessionLimitsCheck:
    """Shuts market orders and too large or too expensive entries outside regular hours; ends with the
    regular session.
    """

    name = "session limits"
    passes = passed(name, "regular hours; the profile's own limits")

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        if candidate.only_reduces:
            return passed(self.name, "closes; within any")
        limits = limits_of(state, is_marked=candidate.order.extended_hours)
        if limits is None:
            return self.passes
        if not candidate.order.type.has_limit:
            return refused(self.name, "outside regular hours only limit orders; give it a limit")
        price, risk, part = candidate.price(state.quote_of_now), state.settings.risk, limits.part
        notional, loss = risk.max_notional.of(state.equity), risk.per_trade.of(state.equity)
        if price is None or notional is None or loss is None:
            return lacking(self.name, price, state)
        if too_much := _too_much(candidate, state.quote_of_now, price, notional * part, loss * part):
            return refused(self.name, too_much)
        quote = state.quote_of_now
        if isinstance(quote, NoQuote):
            return unmeasured(self.name, f"no quote: {quote.reason}", is_fresh=state.is_fresh)
        if quote.spread > limits.spread_limit:
            spread, most = percent(quote.spread), percent(limits.spread_limit)
            return refused(self.name, f"{spread} of mid is over {most} outside regular hours; wait for a tighter one")
        cost = candidate.order.cost(price)
        return unsaid(self.name, lambda: f"{usd(cost)} of {usd(notional * part)} outside regular hours")


def _too_much(candidate: Candidate, quote: Quote | NoQuote, price: Price, most: Decimal, loss: Decimal) -> str | None:
    """Return why the order costs, or can lose, more than the limits of these hours."""
    cost = candidate.order.cost(price)
    if cost > most:
        return f"{usd(cost)} is over {usd(most)} outside regular hours; take fewer shares"
    if not isinstance(candidate.stop, StopPlan):
        return None
    risked = candidate.order.risk(candidate.stop.way_from(candidate.farthest(quote) or price))
    return f"{usd(risked)} at the stop is over {usd(loss)} then; take fewer shares" if risked > loss else None


def limits_of(state: ReviewContext, *, is_marked: bool = False) -> HoursSettings | None:
    """Return the limits of the current hours, or of the hours an order is marked for.

    None in a regular session, and where `regular_only` refuses other hours anyway.
    """
    session = state.settings.risk.session
    if isinstance(state.instrument, BrokerInstrument) and state.instrument.asked.hours is Hours.ALL_DAY:
        return session.crypto
    is_regular = isinstance(state.session, Session) and not is_marked
    return None if is_regular or session.policy == "regular_only" else session.extended
