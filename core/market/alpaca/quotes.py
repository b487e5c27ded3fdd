"""Keep the newest quote of each symbol, parsed only when handed on: of a thousand a second the desk needs the last.

A quote that is crossed or lacks a price on one side is handed on once, so that the normaliser reports it; while it
stays so it is only counted. An older quote never follows a newer one, from either source.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from core.market.alpaca.counts import Counts, Seen
from core.market.alpaca.wire import read_quote
from core.market.normaliser import HIGHEST_PRICE
from core.messages.inputs import MarketDataBroken, QuoteArrived
from core.model.bar import Feed, NoQuote, Quote
from core.model.values import ZERO, Symbol

AHEAD = timedelta(seconds=2)
"""Allowed lag of this machine's clock: a quote within it counts as of now. One further ahead is refused."""
PLACE = "Alpaca's stream"

Sighting = QuoteArrived | MarketDataBroken


class Quotes:
    """Quotes since the last hand-over, and those handed on."""

    def __init__(self, feed: Feed, counts: Counts) -> None:
        self._feed = feed
        self._counts = counts
        self._waiting: dict[Symbol, object] = {}
        self._newest: dict[Symbol, datetime] = {}
        self._troubled: set[Symbol] = set()

    def put(self, symbol: Symbol, raw: object) -> bool:
        """Store a quote of the stream, unparsed. Return whether it is the first one waiting."""
        if symbol in self._waiting:
            self._counts.see(Seen.CONFLATED)
        is_first = not self._waiting
        self._waiting[symbol] = raw
        return is_first

    def take(self, now: datetime) -> list[Sighting]:
        """Return the waiting quotes, parsed."""
        waiting, self._waiting = self._waiting, {}
        return self.found((read_quote(symbol, raw, PLACE, self._feed) for symbol, raw in waiting.items()), now)

    def found(self, sightings: Iterable[Sighting], now: datetime) -> list[Sighting]:
        """Return those of the parsed (or unreadable) quotes that are handed on."""
        return [kept for sighting in sightings for kept in self._judge(sighting, now)]

    def _judge(self, sighting: Sighting, now: datetime) -> list[Sighting]:
        if isinstance(sighting, MarketDataBroken):
            self._counts.see(Seen.BROKEN)
            return [sighting]
        quote = sighting.quote
        symbol = quote.symbol
        if now < quote.at:
            self._counts.see(Seen.AHEAD)
        if quote.at - now <= AHEAD:  # a time further ahead is not comparable with others
            if quote.at < self._newest.get(symbol, quote.at):
                self._counts.see(Seen.OLDER)
                return []
            self._newest[symbol] = quote.at
            quote = not_ahead(quote, now)
            if is_sound(quote):
                self._troubled.discard(symbol)
                self._counts.see(Seen.QUOTES)
                return [QuoteArrived(quote)]
        self._counts.see(Seen.BAD_QUOTES)
        if symbol in self._troubled:
            return []
        self._troubled.add(symbol)
        return [QuoteArrived(quote)]


def is_sound(quote: Quote) -> bool:
    """Return whether its prices are not crossed and its sizes are plausible."""
    return ZERO < quote.bid <= quote.ask < HIGHEST_PRICE and min(quote.bid_size, quote.ask_size) >= ZERO


def not_ahead(quote: Quote, now: datetime) -> Quote:
    """Limit the time of a quote slightly ahead of this machine's clock to now."""
    return replace(quote, at=min(quote.at, now)) if quote.at - now <= AHEAD else quote


def quote_of(found: Iterable[Sighting], symbol: Symbol, now: datetime) -> Quote | NoQuote:
    """Return the first quote of the symbol that has a usable price."""
    for sighting in found:
        if isinstance(sighting, MarketDataBroken):
            return NoQuote(sighting.reason)
        quote = not_ahead(sighting.quote, now)
        if quote.at > now:
            return NoQuote(f"{symbol}: the quote's time is ahead of this machine's clock; check the clock")
        if is_sound(quote):
            return quote
        return NoQuote(f"{symbol}: bid {quote.bid}, ask {quote.ask} make no market")
    return NoQuote(f"Alpaca has no quote of {symbol}")
