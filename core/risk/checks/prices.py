"""Checks of an order's price against the market (RK-17, RK-10, RK-19)."""

from __future__ import annotations

from decimal import Decimal

from core.model.bar import Feed, NoQuote, Quote
from core.model.order import OrderRequest, Side
from core.model.sizing import NoVix, VixLevel
from core.model.staging import StopPlan, Verdict, unsaid
from core.model.values import Price, percent, plain, priced
from core.risk.checks.verdicts import passed, refused, unmeasured, warned, without
from core.risk.gate import Candidate, ReviewContext
from core.settings.risk import ANY_PRICE, ANY_SPREAD, CollarSettings


class PriceCollarCheck:
    """An entry pays no more than a band over the quote, or over the price of some minutes ago; a market order is
    refused at an unusual spread. A resting price far on the passive side warns (RK-23).

    Shuts an entry that would pay too much, and warns of a price that rests far away; ends with another price, or
    when the market reaches it.
    """

    name = "price collar"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        terms, order = state.settings.risk.collar, candidate.order
        if not terms.is_on and terms.spreads == ANY_SPREAD and terms.period_band == ANY_PRICE:
            return None
        limit, trigger, goes_at_once = order.limit_price, order.stop_price, order.type.goes_at_once
        if limit is None and trigger is None and not goes_at_once:
            return passed(self.name, "it follows the market")
        if limit is not None and trigger is None and (hurried := _since(candidate, state, limit)):
            return refused(self.name, hurried)
        quote = state.quote_of_now
        if isinstance(quote, NoQuote) or quote.bid <= 0 or quote.ask < quote.bid:
            return self._without(candidate, state, quote)
        mid, pays = quote.mid, _touch(order.side, quote) if goes_at_once else limit
        if pays is not None and (too_dear := _over(candidate, state, quote, mid, pays)):
            return refused(self.name, too_dear)
        if terms.is_on and (far := _far_away(candidate, mid, terms)):
            return warned(self.name, far)
        unknown = _unknown(candidate, state) if pays is not None else ()  # computed now; the words are built later
        return unsaid(self.name, lambda: _passes(order, terms, mid, pays, unknown))

    def _without(self, candidate: Candidate, state: ReviewContext, quote: Quote | NoQuote) -> Verdict:
        """Handle a missing or unusable quote."""
        if candidate.only_reduces:
            return passed(self.name, "closes; no quote to hold it against")
        reason = without(quote) if isinstance(quote, NoQuote) else f"the quote {quote.bid} × {quote.ask} is none"
        return unmeasured(self.name, f"{reason}; what it would pay is not known", is_fresh=state.is_fresh)


def _touch(side: Side, quote: Quote) -> Price:
    return quote.ask if side is Side.BUY else quote.bid


def _over(candidate: Candidate, state: ReviewContext, quote: Quote, mid: Price, pays: Price) -> str | None:
    """Return why the order would pay too much.

    A triggered order is measured from its trigger, because the market comes to it.
    """
    order, terms = candidate.order, state.settings.risk.collar
    trigger = order.stop_price
    whence = mid if trigger is None else trigger
    if _beyond(order.side, pays, whence, terms.band):
        of = f"the quote, {priced(mid)}" if trigger is None else f"its trigger, {priced(trigger)}"
        return _TOO_DEAR.format(priced(pays), percent(abs(pays - whence) / whence), of, percent(terms.band))
    if not order.type.goes_at_once:
        return None
    return _unusual(candidate, state, quote) or _since(candidate, state, pays)


def _since(candidate: Candidate, state: ReviewContext, pays: Price) -> str | None:
    """Return why the order would pay too much against the price of some minutes ago.

    A limit needs no quote for this.
    """
    before, terms = _before(candidate, state), state.settings.risk.collar
    if before is None or not _beyond(candidate.order.side, pays, before, terms.period_band):
        return None
    of = f"the price of {terms.period_minutes} minutes ago, {priced(before)}"
    return _TOO_DEAR.format(priced(pays), percent(abs(pays - before) / before), of, percent(terms.period_band))


_TOO_DEAR = "{} would pay {} more than {}; at most {}: give it another price, or wait"


def _beyond(side: Side, pays: Decimal, whence: Decimal, band: Decimal) -> bool:
    """Return whether the price is beyond the band: above it for a buy, below it for a sale."""
    more = pays - whence if side is Side.BUY else whence - pays
    return band < ANY_PRICE and more > band * whence


def _unusual(candidate: Candidate, state: ReviewContext, quote: Quote) -> str | None:
    """Compare the spread with the usual one, which is at least a tick."""
    order, times = candidate.order, state.settings.risk.collar.spreads
    usual = state.price_history.usual_spread(order.symbol)
    if usual is None or times == ANY_SPREAD:
        return None
    width, of = quote.width(), max(usual * quote.mid, order.instrument.ticks.at(quote.mid))
    if width <= times * of:
        return None
    return (
        f"the spread, {plain(width)} USD, is {width / of:.1f} times the usual one of {order.symbol}; "
        f"a market order passes up to {plain(times)}: type a limit, or wait"
    )


def _before(candidate: Candidate, state: ReviewContext) -> Price | None:
    terms = state.settings.risk.collar
    if terms.period_band == ANY_PRICE:
        return None
    return state.price_history.price_before(candidate.order.symbol, state.at, terms.period_minutes)


def _far_away(candidate: Candidate, mid: Price, terms: CollarSettings) -> str | None:
    """Warn of a price that is likely a typing error."""
    order, word = candidate.order, "limit"
    price = order.limit_price
    if order.stop_price is not None and not candidate.only_reduces:
        price, word = order.stop_price, "trigger"
    if price is None or abs(price - mid) <= terms.passive_band * mid:
        return None
    return f"{word} {priced(price)} is {percent(abs(price - mid) / mid)} from the quote, {priced(mid)}"


def _unknown(candidate: Candidate, state: ReviewContext) -> tuple[str, ...]:
    """Name the comparisons that cannot be made yet."""
    order, terms = candidate.order, state.settings.risk.collar
    spread = order.type.goes_at_once and state.price_history.usual_spread(order.symbol) is None
    before = order.stop_price is None and terms.period_band < ANY_PRICE and _before(candidate, state) is None
    if not spread and not before:
        return ()
    found = ("the usual spread is not known yet", f"no price of {terms.period_minutes} minutes ago")
    return tuple(words for words, is_missing in zip(found, (spread, before), strict=True) if is_missing)


def _passes(
    order: OrderRequest, terms: CollarSettings, mid: Price, pays: Price | None, unknown: tuple[str, ...]
) -> str:
    """Describe the comparison that passed and any figure that is unknown yet."""
    if pays is None:
        return f"its trigger is {percent(abs((order.stop_price or mid) - mid) / mid)} away"
    told = f"{priced(pays)} against {priced(order.stop_price or mid)}, at most {percent(terms.band)} more"
    return "; ".join((told, *unknown))


class SpreadCheck:
    """A market order needs a tight spread; for a limit order a wide spread only warns (RK-17).

    Shuts market entries, warns on limit orders; ends with a tighter quote.
    """

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


class QuoteAgeCheck:
    """A market order needs a recent quote; for a limit order an old quote only warns (RK-17).

    Shuts market entries, warns on limit orders; ends with the next quote.
    """

    name = "quote age"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        found = refused if state.is_fresh and not candidate.order.type.has_limit else warned
        if isinstance(state.quote, NoQuote):
            return found(self.name, without(state.quote))
        risk = state.settings.risk
        limit = risk.quote_age_seconds_iex if state.quote.feed is Feed.IEX else risk.quote_age_seconds
        age, feed = state.quote.age(state.at).total_seconds(), state.quote.feed.value
        if age > limit:
            return found(self.name, f"{age:.1f} s old, limit {limit} s, feed {feed}")
        return unsaid(self.name, lambda: f"{age:.1f} s, {feed}")


class VixCheck:
    """A high VIX warns and never refuses an entry by itself; it lowers the risk per trade (RK-10, RK-19).

    Shuts nothing, warns while it is high; ends when it falls.
    """

    name = "vix"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        vix = state.regime.vix
        if candidate.only_reduces:
            return passed(self.name, "closes; no VIX speaks against it")
        if isinstance(vix, NoVix):
            return unsaid(self.name, lambda: f"not known: {vix.reason}")
        age = (state.day - vix.measured_on).days
        measured = f"{vix.value:.2f} at the close {age} d ago is {vix.level.value}"
        if vix.level is VixLevel.HIGH:
            return warned(self.name, f"{measured}: prices jump over stops, take less")
        return passed(self.name, measured)
