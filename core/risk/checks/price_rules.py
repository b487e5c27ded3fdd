"""Prices, that of an entry's stop too, stand on their tick: two decimals from one dollar on, four below. A limit far
from the quote warns (EX-11)."""

from __future__ import annotations

from core.model.order import OrderType
from core.model.quote import Quote
from core.model.staging import StopPlan, Verdict
from core.model.values import plain, tick_of
from core.risk.checks.verdicts import passed, percent, refused, warned
from core.risk.gate import Candidate, ReviewContext


class PriceRulesCheck:
    name = "price"

    def review(self, candidate: Candidate, desk: ReviewContext) -> Verdict:
        order = candidate.order
        if (order.limit_price is None) is (order.type is OrderType.LIMIT):
            return refused(self.name, "a limit order, and only it, has a limit price")
        if (order.stop_price is None) is (order.type is OrderType.STOP):
            return refused(self.name, "a stop order, and only it, has a stop price")
        behind = candidate.stop.price if isinstance(candidate.stop, StopPlan) else None
        for price in (order.limit_price, order.stop_price, behind):
            if price is None:
                continue
            if price <= 0 or not price.is_finite():
                return refused(self.name, f"{price} is no price: it must be above zero")
            if price % tick_of(price):
                return refused(self.name, f"{plain(price)} is off its tick of {tick_of(price)}")
        return self._far_away(candidate, desk) or passed(self.name, "on its tick")

    def _far_away(self, candidate: Candidate, desk: ReviewContext) -> Verdict | None:
        """A limit that nobody would type on purpose: a slip of the finger, or of a decimal point."""
        limit = candidate.order.limit_price
        if limit is None or not isinstance(desk.quote, Quote):
            return None
        away = abs(limit - desk.quote.mid) / desk.quote.mid
        if away <= desk.settings.risk.price_band:
            return None
        return warned(self.name, f"limit {plain(limit)} is {percent(away)} from the quote, {plain(desk.quote.mid)}")
