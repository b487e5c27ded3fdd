"""Compute the next step at which something can happen to a working order, for `matching.py`."""

from __future__ import annotations

from datetime import datetime

from core.brokers.simulated.book import NEVER, Book, BookedOrder
from core.brokers.simulated.hours import ExchangeHours
from core.brokers.simulated.market import ExchangeMarket, minute_of
from core.model.bar import ONE_MINUTE
from core.model.quote import Quote
from core.model.values import Symbol


class Steps:
    """Looks ahead for the working orders.

    Attributes
    ----------
    quoted
        Recorded quotes that the walk has not passed: by symbol the time, and the quote before it.
    """

    def __init__(self, hours: ExchangeHours, market: ExchangeMarket, book: Book) -> None:
        self.quoted: dict[Symbol, tuple[datetime, Quote | None]] = {}
        self._hours = hours
        self._market = market
        self._book = book

    def next_after(self, now: datetime) -> datetime:
        """Return the next instant at which something can happen to a working order."""
        session = self._hours.session(now)
        if now < session.open:
            return min(session.open, self._next_extended(now))
        step = session.close
        for symbol, orders in self._book.working.items():
            point = self._next_point(symbol, orders, now)
            if point is not None and point < step:
                step = point
        return step

    def next_in(self, symbol: Symbol, now: datetime) -> datetime | None:
        """Return the next one of a symbol while its session is open; None if this bar has none."""
        return self._next_point(symbol, self._book.working.get(symbol, []), now)

    def _next_extended(self, now: datetime) -> datetime:
        """Return the next one outside the session: extended hours begin or end, a bar's price comes, or a minute
        begins.
        """
        marked = [order for order in self._book.all_working() if order.request.extended_hours]
        if not marked:
            return NEVER
        first, last = self._hours.extended_span(now)
        if now < first:
            return first
        points = [self._next_point(symbol, marked, now) for symbol in {order.symbol for order in marked}]
        return min(last, minute_of(now) + ONE_MINUTE, *(point for point in points if point is not None))

    def _next_point(self, symbol: Symbol, orders: list[BookedOrder], now: datetime) -> datetime | None:
        """Return the next point of the symbol's path that would change one of its orders; None if this bar has none.

        The whole bar is known here, so most bars are skipped by comparing levels with its low and high.
        """
        quoted_at, _ = self.quoted.get(symbol, (NEVER, None))
        if now <= quoted_at < NEVER and any(order.rests_at_its_limit for order in orders):
            return min(quoted_at, self._next_of_the_path(symbol, orders, now) or quoted_at)
        return self._next_of_the_path(symbol, orders, now)

    def _next_of_the_path(self, symbol: Symbol, orders: list[BookedOrder], now: datetime) -> datetime | None:
        bar = self._market.bars.get(symbol)
        if bar is not None and bar.start + self._market.lasts.get(symbol, ONE_MINUTE) > now:
            touched = [order for order in orders if order.takes_any_price or order.is_touched(bar.low, bar.high)]
            points = [at for order in touched if (at := self._next_touch(order, now)) is not None]
            if points:
                return min(points)
        return minute_of(now) + ONE_MINUTE if any(order.takes_any_price for order in orders) else None

    def _next_touch(self, order: BookedOrder, now: datetime) -> datetime | None:
        """Return when the rest of the bar, on this order's path, touches it."""
        path = self._market.path_of(order)
        for segment in () if path is None else path.segments(now):
            if order.takes_any_price or order.is_touched(segment.low, segment.high):
                return segment.at
        return None
