"""Checks of an order's own terms: quantity, size, prices (EX-11, RK-23)."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal

from core.model.bar import Quote, on_one_exchange
from core.model.instrument import BrokerInstrument
from core.model.order import WITH_LIMIT, WITH_STOP, Effect, OrderClass, OrderRequest, Side, TimeInForce
from core.model.staging import StopPlan, Verdict, unsaid
from core.model.values import Symbol, percent, plain, priced
from core.risk.gate import Candidate, ReviewContext, passed, refused, warned
from core.risk.price_history import DAYS
from core.settings.risk import ALL_OF_IT, ANY_QUANTITY
from core.staging.resting_entries import target_of

# ── checks of the desk ───────────────────────────────────────────────────────────────────────────────────────────────
# Checks of the desk and its connection to the broker (OP-07, EX-14, EX-15, RK-24, OP-10).


# ── checks of the order ──────────────────────────────────────────────────────────────────────────────────────────────


class QuantityRulesCheck:
    """The broker accepts the quantity: above zero, on its step, whole where fractions do not trade (EX-11).

    Shuts an order whose quantity the market does not take; ends with another quantity.
    """

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


class OrderSizeCheck:
    """No order exceeds the profile's share limit or its part of the symbol's average daily volume (RK-23).

    Shuts an entry of too many shares; ends with fewer.
    """

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
            of_day = f"the {plain(average.shares.to_integral_value())} shares of an average day{_feed_of(state)}"
            return refused(
                self.name, f"{plain(order.quantity)} are {part} of {of_day}; at most {most}: take fewer shares"
            )
        return unsaid(
            self.name, lambda: f"{plain(order.quantity)} shares, at most {most} of an average day{_feed_of(state)}"
        )


def _feed_of(state: ReviewContext) -> str:
    """Name the one exchange whose volume it is, and the setting; empty where it is that of all."""
    words = on_one_exchange(state.quote if isinstance(state.quote, Quote) else None)
    return words and f"{words}, by alpaca.feed"


def most_shares(symbol: Symbol, state: ReviewContext) -> Decimal | None:
    """Return the largest quantity of an order; None if nothing limits it or the volume is unknown."""
    terms, average = state.settings.risk.order_size, state.volumes.average(symbol)
    is_known = terms.of_volume < ALL_OF_IT and average is not None and average.days >= DAYS
    of_volume = average.part(terms.of_volume) if average is not None and is_known else ANY_QUANTITY
    most = min(terms.shares, of_volume)
    return None if most == ANY_QUANTITY else most


class PriceRulesCheck:
    """Prices, also of an entry's stop, are on their tick: two decimals from one dollar on, four below.

    Shuts an order at a price that the market does not take, and warns of one far from the quote; ends with another
    price.

    A limit far from the quote warns (EX-11).
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
