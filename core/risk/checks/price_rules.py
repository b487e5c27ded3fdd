"""Prices, also of an entry's stop, are on their tick: two decimals from one dollar on, four below.

A limit far from the quote warns (EX-11).
"""

from __future__ import annotations

from core.model.order import WITH_LIMIT, WITH_STOP, OrderRequest, Side
from core.model.quote import Quote
from core.model.staging import StopPlan, Verdict
from core.model.values import percent, plain, priced
from core.risk.checks.verdicts import passed, refused, warned
from core.risk.gate import Candidate, ReviewContext
from core.staging.attached_legs import target_of


class PriceRulesCheck:
    """Shuts an order at a price that the market does not take, and warns of one far from the quote; ends with another
    price.
    """

    name = "price"
    passes = passed(name, "on its tick")

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        order = candidate.order
        if malformed := _malformed(order):
            return refused(self.name, malformed)
        behind = candidate.stop.price if isinstance(candidate.stop, StopPlan) else None
        legs = [price for leg in order.legs for price in (leg.stop_price, leg.limit_price)] if order.legs else ()
        tick_of = order.instrument.ticks.at
        for price in (order.limit_price, order.stop_price, order.trail_price, behind, *legs):
            if price is None:
                continue
            if price <= 0 or not price.is_finite():
                return refused(self.name, f"{price} is no price: it must be above zero")
            if price % tick_of(price):
                return refused(self.name, f"{priced(price)} is off its tick of {tick_of(price)}")
        if wrong := _wrong_side(candidate, state) or _triggered(candidate, state):
            return refused(self.name, wrong)
        if odd := _comes_back(candidate):
            return warned(self.name, odd)
        return self._far_away(candidate, state) or self.passes

    def _far_away(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        """Warn of a limit that is likely a typing error, if the collar is off."""
        if state.settings.risk.collar.is_on:
            return None
        order, word = candidate.order, "limit"
        limit = order.limit_price
        if limit is None and not candidate.only_reduces:
            limit, word = order.stop_price, "trigger"
        if limit is None or not isinstance(state.quote, Quote):
            return None
        away = abs(limit - state.quote.mid) / state.quote.mid
        if away <= state.settings.risk.price_band:
            return None
        return warned(self.name, f"{word} {plain(limit)} is {percent(away)} from the quote, {plain(state.quote.mid)}")


def _malformed(order: OrderRequest) -> str | None:
    """Return the reason if the order's prices do not match its type."""
    if (order.limit_price is None) is order.type.has_limit:
        return f"a {WITH_LIMIT} order, and only these, has a limit price"
    if (order.stop_price is None) is order.type.has_stop:
        return f"a {WITH_STOP} order, and only these, has a stop price"
    trails = (order.trail_price is not None) + (order.trail_fraction is not None)
    if trails != order.type.trails:
        return "a trailing stop, and only it, has one distance: dollars or percent"
    if order.trail_fraction is not None and not 0 < order.trail_fraction < 1:
        return f"{order.trail_fraction * 100:f} % is no distance for a trailing stop"
    return None


def _triggered(candidate: Candidate, state: ReviewContext) -> str | None:
    """Return the reason if the market has passed a stop entry's trigger: it would trade at once at any price (EX-12).

    Without a quote the last price is used.
    """
    order, quote = candidate.order, state.quote_of_now
    if candidate.only_reduces or order.stop_price is None:
        return None
    market = state.last(order.symbol)
    if isinstance(quote, Quote):
        market = quote.ask if order.side is Side.BUY else quote.bid
    is_above = order.type.waits_above(order.side)
    if market is None or ((order.stop_price > market) if is_above else (order.stop_price < market)):
        return None
    return _TRIGGER.format(priced(order.stop_price), "above" if is_above else "below", priced(market))


_TRIGGER = "the trigger {} is not {} the market, {}: it would trade at once; give it another, or type a limit"


def _comes_back(candidate: Candidate) -> str | None:
    """Warn of a stop-limit entry whose limit is nearer than its trigger: it fills only if the price comes back."""
    order = candidate.order
    if candidate.only_reduces or order.stop_price is None or order.limit_price is None:
        return None
    is_beyond = order.limit_price >= order.stop_price
    if is_beyond is order.type.waits_above(order.side) or order.limit_price == order.stop_price:
        return None
    told = f"limit {priced(order.limit_price)} is on the near side of its trigger {priced(order.stop_price)}"
    return f"{told}: it fills only where the price comes back"


def _wrong_side(candidate: Candidate, state: ReviewContext) -> str | None:
    """Return the reason if a target takes no profit: it is at the entry's price or on its wrong side."""
    order = candidate.order
    target = target_of(order) if order.legs else None
    price = None if target is None else candidate.farthest(state.quote_of_now)
    if target is None or price is None or ((target > price) if order.side is Side.BUY else (target < price)):
        return None
    return f"the target {priced(target)} is on the wrong side of {priced(price)}"
