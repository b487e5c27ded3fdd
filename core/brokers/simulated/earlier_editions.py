"""The first edition of the matching rules, only for accounts that were opened under it.

It paid better than a market does: a limit was filled at the last price, in the middle of the quote; while nothing was
held the low came first; the whole volume of a bar could be taken as it began; the bar of an entry raised its trailing
stop; slippage was rounded away; a stale price was traded at. An exchange keeps the rules of its opening, so that its
log reproduces it.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from core.brokers.simulated.market import ExchangeMarket, Path, Segment
from core.brokers.simulated.matching import Matching
from core.brokers.simulated.order_book import BookedOrder
from core.model.bar import NoQuote, Quote
from core.model.instrument import STOCK_TICKS
from core.model.order import Side
from core.model.values import ZERO, Price, Symbol


class EarlierMarket(ExchangeMarket):
    """A path's direction is fixed when it is first requested; the whole bar's volume is available from its start."""

    def path(self, symbol: Symbol) -> Path | None:
        path = super().path(symbol)
        if path is not None:
            self._paths[symbol] = path
        return path

    def path_of(self, order: BookedOrder) -> Path | None:
        return self.path(order.symbol)

    def half_spread(self, symbol: Symbol, price: Price) -> Decimal:
        del symbol
        return self._config.half_spread_ticks * STOCK_TICKS.at(price)

    def sold_short_at(self, symbol: Symbol, limit: Price, at: datetime) -> Price:
        del symbol, at
        return limit

    def is_known(self, symbol: Symbol, at: datetime) -> bool:
        del symbol, at
        return True

    def _traded(self, path: Path, at: datetime) -> Decimal:
        del at
        return path.bar.volume

    def _gives_one(self, volume: Decimal, step: Decimal) -> bool:
        del step
        return volume > ZERO


class EarlierMatching(Matching):
    """Limits are filled by touch, at the better of the limit and the price where the segment starts."""

    def hear(self, quote: Quote) -> None:
        self._market.quotes[quote.symbol] = quote

    def _arrive(self, order: BookedOrder, at: datetime) -> None:
        price = self._market.price(order.symbol, at)
        if order.is_working and price is not None:
            self._meet(order, Segment.point(at, price))

    def _take_within(self, order: BookedOrder, at: datetime) -> None:
        quote, limit = self._market.quote(order.symbol, at), order.request.limit_price
        if isinstance(quote, NoQuote) or limit is None:
            return
        if order.side is Side.BUY and quote.ask <= limit:
            self._execute(order, quote.ask, Segment.point(at, quote.ask))
        elif order.side is Side.SELL and quote.bid >= limit:
            self._execute(order, quote.bid, Segment.point(at, quote.bid))

    def _go_on_at_the_market(self, order: BookedOrder, segment: Segment | None, at: datetime) -> None:
        del segment
        self._take_quote(order, at)

    def _meet_trailing_stop(self, order: BookedOrder, segment: Segment) -> None:
        self._book.follow(order, segment.start)
        self._meet_stop(order, segment)
        if not order.is_elected:
            self._book.follow(order, segment.end)

    def _slipped(self, order: BookedOrder, price: Price, at: datetime) -> Price:
        return _worse(price, self._slippage(order, at) * price, order.side)

    def _meet_stop(self, order: BookedOrder, segment: Segment) -> None:
        reference = self._reference(order, segment)
        if reference is None:
            return
        order.is_elected = True
        if order.rests_at_its_limit:
            self._meet_limit(order, Segment(segment.at, reference, segment.end))
            return
        half = self._market.half_spread(order.symbol, reference)
        cost = half + self._slippage(order, segment.at) * reference
        self._execute(order, _worse(reference, cost, order.side), segment)

    def _meet_limit(self, order: BookedOrder, segment: Segment) -> None:
        limit = order.request.limit_price
        if limit is None:
            return
        if order.side is Side.BUY and segment.low <= limit:
            self._execute(order, min(limit, segment.start), segment)
        elif order.side is Side.SELL and segment.high >= limit:
            self._execute(order, max(limit, segment.start), segment)

    def _release_legs(self, order: BookedOrder, rest: Segment) -> None:
        price = self._market.price(order.symbol, rest.at)
        super()._release_legs(order, rest if price is None else Segment.point(rest.at, price))


def _worse(price: Price, by: Decimal, side: Side) -> Price:
    """Round to the nearest tick, halves up."""
    moved = price + by if side is Side.BUY else price - by
    return max(STOCK_TICKS.nearest(moved), Price(STOCK_TICKS.at(moved)))
