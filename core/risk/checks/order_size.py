"""No order exceeds the profile's share limit or its part of the symbol's average daily volume (RK-23)."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal

from core.model.staging import Verdict, unsaid
from core.model.values import Symbol, percent, plain
from core.risk.checks.verdicts import passed, refused
from core.risk.gate import Candidate, ReviewContext
from core.risk.volumes import DAYS
from core.settings.controls import ALL_OF_IT, ANY_QUANTITY


class OrderSizeCheck:
    """Shuts an entry of too many shares; ends with fewer."""

    name = "order size"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        terms, order = state.settings.risk.order_size, candidate.order
        if terms.shares == ANY_QUANTITY and terms.of_volume == ALL_OF_IT:
            return None
        if order.quantity > terms.shares:
            most = plain(terms.shares)
            return refused(self.name, f"{plain(order.quantity)} shares are over {most} an order; take fewer shares")
        if terms.of_volume == ALL_OF_IT:
            return unsaid(self.name, lambda: f"{plain(order.quantity)} of {plain(terms.shares)} shares")
        average = state.volumes.average(order.symbol)
        if average is None or average.days < DAYS:
            known = 0 if average is None else average.days
            return passed(self.name, f"{known} of {DAYS} days of its volume are known; its part is not measured")
        limit = average.part(terms.of_volume)
        most = plain(limit.to_integral_value(ROUND_FLOOR) if limit >= 1 else limit)
        if order.quantity > limit:
            part = percent(order.quantity / average.shares) if average.shares else "more"
            of_day = f"the {plain(average.shares.to_integral_value())} shares of an average day"
            return refused(
                self.name, f"{plain(order.quantity)} are {part} of {of_day}; at most {most}: take fewer shares"
            )
        return unsaid(self.name, lambda: f"{plain(order.quantity)} shares, at most {most} of an average day")


def most_shares(symbol: Symbol, state: ReviewContext) -> Decimal | None:
    """Return the largest quantity of an order; None if nothing limits it or the volume is unknown."""
    terms, average = state.settings.risk.order_size, state.volumes.average(symbol)
    is_known = terms.of_volume < ALL_OF_IT and average is not None and average.days >= DAYS
    of_volume = average.part(terms.of_volume) if average is not None and is_known else ANY_QUANTITY
    most = min(terms.shares, of_volume)
    return None if most == ANY_QUANTITY else most
