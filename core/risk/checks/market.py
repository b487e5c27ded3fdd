"""Checks of the market and its prices: symbols, sessions, halts, spreads (RK-26, EX-11, MD-06, RK-20, RK-07)."""

from __future__ import annotations

from datetime import time
from decimal import Decimal

from core.model.bar import Feed, NoQuote, Quote
from core.model.instrument import BrokerInstrument, Hours, Instrument, NoInstrument
from core.model.order import Effect, OrderRequest, Side, TimeInForce
from core.model.session import NoSession, Session, window_of
from core.model.sizing import NoVix, VixLevel
from core.model.staging import StopPlan, Verdict, unsaid
from core.model.values import Price, percent, plain, priced
from core.risk.gate import Candidate, ReviewContext, lacking, passed, refused, unmeasured, usd, warned, without
from core.risk.regime import when_in_words
from core.risk.strategy_limits import entry_spans, max_notional, own_limits, per_trade
from core.settings.risk import ANY_PRICE, ANY_SPREAD, CollarSettings, HoursSettings

# ── the market ───────────────────────────────────────────────────────────────────────────────────────────────────────


class SymbolRefusedCheck:
    """No entry is allowed in a symbol that the operator refused for the day.

    Shuts entries in the symbol; ends with the trading day.
    """

    name = "symbol refused today"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        symbol = candidate.order.symbol
        if candidate.only_reduces:
            return passed(self.name, "closes; in any symbol")
        refusal = state.control.refusal_of(symbol, state.day)
        if refusal is None:
            return unsaid(self.name, lambda: f"{symbol} is not refused")
        return refused(self.name, f"no {symbol} for the rest of the day: {refusal.reason}")


class ListsCheck:
    """No entry is allowed in a listed symbol: never trade, close only, or restricted until a day (RK-26).

    Shuts entries in the symbol, and warns of an exit; ends on the named day, or with a typed word.
    """

    name = "lists"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        found = state.lists.on(candidate.order.symbol, state.day)
        if not found:
            return None
        return refused(self.name, "; ".join(f"{listed.symbol} is on {listed.words}" for listed in found))


class TradableCheck:
    """The broker trades this symbol, and lends it for a short sale (EX-11).

    Shuts orders in a symbol that the broker does not trade, entries that this desk does not support, and short sales
    without shares to borrow; ends when the broker allows it.
    """

    name = "tradable"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        instrument = state.instrument
        if isinstance(instrument, NoInstrument):
            return refused(self.name, f"{candidate.order.symbol}: {instrument.reason}")
        if not instrument.is_tradable:
            return refused(self.name, f"{instrument.symbol} is not tradable")
        if lacking := state.capabilities.lacking(candidate.order) or state.capabilities.lacking_to_guard(
            candidate.stop
        ):
            return refused(self.name, f"this broker {lacking}")
        if not candidate.only_reduces and instrument.class_refused:
            return refused(self.name, instrument.class_refused)
        if candidate.order.instrument.multiplier != instrument.multiplier:
            return refused(self.name, _miscounted(candidate.order.instrument, instrument))
        if candidate.order.effect is Effect.SHORT and instrument.short_refused:
            return refused(self.name, instrument.short_refused)
        return unsaid(self.name, lambda: f"{instrument.symbol} is tradable")


def _miscounted(ours: Instrument, theirs: Instrument) -> str:
    """Describe a multiplier that differs from the ticket's, which would change cost and profit."""
    one, other = plain(ours.multiplier), plain(theirs.multiplier)
    return f"the order counts {one} times the price of {ours.symbol}, the broker {other} times; stage it again"


class TradingHaltCheck:
    """The symbol's exchange has not halted it (MD-06).

    Shuts entries in a symbol that its exchange has halted, and warns of an exit, which waits until the symbol
    trades; ends when the exchange resumes it, or a later minute of it has traded.
    """

    name = "trading halt"
    passes = passed(name, "none was heard")

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        halt = state.halted.get(candidate.order.symbol)
        if halt is None:
            return self.passes
        since = state.venue.clock(halt.since)
        fate = "it would wait until it trades again, at whatever price that is"
        return refused(self.name, f"{halt.symbol} is halted since {since} ({halt.reason}): {fate}")


LAST_SECONDS = 60
"""Seconds before the close in which an entry with a stop for the day is warned of."""


class SessionCheck:
    """The market is open for this order, and the broker's clock agrees with ours (EX-11, RK-20).

    Shuts every entry while the market is closed, or at a wrong clock; ends when it opens, or the clock is set.
    """

    name = "session and clock"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        if isinstance(state.instrument, BrokerInstrument) and (not_yet := state.instrument.asked.not_yet):
            return refused(self.name, not_yet)
        if closed := _closed(candidate, state):
            return refused(self.name, closed)
        open_ = _open(state)
        if state.broker_time is None:
            return passed(self.name, f"{open_}; the broker's clock is asked at confirmation")
        skew = abs((state.broker_time - state.at).total_seconds())
        if skew > state.settings.risk.clock_wrong_seconds:
            return refused(
                self.name, f"the broker's clock differs by {skew:.1f} s: set this machine's clock, then again"
            )
        if skew > state.settings.risk.clock_skew_seconds:
            return warned(self.name, f"the broker's clock differs by {skew:.1f} s; set this machine's clock")
        if (left := _last_seconds(candidate, state)) is not None:
            return warned(self.name, f"the market closes in {left:.0f} s: a stop for the day ends with it")
        return passed(self.name, open_)


def _last_seconds(candidate: Candidate, state: ReviewContext) -> float | None:
    """Return the seconds to the close if they are few for an entry whose stop ends with the day."""
    if candidate.only_reduces or not isinstance(state.session, Session):
        return None
    left = (state.session.close - state.at).total_seconds()
    ends = isinstance(candidate.stop, StopPlan) and candidate.order.time_in_force is not TimeInForce.GTC
    return left if ends and left <= LAST_SECONDS else None


def _open(state: ReviewContext) -> str:
    if not isinstance(state.session, NoSession):
        return "open"
    ends = state.venue.extended_until(state.at, state.session_of_day)
    return "open" if ends is None else f"open for limit orders, extended hours until {state.venue.told(ends)}"


def _closed(candidate: Candidate, state: ReviewContext) -> str | None:
    """Return why this order cannot act now; None if it can."""
    is_included = state.settings.risk.session.policy == "include_extended"
    order = candidate.order
    if order.extended_hours and not candidate.only_reduces and not is_included:
        return "it would act before the open and after the close, and the settings want neither; type it again"
    if not isinstance(state.session, NoSession):
        return None
    ends = state.venue.extended_until(state.at, state.session_of_day)
    if ends is not None and order.extended_hours:
        return None
    if candidate.only_reduces:
        return f"the market is closed: {state.session.reason}; {_waits(candidate, is_extended=ends is not None)}"
    if ends is None or not is_included:
        return f"the market is closed: {state.session.reason}"
    return f"extended hours until {state.venue.told(ends)}: {_unmarked(candidate)}"


def _waits(candidate: Candidate, *, is_extended: bool) -> str:
    """Describe how an exit or stop waits for the market, and which order would act now instead."""
    can_be_typed = is_extended and candidate.order.type.goes_at_once
    return "it waits for the open" + ("; a limit order typed now would act at once" if can_be_typed else "")


def _unmarked(candidate: Candidate) -> str:
    """Return why an entry does not act in extended hours, and how to change that."""
    if not candidate.is_manual:
        return "strategies enter in the regular session alone; wait for it, or type the order"
    if not candidate.order.type.rests:
        return "only a limit order acts in them; give it a limit"
    if candidate.order.time_in_force is not TimeInForce.DAY:
        return "only an order for the day acts in them; make it one"
    return "it was typed for the regular session; type it again"


class SessionLimitsCheck:
    """Outside regular hours an entry is a limit order, within the limits of those hours, at a tight spread (RK-20).

    Shuts market orders and too large or too expensive entries outside regular hours; ends with the
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
        price, part, strategy = candidate.price(state.quote_of_now), limits.part, candidate.strategy
        notional = max_notional(state.settings, strategy, state.equity)
        loss = per_trade(state.settings, strategy, state.equity)
        most = notional.usd
        if price is None or most is None or loss.usd is None:
            return lacking(self.name, price, state)
        if too_much := _too_much(candidate, state.quote_of_now, price, most * part, loss.usd * part):
            return refused(self.name, too_much)
        if not (notional.is_known and loss.is_known):
            return lacking(self.name, price, state)
        quote = state.quote_of_now
        if isinstance(quote, NoQuote):
            return unmeasured(self.name, f"no quote: {quote.reason}", is_fresh=state.is_fresh)
        if quote.spread > limits.spread_limit:
            spread, widest = percent(quote.spread), percent(limits.spread_limit)
            return refused(self.name, f"{spread} of mid is over {widest} outside regular hours; wait for a tighter one")
        cost = candidate.order.cost(price)
        return unsaid(self.name, lambda: f"{usd(cost)} of {usd(most * part)} outside regular hours")


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


class WindowCheck:
    """Entries only inside the window: a strategy's by the start of its bar, a manual one by the venue's clock (RK-07).
    A strategy's own windows only narrow it.

    Shuts every entry; ends when the window opens.

    The bounds are inclusive. A window to 11:30 allows a manual entry at 11:30:00 and refuses it at 11:30:01; the
    bar that begins at 11:30 is inside.
    """

    name = "entry window"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        if candidate.only_reduces:
            return passed(self.name, "closes; at any time")
        (first, last), place = _window(state), state.venue.name
        if candidate.is_manual:
            moment = state.venue.local(state.at).time().replace(microsecond=0)
        else:
            moment = state.venue.local(candidate.signal_time).time().replace(second=0, microsecond=0)
        if not first <= moment <= last:
            told = moment.isoformat("seconds" if candidate.is_manual else "minutes")
            return refused(self.name, f"{told} is outside {first:%H:%M} to {last:%H:%M} {place}")
        if not candidate.is_manual and (windows := own_limits(state.settings, candidate.strategy).windows):
            spans = _own_spans(candidate.strategy, state)
            inside = next((shuts for opens, shuts in spans if opens <= moment <= shuts), None)
            if inside is None:
                told, whose = moment.isoformat("minutes"), f"{candidate.strategy}'s windows"
                return refused(self.name, f"{told} is outside {whose} {', '.join(map(str, windows))} {place}")
            last = inside
        return unsaid(self.name, lambda: f"until {last.isoformat('minutes')} {place}")


def _own_spans(strategy: str, state: ReviewContext) -> list[tuple[time, time]]:
    """Return a strategy's windows within the account's, in the venue's time, as they are on this day."""
    session, local = state.session_of_day, state.venue.local
    if isinstance(session, NoSession):
        return [(window.first, window.last) for window in own_limits(state.settings, strategy).windows]
    spans = entry_spans(state.settings, strategy, state.venue, session)
    return [(local(first).time(), local(last).time()) for first, last in spans]


def _window(state: ReviewContext) -> tuple[time, time]:
    """Return the window in the venue's time, as it is on this day."""
    risk, session = state.settings.risk, state.session_of_day
    if isinstance(session, NoSession):
        return risk.window_start, risk.window_end
    first, last = window_of(state.venue, session, risk.window_start, risk.window_end)
    return state.venue.local(first).time(), state.venue.local(last).time()


# ── prices ───────────────────────────────────────────────────────────────────────────────────────────────────────────
# Checks of an order's price against the market (RK-17, RK-10, RK-19).


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
        measured = f"{vix.value:.2f} {when_in_words(vix, state.at)} is {vix.level.value}"
        if vix.level is VixLevel.HIGH:
            return warned(self.name, f"{measured}: prices jump over stops, take less")
        return passed(self.name, measured)
