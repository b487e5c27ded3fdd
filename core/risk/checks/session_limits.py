"""Outside regular hours an entry is a limit order, within the limits of those hours, at a tight spread (RK-20)."""

from __future__ import annotations

from core.model.instrument import Instrument
from core.model.quote import Quote
from core.model.session import Session
from core.model.staging import StopPlan, Verdict
from core.risk.checks.verdicts import passed, percent, refused, unmeasured, usd
from core.risk.gate import Candidate, ReviewContext, is_market_like
from core.risk.terms import HoursLimits


class SessionLimitsCheck:
    name = "session limits"

    def review(self, candidate: Candidate, desk: ReviewContext) -> Verdict:
        if candidate.only_reduces:
            return passed(self.name, "closes; within any")
        limits = _limits_of(desk)
        if limits is None:
            return passed(self.name, "regular hours; the profile's own limits")
        if is_market_like(candidate.order):
            return refused(self.name, "outside regular hours only limit orders; give it a limit")
        if not isinstance(desk.quote, Quote):
            return unmeasured(self.name, f"no quote: {desk.quote.reason}", is_fresh=desk.is_fresh)
        if desk.quote.spread > limits.spread_limit:
            spread, most = percent(desk.quote.spread), percent(limits.spread_limit)
            return refused(self.name, f"{spread} of mid is over {most} outside regular hours; wait for a tighter one")
        return self._sized(candidate, desk, limits)

    def _sized(self, candidate: Candidate, desk: ReviewContext, limits: HoursLimits) -> Verdict:
        price, risk = candidate.price(desk.quote), desk.settings.risk
        notional, loss = risk.max_notional.of(desk.equity), risk.per_trade.of(desk.equity)
        if price is None or notional is None or loss is None:
            return unmeasured(self.name, "no price or no equity to measure it by", is_fresh=desk.is_fresh)
        cost, most = price * candidate.order.quantity, notional * limits.part
        if cost > most:
            return refused(self.name, f"{usd(cost)} is over {usd(most)} outside regular hours; take fewer shares")
        if isinstance(candidate.stop, StopPlan):
            risked = abs(price - candidate.stop.price) * candidate.order.quantity
            if risked > loss * limits.part:
                return refused(
                    self.name, f"{usd(risked)} at the stop is over {usd(loss * limits.part)} then; take fewer shares"
                )
        return passed(self.name, f"{usd(cost)} of {usd(most)} outside regular hours")


def _limits_of(desk: ReviewContext) -> HoursLimits | None:
    """Of the hours that it is; None in a regular session, and where `regular_only` refuses any other anyway."""
    session = desk.settings.risk.session
    if isinstance(desk.instrument, Instrument) and desk.instrument.is_crypto:
        return session.crypto
    is_regular = isinstance(desk.session, Session) or session.policy == "regular_only"
    return None if is_regular else session.extended
