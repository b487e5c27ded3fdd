"""What the exchange knows of prices: each symbol's newest bar and recorded quote, and what our orders took of them.

Prices are worked out when asked: a bar that nobody asks about costs one dictionary entry.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from core.brokers.simulated.config import ExchangeConfig
from core.brokers.simulated.path import Path
from core.model.bar import ONE_MINUTE, Bar
from core.model.order import Side
from core.model.quote import Feed, NoQuote, Quote
from core.model.session import Calendar
from core.model.values import ZERO, Price, Quantity, Symbol, rounded_down, tick_of, to_nearest_tick

A_PAUSE = timedelta(hours=4)
"""Between two bars of a symbol: every night is longer. Only a thin symbol has one by day, and keeps no close then."""
DERIVED_SIZE = Quantity(Decimal(100))
"""Shares on either side of a derived quote, and what a minute without a bar can give."""


class Market:
    """Bars, quotes and the volume already taken, symbol by symbol; `lasts` of symbols whose bars are no minutes.

    `closes` has the last bar before a symbol's last pause.
    """

    def __init__(self, config: ExchangeConfig, is_short: Callable[[Symbol], bool]) -> None:
        self.bars: dict[Symbol, Bar] = {}
        self.lasts: dict[Symbol, timedelta] = {}
        self.quotes: dict[Symbol, Quote] = {}
        self.closes: dict[Symbol, Bar] = {}
        self._config = config
        self._is_short = is_short
        self._paths: dict[Symbol, Path] = {}
        self._taken: dict[Symbol, tuple[datetime, Decimal]] = {}

    def path(self, symbol: Symbol) -> Path | None:
        """The newest bar's path; None where there was no bar yet.

        Its direction is fixed when it is first asked for, which is always before a fill in that bar: so it follows from
        the position at the bar's start, whoever asked, and when.
        """
        bar = self.bars.get(symbol)
        if bar is None:
            return None
        path = self._paths.get(symbol)
        if path is None or path.bar is not bar:
            path = self._paths[symbol] = Path.of(
                bar, low_first=not self._is_short(symbol), lasts=self.lasts.get(symbol, ONE_MINUTE)
            )
        return path

    def price(self, symbol: Symbol, at: datetime) -> Price | None:
        """The last price, or the middle of a recorded quote where nothing traded yet; None where there is neither."""
        path = self.path(symbol)
        if path is not None:
            return path.last(at)[1]
        quote = self.quotes.get(symbol)
        return None if quote is None else to_nearest_tick(quote.mid)

    def begin(self, bar: Bar) -> None:
        """The newest bar of its symbol."""
        before = self.bars.get(bar.symbol)
        if before is not None and bar.start - before.start > A_PAUSE:
            self.closes[bar.symbol] = before
        self.bars[bar.symbol] = bar

    def close_before(self, symbol: Symbol, day: date, calendar: Calendar) -> Price | None:
        """The close of its last bar before a New York day; None where none is known."""
        for bar in (self.bars.get(symbol), self.closes.get(symbol)):
            if bar is not None and calendar.trading_day(bar.start) < day:
                return bar.close
        return None

    def quote(self, symbol: Symbol, at: datetime) -> Quote | NoQuote:
        """The recorded quote unless a later price made it old; else one around the last price."""
        recorded = self.quotes.get(symbol)
        path = self.path(symbol)
        if path is None:
            return NoQuote(f"{symbol} has not traded yet") if recorded is None else recorded
        traded_at, price = path.last(at)
        if recorded is not None and recorded.at >= traded_at:
            return recorded
        half = self.half_spread(price)
        tick = tick_of(price)
        bid = max(_to_tick(price - half, tick, ROUND_FLOOR), tick)
        ask = _to_tick(price + half, tick, ROUND_CEILING)
        return Quote(symbol, at, Price(bid), DERIVED_SIZE, Price(ask), DERIVED_SIZE, Feed.DERIVED)

    def half_spread(self, price: Price) -> Decimal:
        """USD from the last price to either side of a derived quote."""
        return self._config.half_spread_ticks * tick_of(price)

    def has_price_since(self, symbol: Symbol, opened: datetime, at: datetime) -> bool:
        """Whether anything traded or was quoted in a session: nothing fills at yesterday's close."""
        path = self.path(symbol)
        recorded = self.quotes.get(symbol)
        return (path is not None and path.last(at)[0] >= opened) or (recorded is not None and recorded.at >= opened)

    def room(self, symbol: Symbol, side: Side, step: Decimal, at: datetime) -> Quantity:
        """Shares that our orders may still take in this minute, or longer bar, in multiples of `step`.

        A bar gives its participation, and at least one step where anything traded. A minute without a bar gives the
        current quote's size.
        """
        path = self.path(symbol)
        taken = self._taken_in(symbol, at)
        if path is not None and path.is_open(at):
            volume = path.bar.volume
            left = rounded_down(max(self._config.participation * volume - taken, ZERO), step)
            return Quantity(step) if left == ZERO and taken == ZERO and volume > ZERO else left
        quote = self.quote(symbol, at)
        if isinstance(quote, NoQuote):
            return Quantity(ZERO)
        size = quote.ask_size if side is Side.BUY else quote.bid_size
        return rounded_down(max(size - taken, ZERO), step)

    def whole_room(self, symbol: Symbol, at: datetime) -> Decimal:
        """Shares that our orders together may take of the bar that is open, or of a derived quote where none is."""
        path = self.path(symbol)
        is_open = path is not None and path.is_open(at)
        return self._config.participation * path.bar.volume if path is not None and is_open else DERIVED_SIZE

    def take(self, symbol: Symbol, quantity: Quantity, at: datetime) -> None:
        """Our orders took this much of the minute."""
        self._taken[symbol] = (self._span_of(symbol, at), self._taken_in(symbol, at) + quantity)

    def _taken_in(self, symbol: Symbol, at: datetime) -> Decimal:
        span, taken = self._taken.get(symbol, (at, ZERO))
        return taken if span == self._span_of(symbol, at) else ZERO

    def _span_of(self, symbol: Symbol, at: datetime) -> datetime:
        """What a volume is shared over, by its start: the minute, or the longer bar that is open."""
        path = self.path(symbol) if symbol in self.lasts else None
        return minute_of(at) if path is None or not path.is_open(at) else path.bar.start


def minute_of(at: datetime) -> datetime:
    """The first instant of the minute."""
    return at.replace(second=0, microsecond=0)


def _to_tick(price: Decimal, tick: Decimal, rounding: str) -> Decimal:
    return (price / tick).to_integral_value(rounding) * tick
