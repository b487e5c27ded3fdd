"""The broker accepts the quantity: above zero, on its step, whole where fractions do not trade (EX-11)."""

from __future__ import annotations

from core.model.instrument import BrokerInstrument
from core.model.order import Effect, OrderClass, TimeInForce
from core.model.staging import Verdict, unsaid
from core.model.values import plain
from core.risk.checks.verdicts import refused
from core.risk.gate import Candidate, ReviewContext


class QuantityRulesCheck:
    """Shuts an order whose quantity the market does not take; ends with another quantity."""

    name = "quantity"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        order = candidate.order
        if order.quantity <= 0:
            return refused(self.name, f"{plain(order.quantity)} is no quantity: it must be above zero")
        instrument = state.instrument
        if not isinstance(instrument, BrokerInstrument):
            not_yet = "the broker has not said yet whether fractions trade; try again in a moment"
            return refused(self.name, instrument.reason if instrument.unlisted else not_yet)
        lots = instrument.lots
        if order.quantity < lots.least:
            return refused(
                self.name, f"{plain(order.quantity)} is under {plain(lots.least)}, the least that trades; take more"
            )
        is_whole = order.quantity == order.quantity.to_integral_value()
        if is_whole:
            return unsaid(self.name, lambda: f"{plain(order.quantity)} whole shares")
        if not lots.has_fractions:
            return refused(self.name, f"{order.symbol} trades in whole shares")
        if order.type.trails:
            return refused(self.name, "a trailing stop takes whole shares")
        if order.order_class is not OrderClass.SIMPLE:
            return refused(self.name, "a pair of orders at the broker takes whole shares")
        if order.effect is Effect.SHORT:
            return refused(self.name, "a short sale takes whole shares")
        if order.quantity % lots.step:
            return refused(self.name, f"{plain(order.quantity)} is not in steps of {lots.step} shares")
        if order.time_in_force is not TimeInForce.DAY:
            return refused(self.name, "a fractional order is good for the day only")
        return unsaid(self.name, lambda: f"{plain(order.quantity)} shares, fractional")
