"""What the exchange knows of prices: each symbol's newest bar and recorded quote, and what our orders took of them.

Prices are worked out when asked: a bar that nobody asks about costs one dictionary entry.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from core.brokers.simulated.book import BookedOrder
from core.brokers.simulated.config import ExchangeConfig
from core.brokers.simulated.path import OFFSETS, Path, Segment
from core.model.bar import ONE_MINUTE, Bar
from core.model.calendar import Calendar
from core.model.instrument import STOCK_TICKS
from core.model.order import Side
from core.model.quote import Feed, NoQuote, Quote
from core.model.values import ZERO, Price, Quantity, Symbol, rounded_down

A_PAUSE = timedelta(hours=4)
"""Between two bars of a symbol: every night is longer. Only a thin symbol has one by day, and keeps no close then."""
DERIVED_SIZE = Quantity(Decimal(100))
"""Shares on either side of a derived quote, and what a minute without a bar can give."""


class ExchangeMarket:
    """Bars, quotes and the volume already taken, symbol by symbol; `lasts` of symbols whose bars are no minutes.

    `closes` has the last bar before a symbol's last pause.
    """

    def __init__(self, config: ExchangeConfig, low_first: Callable[[Bar], bool]) -> None:
        self.bars: dict[Symbol, Bar] = {}
        self.lasts: dict[Symbol, timedelta] = {}
        self.quotes: dict[Symbol, Quote] = {}
        self.closes: dict[Symbol, Bar] = {}
        self._config = config
        self._low_first = low_first
        self._before: dict[Symbol, Price | None] = {}
        self._paths: dict[Symbol, Path] = {}
        self._taken: dict[Symbol, tuple[datetime, Decimal]] = {}

    def path(self, symbol: Symbol) -> Path | None:
        """The newest bar as it is shown; None where there was none yet. Until it is settled it follows what is held."""
        bar = self.bars.get(symbol)
        if bar is None:
            return None
        path = self._paths.get(symbol)
        return path if path is not None and path.bar is bar else self._walked(bar)

    def path_of(self, order: BookedOrder) -> Path | None:
        """The newest bar as one order meets it: the extreme that hurts it first, whatever else stands there."""
        path = self.path(order.symbol)
        if path is None:
            return None
        bound, low_first = order.walk or (None, False)
        return path.walked(low_first=low_first if bound == path.bar.start else order.low_hurts)

    def bind(self, order: BookedOrder, path: Path | None, at: datetime) -> None:
        """From the first extreme on, an order goes on through the bar in the order in which it met it."""
        if path is not None and path.turns_at <= at < path.end:
            order.walk = (path.bar.start, path.is_low_first)

    def settle(self, symbol: Symbol, at: datetime) -> None:
        """From its first extreme on a path has its direction: that of what was held and worked just before.

        Called before anything of the symbol changes, so that it never matters who asked, and when.
        """
        path = self.path(symbol)
        if path is not None and path is not self._paths.get(symbol) and at >= path.turns_at:
            self._paths[symbol] = path

    def _walked(self, bar: Bar) -> Path:
        lasts = self.lasts.get(bar.symbol, ONE_MINUTE)
        return Path.of(bar, low_first=self._low_first(bar), lasts=lasts, before=self._before.get(bar.symbol))

    def price(self, symbol: Symbol, at: datetime) -> Price | None:
        """The last price, or the middle of a recorded quote where nothing traded yet; None where there is neither."""
        path = self.path(symbol)
        if path is not None:
            return path.last(at)[1]
        quote = self.quotes.get(symbol)
        return None if quote is None else STOCK_TICKS.nearest(quote.mid)

    def begin(self, bar: Bar) -> None:
        """The newest bar of its symbol."""
        before = self.bars.get(bar.symbol)
        if before is not None and bar.start - before.start > A_PAUSE:
            self.closes[bar.symbol] = before
        goes_on = before is not None and bar.start - before.start <= A_PAUSE
        self._before[bar.symbol] = before.close if before is not None and goes_on else None
        self.bars[bar.symbol] = bar

    def close_before(self, symbol: Symbol, day: date, calendar: Calendar) -> Price | None:
        """The close of its last bar before a trading day; None where none is known."""
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
        bid, ask = (self.around(symbol, price, side) for side in (Side.SELL, Side.BUY))
        return Quote(symbol, at, bid, DERIVED_SIZE, ask, DERIVED_SIZE, Feed.DERIVED)

    def around(self, symbol: Symbol, price: Price, side: Side) -> Price:
        """What an order on this side would pay or get where `price` was the last one: the ask, or the bid."""
        half, tick = self.half_spread(symbol, price), STOCK_TICKS.at(price)
        if side is Side.BUY:
            return Price(_to_tick(price + half, tick, ROUND_CEILING))
        return Price(max(_to_tick(price - half, tick, ROUND_FLOOR), tick))

    def reached(self, symbol: Symbol, side: Side, segment: Segment) -> tuple[Price, Price]:
        """What an order on this side would pay or get where a segment begins, and where it ends.

        A quote that was recorded on the way is where the rest of it begins; one of its last instant is all of it.
        """
        begins, ends = (self.around(symbol, price, side) for price in (segment.start, segment.end))
        recorded = self.quotes.get(symbol)
        if recorded is None or recorded.at < (segment.since or segment.at):
            return begins, ends
        quoted = side_of(recorded, side)
        return quoted, quoted if recorded.at >= segment.at else ends

    def half_spread(self, symbol: Symbol, price: Price) -> Decimal:
        """USD from the last price to either side of a derived quote: at least half of what was recorded last.

        A spread is known until the symbol's next pause.
        """
        least = self._config.half_spread_ticks * STOCK_TICKS.at(price)
        recorded, before = self.quotes.get(symbol), self.closes.get(symbol)
        if recorded is None or (before is not None and recorded.at < before.start + A_PAUSE):
            return least
        return max(least, (recorded.ask - recorded.bid) / 2)

    def sold_short_at(self, symbol: Symbol, limit: Price, at: datetime) -> Price:
        """What a share counts for that a limit sells short: below the bid it gets the bid."""
        quote = self.quote(symbol, at)
        return limit if isinstance(quote, NoQuote) else max(limit, quote.bid)

    def is_known(self, symbol: Symbol, at: datetime) -> bool:
        """Whether the quote is one of now: recorded, or of a bar that is open or was the last one before now."""
        path = self.path(symbol)
        if path is not None and at < path.end + (path.end - path.bar.start):
            return True
        quote = self.quote(symbol, at)
        return isinstance(quote, Quote) and quote.feed is not Feed.DERIVED

    def priced_at(self, symbol: Symbol, at: datetime) -> datetime | None:
        """When the price that counts at `at` was made: by the last trade, or a quote that was recorded after it."""
        path, recorded = self.path(symbol), self.quotes.get(symbol)
        made = [] if path is None else [path.last(at)[0]]
        if recorded is not None:
            made.append(recorded.at)
        return max(made, default=None)

    def is_left_behind(self, symbol: Symbol, at: datetime) -> bool:
        """Whether others have prices that are newer by more than a pause."""
        newest = max((self.priced_at(each, at) or at for each in (*self.bars, *self.quotes)), default=at)
        return newest - (self.priced_at(symbol, at) or at) > A_PAUSE

    def has_price_since(self, symbol: Symbol, opened: datetime, at: datetime) -> bool:
        """Whether anything traded or was quoted in a session: nothing fills at yesterday's close."""
        path = self.path(symbol)
        recorded = self.quotes.get(symbol)
        return (path is not None and path.last(at)[0] >= opened) or (recorded is not None and recorded.at >= opened)

    def room(self, symbol: Symbol, side: Side, step: Decimal, at: datetime) -> Quantity:
        """Shares that our orders may still take in this minute, or longer bar, in multiples of `step`.

        A bar gives its participation of what had traded by now, and at least one step where that much had. A minute
        without a bar gives the current quote's size.
        """
        path = self.path(symbol)
        taken = self._taken_in(symbol, at)
        if path is not None and path.is_open(at):
            volume = self._traded(path, at)
            left = rounded_down(max(self._config.participation * volume - taken, ZERO), step)
            return Quantity(step) if left == ZERO and taken == ZERO and self._gives_one(volume, step) else left
        quote = self.quote(symbol, at)
        if isinstance(quote, NoQuote):
            return Quantity(ZERO)
        size = quote.ask_size if side is Side.BUY else quote.bid_size
        return rounded_down(max(size - taken, ZERO), step)

    def _traded(self, path: Path, at: datetime) -> Decimal:
        """Of a bar's volume, what had traded by `at`: as much at each point of its path as at any other."""
        return path.bar.volume * path.points_until(at) / len(OFFSETS)

    def _gives_one(self, volume: Decimal, step: Decimal) -> bool:
        """Whether a step is given of a bar whose participation is less."""
        return volume >= step

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


def side_of(quote: Quote, side: Side) -> Price:
    """What an order on this side pays or gets."""
    return quote.ask if side is Side.BUY else quote.bid


def minute_of(at: datetime) -> datetime:
    """The first instant of the minute."""
    return at.replace(second=0, microsecond=0)


def _to_tick(price: Decimal, tick: Decimal, rounding: str) -> Decimal:
    return (price / tick).to_integral_value(rounding) * tick
