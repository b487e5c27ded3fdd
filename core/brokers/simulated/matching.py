"""Orders meet the market: what happens as time passes, and at which price.

Time moves in steps. A step is one instant at which something can happen to a working order: a point of a bar's path, a
session's open or close, or the start of a minute while an order that takes any price is still unfilled. Nothing happens
between steps, so walking far at once or often by little comes to the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from core.brokers.simulated.account import Ledger
from core.brokers.simulated.book import NEVER, Book, BookedOrder
from core.brokers.simulated.config import ExchangeConfig
from core.brokers.simulated.frictions import Frictions
from core.brokers.simulated.market import Market, minute_of
from core.brokers.simulated.path import Segment
from core.model.bar import ONE_MINUTE
from core.model.broker import UpdateEvent
from core.model.hours import extended_span
from core.model.order import OrderRequest, OrderType, Side, TimeInForce
from core.model.quote import NoQuote
from core.model.session import Calendar, Session
from core.model.values import ZERO, Price, Quantity, Symbol, tick_of, to_nearest_tick


class Matching:
    """Walks the market past the working orders and executes what it touches.

    Attributes
    ----------
    now
        Everything up to and including this instant has happened.
    next_at
        The next step; None while no order works.
    """

    def __init__(self, config: ExchangeConfig, calendar: Calendar, market: Market, book: Book, ledger: Ledger) -> None:
        self.now = datetime.min.replace(tzinfo=UTC)
        self.next_at: datetime | None = None
        self._config = config
        self._calendar = calendar
        self._market = market
        self._book = book
        self._ledger = ledger
        self._frictions = Frictions(config)
        self._session: Session | None = None
        self._day: Session | None = None

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def walk_through(self, at: datetime) -> None:
        """Everything up to and including `at` happens. A time that has passed changes nothing."""
        while self.next_at is not None and self.next_at <= at:
            self._step(self.next_at)
        self.now = max(self.now, at)

    def walk_before(self, at: datetime) -> None:
        """Everything earlier than `at` happens: the market is about to change at that instant."""
        while self.next_at is not None and self.next_at < at:
            self._step(self.next_at)

    def schedule(self) -> None:
        """Work out the next step; called whenever orders or bars have changed."""
        self.next_at = self._next_step() if self._book.working else None

    def session(self, at: datetime) -> Session:
        """The session that is open at `at`, or the next one."""
        if self._session is None or at >= self._session.close:
            found = self._calendar.session_at(at)
            self._session = found if isinstance(found, Session) else self._calendar.next_session(at)
        return self._session

    def day_end(self, order: OrderRequest, at: datetime) -> datetime:
        """When an order for the day that comes at `at` expires."""
        return extended_span(self._day_of(at))[1] if order.extended_hours else self.session(at).close

    def _day_of(self, at: datetime) -> Session:
        """The session whose extended hours are not over at `at`: of the same day, or the next one."""
        if self._day is None or at >= extended_span(self._day)[1]:
            found = self._calendar.session_on(self._calendar.trading_day(at))
            is_on = isinstance(found, Session) and at < extended_span(found)[1]
            self._day = found if is_on and isinstance(found, Session) else self._calendar.next_session(at)
        return self._day

    def _is_extended(self, at: datetime) -> bool:
        session = self._day_of(at)
        first, last = extended_span(session)
        return first <= at < last and not session.holds(at)

    def _next_extended_step(self) -> datetime:
        """Outside the session: its extended hours begin or end, a bar's price comes, or a minute begins."""
        marked = [order for order in self._book.all_working() if order.request.extended_hours]
        if not marked:
            return NEVER
        first, last = extended_span(self._day_of(self.now))
        if self.now < first:
            return first
        points = [self._next_point(symbol, marked) for symbol in {order.symbol for order in marked}]
        return min(last, minute_of(self.now) + ONE_MINUTE, *(point for point in points if point is not None))

    def _next_step(self) -> datetime:
        session = self.session(self.now)
        if self.now < session.open:
            return min(session.open, self._next_extended_step())
        step = session.close
        for symbol, orders in self._book.working.items():
            point = self._next_point(symbol, orders)
            if point is not None and point < step:
                step = point
        return step

    def _next_point(self, symbol: Symbol, orders: list[BookedOrder]) -> datetime | None:
        """The next point of the symbol's path that would change one of its orders; None where this bar has none.

        The whole bar is known here, so most bars are seen off by comparing levels with its low and high.
        """
        takes_any_price = any(order.takes_any_price for order in orders)
        bar = self._market.bars.get(symbol)
        if bar is not None and bar.start + self._market.lasts.get(symbol, ONE_MINUTE) > self.now:
            touched = [order for order in orders if order.takes_any_price or order.is_touched(bar.low, bar.high)]
            for segment in self._segments(symbol) if touched else ():
                if any(order.takes_any_price or order.is_touched(segment.low, segment.high) for order in touched):
                    return segment.at
        return minute_of(self.now) + ONE_MINUTE if takes_any_price else None

    def _segments(self, symbol: Symbol) -> Iterator[Segment]:
        """What is left of the symbol's path."""
        path = self._market.path(symbol)
        return iter(()) if path is None else path.segments(self.now)

    def _step(self, at: datetime) -> None:
        self.now = at
        self._expire(at)
        if self.session(at).holds(at):
            for symbol in sorted(self._book.working):
                self._pass(symbol, at)
        elif any(order.request.extended_hours for order in self._book.all_working()) and self._is_extended(at):
            for symbol in sorted(self._book.working):
                self._pass_extended(symbol, at)
        self.schedule()

    def _expire(self, at: datetime) -> None:
        for order in list(self._book.all_working()):
            if order.is_working and order.expires_at is not None and order.expires_at <= at:
                self._book.end(order, UpdateEvent.EXPIRED, at)

    # ── orders ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def arrive(self, order: BookedOrder, at: datetime) -> None:
        """An accepted order meets the market as it is; outside of the session it waits, and IOC never waits.

        A stop that the price has crossed already is elected at once.
        """
        price = self._market.price(order.symbol, at)
        if price is not None and self._can_trade(order.symbol, at):
            self._meet(order, Segment(at, price, price))
            for rival in order.rivals:  # those of an OCO work from the start
                self._meet(rival, Segment(at, price, price))
        elif order.request.extended_hours and self._is_extended(at):
            self._meet_quote(order, at)
        if order.is_working and order.request.time_in_force is TimeInForce.IOC:
            self._book.end(order, UpdateEvent.CANCELED, at)
        self.schedule()

    def _can_trade(self, symbol: Symbol, at: datetime) -> bool:
        session = self.session(at)
        if self._frictions.is_halted(symbol, session, at):
            return False
        return session.holds(at) and self._market.has_price_since(symbol, session.open, at)

    def _pass(self, symbol: Symbol, at: datetime) -> None:
        """One step of one symbol: what takes any price first, then stops, then limits, each by age.

        A stop and a limit inside one segment: the stop fills. In a minute without a bar nothing trades that could touch
        a stop or a limit; only what takes any price goes on.
        """
        orders = list(self._book.working[symbol])
        waiting = [order for order in orders if order.takes_any_price]
        if self._can_trade(symbol, at):
            for order in waiting:
                if order.is_working:
                    self._take_quote(order, at)
        path = self._market.path(symbol)
        segment = None if path is None else path.segment(at)
        if segment is None or self._frictions.is_halted(symbol, self.session(at), at):
            return
        limits = [order for order in orders if order.rests_at_its_limit]
        stops = [order for order in orders if order not in limits and order not in waiting]
        for order in (*stops, *limits):
            if order.is_working:
                self._meet(order, segment)

    def _pass_extended(self, symbol: Symbol, at: datetime) -> None:
        """One step of one symbol outside its session: only what is marked for those hours meets a price (RK-20)."""
        path = self._market.path(symbol)
        segment = None if path is None else path.segment(at)
        for order in list(self._book.working[symbol]):
            if not order.request.extended_hours or not order.is_working:
                continue
            if segment is None:
                self._meet_quote(order, at)
            else:
                self._meet_limit(order, segment)

    def _meet_quote(self, order: BookedOrder, at: datetime) -> None:
        """A limit at the quote that is known, where no bar comes: filled at the quote's other side, if within."""
        quote, limit = self._market.quote(order.symbol, at), order.request.limit_price
        if isinstance(quote, NoQuote) or limit is None:
            return
        if order.side is Side.BUY and quote.ask <= limit:
            self._execute(order, quote.ask, at)
        elif order.side is Side.SELL and quote.bid >= limit:
            self._execute(order, quote.bid, at)

    def _meet(self, order: BookedOrder, segment: Segment) -> None:
        if order.takes_any_price:
            self._take_quote(order, segment.at)
        elif order.rests_at_its_limit:
            self._meet_limit(order, segment)
        elif order.request.type is OrderType.TRAILING_STOP:
            self._meet_trailing_stop(order, segment)
        else:
            self._meet_stop(order, segment)

    def _meet_trailing_stop(self, order: BookedOrder, segment: Segment) -> None:
        """It moves with the price up to where the segment turns against it, and after it where it was not touched."""
        self._book.follow(order, segment.start)
        self._meet_stop(order, segment)
        if not order.is_elected:
            self._book.follow(order, segment.end)

    def _meet_stop(self, order: BookedOrder, segment: Segment) -> None:
        """Elected by touch. The reference is the stop, or the open that gapped through it."""
        stop = order.stop_price
        if stop is None:
            return
        if order.side is Side.SELL and segment.low <= stop:
            reference = min(stop, segment.start)
        elif order.side is Side.BUY and segment.high >= stop:
            reference = max(stop, segment.start)
        else:
            return
        order.is_elected = True
        if order.rests_at_its_limit:
            self._meet_limit(order, Segment(segment.at, reference, segment.end))
            return
        cost = self._market.half_spread(reference) + self._slippage(order, segment.at) * reference
        self._execute(order, worse(reference, cost, order.side), segment.at)

    def _meet_limit(self, order: BookedOrder, segment: Segment) -> None:
        """Filled by touch, at the better of the limit and the price from which the segment comes."""
        limit = order.request.limit_price
        if limit is None:
            return
        if order.side is Side.BUY and segment.low <= limit:
            self._execute(order, min(limit, segment.start), segment.at)
        elif order.side is Side.SELL and segment.high >= limit:
            self._execute(order, max(limit, segment.start), segment.at)

    def _take_quote(self, order: BookedOrder, at: datetime) -> None:
        """At the other side of the quote, and the slippage worse."""
        quote = self._market.quote(order.symbol, at)
        if isinstance(quote, NoQuote):
            return
        price = quote.ask if order.side is Side.BUY else quote.bid
        self._execute(order, worse(price, self._slippage(order, at) * price, order.side), at)

    def _slippage(self, order: BookedOrder, at: datetime) -> Decimal:
        return self._frictions.slippage(order.request.quantity, self._market.whole_room(order.symbol, at))

    def _execute(self, order: BookedOrder, price: Price, at: datetime) -> None:
        """As much as the minute gives; the rest goes on later."""
        room = self._market.room(order.symbol, order.side, order.step, at)
        quantity = Quantity(min(room, order.remaining))
        if quantity <= ZERO:
            return
        number = len(order.executions)
        quantity = self._frictions.filled_of(quantity, order.request.client_order_id, number, order.step)
        self._market.take(order.symbol, quantity, at)
        self._ledger.execute(order.symbol, order.side, quantity, price, at)
        self._book.fill(order, quantity, price, at)
        if not order.is_working:
            self._release_legs(order, at)

    def _release_legs(self, order: BookedOrder, at: datetime) -> None:
        """The parent is filled: its legs work, unless the shares that they would close are gone or held."""
        held = [leg for leg in order.legs if leg.is_held and leg.is_working]
        for leg in held:
            free = abs(self._ledger.quantity(leg.symbol)) - self._book.held(leg.symbol, leg.side)
            if leg.remaining > free and leg is held[0]:
                self._book.end(leg, UpdateEvent.REJECTED, at)
                return
            self._book.release(leg, at)
        price = self._market.price(order.symbol, at)
        for leg in held:
            if price is not None and leg.is_working:
                self._meet(leg, Segment(at, price, price))


def worse(price: Price, by: Decimal, side: Side) -> Price:
    """`price`, that much worse for whoever trades on this side, on its tick; never below one tick."""
    moved = price + by if side is Side.BUY else price - by
    return max(to_nearest_tick(moved), Price(tick_of(moved)))
