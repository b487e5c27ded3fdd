"""The exchange's prices: each symbol's newest bar and quote, and the path through a bar.

A bar longer than a minute is walked the same way, each point at the same fraction of it. Each order has its own worse
extreme: `BookedOrder.low_hurts`. `intrabar.py` decides the displayed path of a bar, which a late order walks. A path
depends on its bar and that choice alone, so the result does not depend on how often, or in what steps, the exchange is
walked.

Prices are computed on demand: an unused bar costs one dictionary entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from core.brokers.simulated.config import ExchangeConfig
from core.brokers.simulated.order_book import BookedOrder
from core.model.bar import ONE_MINUTE, Bar, Feed, NoQuote, Quote
from core.model.instrument import STOCK_TICKS
from core.model.lazy_dataclass import dataclass
from core.model.order import Side
from core.model.session import Calendar, DayCloses, Session
from core.model.values import ZERO, Price, Quantity, Symbol, rounded_down

Offsets = tuple[timedelta, timedelta, timedelta, timedelta]

OFFSETS = (timedelta(0), timedelta(seconds=20), timedelta(seconds=40), timedelta(seconds=59))
"""Of a minute."""
LAST = len(OFFSETS) - 1
"""The number of the close."""


def offsets_of(lasts: timedelta) -> Offsets:
    """Return the points of a bar of this length, after its start."""
    return OFFSETS if lasts == ONE_MINUTE else (OFFSETS[0], lasts / 3, lasts * 2 / 3, lasts * 59 / 60)


@dataclass(frozen=True, slots=True)
class Segment:
    """The price from one point to the next at `at`; at the open both are the open.

    Attributes
    ----------
    before
        At the open of a bar that continues the one before: that one's close. A price that comes from there passes the
        prices in between.
    since
        When the price was at `start`.
    number
        Of the point at which it ends, in its bar; None if it is not a whole part of a path.
    """

    at: datetime
    start: Price
    end: Price
    before: Price | None = None
    since: datetime | None = None
    number: int | None = None

    @classmethod
    def point(cls, at: datetime, price: Price) -> Segment:
        """Return the market at one price."""
        return cls(at, price, price)

    @property
    def low(self) -> Price:
        return min(self.start, self.end)

    @property
    def high(self) -> Price:
        return max(self.start, self.end)

    @property
    def is_close(self) -> bool:
        return self.number == LAST


@dataclass(frozen=True, slots=True)
class Path:
    """One bar, in the order in which its prices came."""

    bar: Bar
    prices: tuple[Price, Price, Price, Price]
    end: datetime
    offsets: Offsets = OFFSETS
    before: Price | None = None

    @classmethod
    def of(cls, bar: Bar, *, low_first: bool, lasts: timedelta = ONE_MINUTE, before: Price | None = None) -> Path:
        first, second = (bar.low, bar.high) if low_first else (bar.high, bar.low)
        return cls(bar, (bar.open, first, second, bar.close), bar.start + lasts, offsets_of(lasts), before)

    @property
    def is_low_first(self) -> bool:
        return self.prices[1] == self.bar.low

    def walked(self, *, low_first: bool) -> Path:
        """Return the same bar, in that order."""
        if low_first == self.is_low_first:
            return self
        return Path.of(self.bar, low_first=low_first, lasts=self.end - self.bar.start, before=self.before)

    @property
    def turns_at(self) -> datetime:
        """The time of the first extreme: until then both directions are the same."""
        return self.bar.start + self.offsets[1]

    def has_extreme_after(self, at: datetime, price: Price) -> bool:
        """Return whether an extreme at this price is still to come."""
        return any(
            self.prices[number] == price and self.bar.start + self.offsets[number] > at for number in range(1, LAST)
        )

    def is_open(self, at: datetime) -> bool:
        """Return whether `at` is inside the bar."""
        return self.bar.start <= at < self.end

    def last(self, at: datetime) -> tuple[datetime, Price]:
        """Return the newest point that is not after `at`; the open if `at` is before the bar."""
        passed = at - self.bar.start
        for offset, price in zip(reversed(self.offsets), reversed(self.prices), strict=True):
            if offset <= passed:
                return self.bar.start + offset, price
        return self.bar.start, self.bar.open

    def points_until(self, at: datetime) -> int:
        """Return the number of its points that are not after `at`."""
        passed = at - self.bar.start
        return sum(offset <= passed for offset in self.offsets)

    def segment(self, at: datetime) -> Segment | None:
        """Return the segment that ends exactly at `at`; None between points."""
        passed = at - self.bar.start
        return self._segment(self.offsets.index(passed)) if passed in self.offsets else None

    def segments(self, after: datetime) -> Iterator[Segment]:
        """Yield the segments that end later than `after`."""
        passed = after - self.bar.start
        for index, offset in enumerate(self.offsets):
            if offset > passed:
                yield self._segment(index)

    def _segment(self, index: int) -> Segment:
        at = self.bar.start + self.offsets[index]
        before, last = self.before if index == 0 else None, max(index - 1, 0)
        return Segment(at, self.prices[last], self.prices[index], before, self.bar.start + self.offsets[last], index)


A_PAUSE = timedelta(hours=4)
"""A longer gap between two bars of a symbol is a pause: every night is longer.

Only a thin symbol has one by day, and then keeps no close.
"""
DERIVED_SIZE = Quantity(Decimal(100))
"""Shares on either side of a derived quote, and the volume of a minute without a bar."""


class ExchangeMarket:
    """Bars, quotes and the volume already taken, by symbol; `lasts` for symbols whose bars are not minutes.

    `closes` has the last bar before a symbol's last pause.
    """

    def __init__(self, config: ExchangeConfig, calendar: Calendar, low_first: Callable[[Bar], bool]) -> None:
        self.bars: dict[Symbol, Bar] = {}
        self.lasts: dict[Symbol, timedelta] = {}
        self.quotes: dict[Symbol, Quote] = {}
        self.closes: dict[Symbol, Bar] = {}
        self._config = config
        self._calendar = calendar
        self._day_closes = DayCloses(kept=2)
        self._low_first = low_first
        self._before: dict[Symbol, Price | None] = {}
        self._paths: dict[Symbol, Path] = {}
        self._taken: dict[Symbol, tuple[datetime, Decimal]] = {}

    def path(self, symbol: Symbol) -> Path | None:
        """Return the displayed path of the newest bar; None before the first bar.

        Until it is settled it follows the position.
        """
        bar = self.bars.get(symbol)
        return None if bar is None else self._path(bar)

    def path_of(self, order: BookedOrder) -> Path | None:
        """Return the path of the newest bar for one order: the extreme that is worse for it first, whatever others
        hold.
        """
        path = self.path(order.symbol)
        if path is None:
            return None
        bound, low_first = order.walk or (None, False)
        return path.walked(low_first=low_first if bound == path.bar.start else order.low_hurts)

    def bind(self, order: BookedOrder, path: Path | None, at: datetime) -> None:
        """From the first extreme on, fix the direction in which an order meets the bar."""
        if path is not None and path.turns_at <= at < path.end:
            order.walk = (path.bar.start, path.is_low_first)

    def settle(self, symbol: Symbol, at: datetime) -> None:
        """From its first extreme on, fix a path's direction by the position and orders just before.

        Called before anything of the symbol changes, so that the result does not depend on other calls.
        """
        path = self.path(symbol)
        if path is not None and path is not self._paths.get(symbol) and at >= path.turns_at:
            self._paths[symbol] = path

    def _path(self, bar: Bar) -> Path:
        path = self._paths.get(bar.symbol)
        if path is not None and path.bar is bar:
            return path
        lasts = self.lasts.get(bar.symbol, ONE_MINUTE)
        return Path.of(bar, low_first=self._low_first(bar), lasts=lasts, before=self._before.get(bar.symbol))

    def price(self, symbol: Symbol, at: datetime) -> Price | None:
        """Return the last price, or the middle of a recorded quote before the first trade; None without either."""
        last = self._last(symbol, at)
        if last is not None:
            return last[1]
        quote = self.quotes.get(symbol)
        return None if quote is None else STOCK_TICKS.nearest(quote.mid)

    def _last(self, symbol: Symbol, at: datetime) -> tuple[datetime, Price] | None:
        """Return the newest point of its path; before the first extreme that is the open, in either direction."""
        bar = self.bars.get(symbol)
        if bar is None:
            return None
        if at - bar.start < offsets_of(self.lasts.get(symbol, ONE_MINUTE))[1]:
            return bar.start, bar.open
        return self._path(bar).last(at)

    def begin(self, bar: Bar) -> None:
        """Set the newest bar of its symbol."""
        before = self.bars.get(bar.symbol)
        if before is not None and bar.start - before.start > A_PAUSE:
            self.closes[bar.symbol] = before
        goes_on = before is not None and bar.start - before.start <= A_PAUSE
        self._before[bar.symbol] = before.close if before is not None and goes_on else None
        self.bars[bar.symbol] = bar
        session = self._calendar.session_at(bar.start)
        if isinstance(session, Session):
            self._day_closes.take(bar.symbol, session.day, bar.close)

    def close(self, symbol: Symbol, day: date) -> Price | None:
        """Return its close as of a trading day; None before its first session."""
        return self._day_closes.until(symbol, day)

    def quote(self, symbol: Symbol, at: datetime) -> Quote | NoQuote:
        """Return the recorded quote unless a later price is newer; else one derived from the last price."""
        recorded = self.quotes.get(symbol)
        last = self._last(symbol, at)
        if last is None:
            return NoQuote(f"{symbol} has not traded yet") if recorded is None else recorded
        traded_at, price = last
        if recorded is not None and recorded.at >= traded_at:
            return recorded
        bid, ask = (self.around(symbol, price, side) for side in (Side.SELL, Side.BUY))
        return Quote(symbol, at, bid, DERIVED_SIZE, ask, DERIVED_SIZE, Feed.DERIVED)

    def around(self, symbol: Symbol, price: Price, side: Side) -> Price:
        """Return the price of an order on this side after a last price: the ask, or the bid."""
        half, tick = self.half_spread(symbol, price), STOCK_TICKS.at(price)
        if side is Side.BUY:
            return Price(_to_tick(price + half, tick, ROUND_CEILING))
        return Price(max(_to_tick(price - half, tick, ROUND_FLOOR), tick))

    def reached(self, symbol: Symbol, side: Side, segment: Segment) -> tuple[Price, Price]:
        """Return the price of an order on this side at the start and at the end of a segment.

        A quote recorded within the segment replaces its start; one of its last instant replaces both.
        """
        begins, ends = (self.around(symbol, price, side) for price in (segment.start, segment.end))
        recorded = self.quotes.get(symbol)
        if recorded is None or recorded.at < (segment.since or segment.at):
            return begins, ends
        quoted = side_of(recorded, side)
        return quoted, quoted if recorded.at >= segment.at else ends

    def half_spread(self, symbol: Symbol, price: Price) -> Decimal:
        """Return the USD from the last price to either side of a derived quote: at least half of the last recorded
        spread.

        A spread is known until the symbol's next pause.
        """
        least = self._config.half_spread_ticks * STOCK_TICKS.at(price)
        recorded, before = self.quotes.get(symbol), self.closes.get(symbol)
        if recorded is None or (before is not None and recorded.at < before.start + A_PAUSE):
            return least
        return max(least, (recorded.ask - recorded.bid) / 2)

    def sold_short_at(self, symbol: Symbol, limit: Price, at: datetime) -> Price:
        """Return the value per share of a limit short sale: below the bid it receives the bid."""
        quote = self.quote(symbol, at)
        return limit if isinstance(quote, NoQuote) else max(limit, quote.bid)

    def is_known(self, symbol: Symbol, at: datetime) -> bool:
        """Return whether the quote is current: recorded, or from a bar that is open or was the last one before now."""
        path = self.path(symbol)
        if path is not None and at < path.end + (path.end - path.bar.start):
            return True
        quote = self.quote(symbol, at)
        return isinstance(quote, Quote) and quote.feed is not Feed.DERIVED

    def priced_at(self, symbol: Symbol, at: datetime) -> datetime | None:
        """Return when the current price at `at` was made: by the last trade, or a quote recorded after it."""
        path, recorded = self.path(symbol), self.quotes.get(symbol)
        made = [] if path is None else [path.last(at)[0]]
        if recorded is not None:
            made.append(recorded.at)
        return max(made, default=None)

    def is_left_behind(self, symbol: Symbol, at: datetime) -> bool:
        """Return whether other symbols have prices that are newer by more than a pause."""
        newest = max((self.priced_at(each, at) or at for each in (*self.bars, *self.quotes)), default=at)
        return newest - (self.priced_at(symbol, at) or at) > A_PAUSE

    def has_price_since(self, symbol: Symbol, opened: datetime, at: datetime) -> bool:
        """Return whether there was a trade or a quote in the session: no order fills at yesterday's close."""
        path = self.path(symbol)
        recorded = self.quotes.get(symbol)
        return (path is not None and path.last(at)[0] >= opened) or (recorded is not None and recorded.at >= opened)

    def room(self, symbol: Symbol, side: Side, step: Decimal, at: datetime) -> Quantity:
        """Return the shares that our orders may still take in this minute, or longer bar, in multiples of `step`.

        A bar gives its participation of the volume traded by now, and at least one step if that much had traded. A
        minute without a bar gives the current quote's size.
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
        """Return the part of a bar's volume traded by `at`: the same at each point of its path."""
        return path.bar.volume * path.points_until(at) / len(OFFSETS)

    def _gives_one(self, volume: Decimal, step: Decimal) -> bool:
        """Return whether one step is given although the bar's participation is smaller."""
        return volume >= step

    def whole_room(self, symbol: Symbol, at: datetime) -> Decimal:
        """Return the shares that our orders together may take of the open bar, or of a derived quote without one."""
        path = self.path(symbol)
        is_open = path is not None and path.is_open(at)
        return self._config.participation * path.bar.volume if path is not None and is_open else DERIVED_SIZE

    def take(self, symbol: Symbol, quantity: Quantity, at: datetime) -> None:
        """Record that our orders took this volume in the minute."""
        self._taken[symbol] = (self._span_of(symbol, at), self._taken_in(symbol, at) + quantity)

    def _taken_in(self, symbol: Symbol, at: datetime) -> Decimal:
        span, taken = self._taken.get(symbol, (at, ZERO))
        return taken if span == self._span_of(symbol, at) else ZERO

    def _span_of(self, symbol: Symbol, at: datetime) -> datetime:
        """Return the start of the period that shares a volume: the minute, or the longer open bar."""
        path = self.path(symbol) if symbol in self.lasts else None
        return minute_of(at) if path is None or not path.is_open(at) else path.bar.start


def side_of(quote: Quote, side: Side) -> Price:
    """Return the price of an order on this side."""
    return quote.ask if side is Side.BUY else quote.bid


def minute_of(at: datetime) -> datetime:
    """Return the first instant of the minute."""
    return at.replace(second=0, microsecond=0)


def _to_tick(price: Decimal, tick: Decimal, rounding: str) -> Decimal:
    return (price / tick).to_integral_value(rounding) * tick
