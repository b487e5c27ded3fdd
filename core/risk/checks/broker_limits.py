"""An order that the broker would refuse, or that would make the account close-only, is refused beforehand (RK-23)."""

from __future__ import annotations

from core.model.account import Account
from core.model.instrument import BrokerInstrument
from core.model.order import Effect, OrderRequest
from core.model.quote import Quote
from core.model.staging import Verdict, unsaid
from core.model.values import ZERO, percent
from core.risk.checks.buying_power import free_for
from core.risk.checks.verdicts import refused, usd, warned
from core.risk.gate import Candidate, ReviewContext


class BrokerLimitsCheck:
    """Shuts an entry that the broker does not accept; ends with fewer shares, or when the broker allows more."""

    name = "broker limits"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        """Skip unknown figures: the checks of account, quote and instrument report them."""
        if candidate.only_reduces:
            return None
        order, instrument, account = candidate.order, state.instrument, state.account
        if order.extended_hours and isinstance(instrument, BrokerInstrument) and _takes_no_part(order, instrument):
            return refused(self.name, f"{order.symbol} trades in whole shares outside the regular session")
        if not isinstance(account, Account):
            return None
        if order.effect is Effect.SHORT and not account.sells_short:
            return refused(self.name, "the account may not sell short; turn it on at the broker")
        if too_much := _as_the_broker_values_it(candidate, state, account):
            return refused(self.name, too_much)
        most, cost = state.capabilities.closing_only_at, candidate.cost(state.quote_of_now)
        if most is None or cost is None or account.equity <= ZERO:
            return self._warned(state)
        total = state.exposure(order)[1] + cost
        if total > most * account.equity:
            return refused(
                self.name,
                f"all positions would be {total / account.equity:.2f} times equity; over {most} the broker lets the "
                "account only close; take fewer shares",
            )
        return self._warned(state) or unsaid(self.name, lambda: f"{total / account.equity:.2f} of {most} times equity")

    def _warned(self, state: ReviewContext) -> Verdict | None:
        instrument = state.instrument
        if isinstance(instrument, BrokerInstrument) and instrument.entry_warned:
            return warned(self.name, f"{instrument.symbol}: {instrument.entry_warned}")
        return None


def _as_the_broker_values_it(candidate: Candidate, state: ReviewContext, account: Account) -> str | None:
    """Value a short sale above the ask, unless its limit is higher."""
    order, quote, over = candidate.order, state.quote_of_now, state.capabilities.short_over_ask
    if not over or order.effect is not Effect.SHORT or not isinstance(quote, Quote):
        return None
    valued = order.cost(max(order.limit_price or ZERO, quote.ask * (1 + over)))
    free = free_for(order, state.ledger, account)
    if valued <= free:
        return None
    taken = f"{usd(valued)} of {usd(free)} free"
    return f"the broker values a short sale {percent(over)} over the ask: {taken}; sell fewer shares"


def _takes_no_part(order: OrderRequest, instrument: BrokerInstrument) -> bool:
    """Return whether the order has a fractional quantity where extended hours take only whole shares."""
    return not instrument.has_extended_fractions and order.quantity != order.quantity.to_integral_value()
