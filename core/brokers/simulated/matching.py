"""Matching: orders meet the market as time passes, at the next step at which something can happen.

Time moves in steps. A step is one instant at which something can happen to a working order: a point of a bar's path, a
recorded quote, a session's open or close, or the start of a minute while an order without a price limit is still
unfilled. Nothing happens between steps, so one long walk and many short ones have the same result.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from core.brokers.simulated.account import ExchangeLedger
from core.brokers.simulated.config import ExchangeConfig, ExchangeHours
from core.brokers.simulated.frictions import Frictions
from core.brokers.simulated.intrabar import SameBar, fill_of_a_limit, is_within, worse
from core.brokers.simulated.market import ExchangeMarket, Segment, minute_of, side_of
from core.brokers.simulated.order_book import NEVER, Book, BookedOrder
from core.model.bar import ONE_MINUTE, Feed, NoQuote, Quote
from core.model.broker import UpdateEvent
from core.model.order import OrderRequest, Side, TimeInForce
from core.model.session import Calendar
from core.model.values import ZERO, Price, Quantity, Symbol


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
        leaving = [o.leaves_at for o in self._book.all_working() if o.leaves_at is not None]
        if now < session.open:
            return min(session.open, self._next_extended(now), *leaving)
        step = min((session.close, *leaving))
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


class Matching:
    """Walks the market past the working orders and executes those that it touches.

    Attributes
    ----------
    now
        Everything up to and including this instant has happened.
    next_at
        The next step; None while no order works.
    executions, at_derived_quotes
        All executions, and those without a recorded quote.
    """

    def __init__(
        self, config: ExchangeConfig, calendar: Calendar, market: ExchangeMarket, book: Book, ledger: ExchangeLedger
    ) -> None:
        self.now = datetime.min.replace(tzinfo=UTC)
        self.next_at: datetime | None = None
        self._config = config
        self._hours = ExchangeHours(calendar)
        self._steps = Steps(self._hours, market, book)
        self._market = market
        self._book = book
        self._ledger = ledger
        self._frictions = Frictions(config)
        self.same_bar = SameBar(market, book, ledger)
        self.executions = self.at_derived_quotes = 0

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def walk_through(self, at: datetime) -> None:
        """Apply everything up to and including `at`. A time that has passed changes nothing."""
        while self.next_at is not None and self.next_at <= at:
            self._step(self.next_at)
        self.now = max(self.now, at)

    def walk_before(self, at: datetime) -> None:
        """Apply everything earlier than `at`: the market is about to change at that instant."""
        while self.next_at is not None and self.next_at < at:
            self._step(self.next_at)

    def hear(self, quote: Quote) -> None:
        """Make a recorded quote the current one; resting limits meet it at that instant."""
        symbol, at = quote.symbol, quote.at
        if symbol not in self._book.working:
            self._market.quotes[symbol] = quote
            return
        is_known = self._market.has_price_since(symbol, self._hours.session(at).open, at)
        before = self._market.quote(symbol, at)
        self._market.quotes[symbol] = quote
        self._steps.quoted[symbol] = at, before if is_known and isinstance(before, Quote) else None
        # Bring the next step of the quote's own symbol forward, and no other's.
        session = self._hours.session(self.now)
        if self.next_at is None or not session.holds(self.now):
            self.schedule()
        elif (point := self._steps.next_in(symbol, self.now)) is not None and point < self.next_at:
            self.next_at = point

    def schedule(self) -> None:
        """Compute the next step; called whenever orders or bars have changed."""
        self.next_at = self._steps.next_after(self.now) if self._book.working else None

    def day_end(self, order: OrderRequest, at: datetime) -> datetime:
        """Return when a day order that arrives at `at` expires."""
        return self._hours.day_end(order, at)

    def cancelled_at(self, at: datetime) -> datetime:
        """Return when a cancel that arrives at `at` takes effect."""
        begins = max(at, self._hours.session(at).open) if self._config.cancels_wait else at
        return begins + timedelta(seconds=float(self._config.cancel_seconds))

    def _segment_of(self, order: BookedOrder, at: datetime) -> Segment | None:
        """Return the segment of the bar's path for this order; None between points."""
        path = self._market.path_of(order)
        return None if path is None else path.segment(at)

    def _step(self, at: datetime) -> None:
        self.now = at
        for symbol in self._book.working:
            self._market.settle(symbol, at)
        self._expire(at)
        if self._hours.session(at).holds(at):
            for symbol in sorted(self._book.working):
                self._pass(symbol, at)
        elif any(order.request.extended_hours for order in self._book.all_working()) and self._hours.is_extended(at):
            for symbol in sorted(self._book.working):
                self._pass_extended(symbol, at)
        self._steps.quoted = {symbol: heard for symbol, heard in self._steps.quoted.items() if heard[0] > at}
        self.schedule()

    def _expire(self, at: datetime) -> None:
        for order in list(self._book.all_working()):
            if order.is_working and order.expires_at is not None and order.expires_at <= at:
                self._book.end(order, UpdateEvent.EXPIRED, at)
            elif order.is_working and order.leaves_at is not None and order.leaves_at <= at:
                self._book.end(order, UpdateEvent.CANCELED, at)

    # ── orders ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def arrive(self, order: BookedOrder, at: datetime) -> None:
        """Let an accepted order meet the current market; outside of the session it waits, and IOC never waits.

        A stop whose price is already crossed is elected at once; a limit within the quote takes it. An order that comes
        after the first extreme continues through the bar as displayed.
        """
        for arrived in (order, *order.legs):
            self._market.bind(arrived, self._market.path(order.symbol), at)
        self.same_bar.note_late(order, at)
        if self._can_trade(order.symbol, at):
            for arrived in (order, *order.oco_siblings):  # both orders of an OCO work from the start
                self._arrive(arrived, at)
        elif order.request.extended_hours and self._hours.is_extended(at):
            self._take_within(order, at)
        if order.is_working and order.request.time_in_force is TimeInForce.IOC:
            self._book.end(order, UpdateEvent.CANCELED, at)
        self.same_bar.note_waiting(order.symbol, at)
        self.schedule()

    def _arrive(self, order: BookedOrder, at: datetime) -> None:
        price = self._market.price(order.symbol, at)
        if not order.is_working or price is None:
            return
        if order.rests_at_its_limit:
            self._take_within(order, at)
        elif self._market.is_known(order.symbol, at):
            self._meet(order, Segment.point(at, price))
        elif order.request.type.trails:
            self._book.follow(order, price)

    def _can_trade(self, symbol: Symbol, at: datetime) -> bool:
        session = self._hours.session(at)
        if self._frictions.is_halted(symbol, session, at):
            return False
        return session.holds(at) and self._market.has_price_since(symbol, session.open, at)

    def _pass(self, symbol: Symbol, at: datetime) -> None:
        """One step of one symbol: orders without a limit first, then stops, then limits, each by age.

        Each meets the bar in the order of prices that is worse for it, independent of the account's other orders. If a
        stop and a limit are inside one segment, the stop fills. In a minute without a bar nothing trades that could
        touch a stop or a limit; only orders without a limit continue.
        """
        orders = list(self._book.working[symbol])
        waiting = [order for order in orders if order.takes_any_price]
        path = self._market.path(symbol)
        if self._can_trade(symbol, at):
            for order in waiting:
                if order.is_working:
                    self._go_on_at_the_market(order, self._segment_of(order, at), at)
        if self._frictions.is_halted(symbol, self._hours.session(at), at):
            return
        if path is None or path.segment(at) is None:
            self._pass_a_quote(symbol, orders, at)
            return
        limits = [order for order in orders if order.rests_at_its_limit]
        stops = [order for order in orders if order not in limits and order not in waiting]
        for order in (*stops, *limits):
            segment = self._segment_of(order, at)
            if order.is_working and segment is not None:
                self._meet(order, segment)

    def _pass_extended(self, symbol: Symbol, at: datetime) -> None:
        """One step of one symbol outside its session: only orders marked for those hours meet a price (RK-20)."""
        path = self._market.path(symbol)
        is_a_point = path is not None and path.segment(at) is not None
        marked = [order for order in self._book.working[symbol] if order.request.extended_hours]
        if not is_a_point and symbol in self._steps.quoted:
            self._pass_a_quote(symbol, marked, at)
            return
        for order in marked:
            segment = self._segment_of(order, at)
            if order.is_working and segment is None:
                self._take_within(order, at)
            elif order.is_working and segment is not None:
                self._meet_limit(order, segment)

    def _pass_a_quote(self, symbol: Symbol, orders: list[BookedOrder], at: datetime) -> None:
        """A quote was recorded between two points of a path: resting limits meet it, and the one before."""
        quoted_at, before = self._steps.quoted.get(symbol, (NEVER, None))
        now = self._market.quote(symbol, at)
        if quoted_at != at or isinstance(now, NoQuote):
            return
        for order in orders:
            if order.is_working and order.rests_at_its_limit:
                passed = () if before is None else (side_of(before, order.side),)
                self._fill_a_limit(order, (side_of(now, order.side),), passed, Segment.point(at, now.mid))

    def _take_within(self, order: BookedOrder, at: datetime) -> None:
        """Let a limit take the other side of the current quote if that is within; else it waits."""
        quote = self._market.quote(order.symbol, at)
        if not isinstance(quote, NoQuote) and self._market.is_known(order.symbol, at):
            price = self._market.price(order.symbol, at) or quote.mid
            self._fill_a_limit(order, (side_of(quote, order.side),), (), Segment.point(at, price), waits=False)

    def _meet(self, order: BookedOrder, segment: Segment) -> None:
        if order.takes_any_price:
            self._take_quote(order, segment.at)
        elif order.rests_at_its_limit:
            self._meet_limit(order, segment)
        elif order.request.type.trails:
            self._meet_trailing_stop(order, segment)
        else:
            self._meet_stop(order, segment)

    def _meet_trailing_stop(self, order: BookedOrder, segment: Segment) -> None:
        """Meet a trailing stop.

        Through a bar it stays where the bar's open put it, because the order of the extremes is unknown.

        The close moves it by the best price of the bar, and elects it if the close is then beyond it: the price crossed
        it in any order, and the close was a real price. In the bar that filled its entry only the close itself moves
        it.
        """
        is_same_bar = self.same_bar.is_of_its_entry(order, segment)
        if order.best is None or not (segment.number or is_same_bar):
            self._follow_what_it_saw(order, segment.start)
        self._meet_stop(order, segment)
        if order.is_elected or is_same_bar:
            order.seen = None
        else:
            order.see(segment.end)
        if segment.is_close and not order.is_elected:
            if is_same_bar:
                self.same_bar.note_trail(order, segment)
            self._follow_what_it_saw(order, segment.end)
            self._meet_stop(order, Segment.point(segment.at, segment.end))

    def _follow_what_it_saw(self, order: BookedOrder, price: Price) -> None:
        for each in (order.seen, price):
            if each is not None:
                self._book.follow(order, each)
        order.seen = None

    def _meet_stop(self, order: BookedOrder, segment: Segment) -> None:
        """Elect a stop by touch. The reference is the stop, or the open that gapped through it."""
        reference = self._reference(order, segment)
        if reference is None:
            return
        self.same_bar.note_stop(order, segment)
        self._market.bind(order, self._market.path_of(order), segment.at)
        order.is_elected = True
        rest = Segment(segment.at, reference, segment.end)
        price = self._price_where_elected(order, reference, segment)
        if not order.rests_at_its_limit:
            self._execute(order, self._slipped(order, price, segment.at), rest)
        else:
            self._fill_a_limit(order, (price,), (), rest, waits=False)
            self.same_bar.note_election(order, segment)

    def _reference(self, order: BookedOrder, segment: Segment) -> Price | None:
        """Return the price at which a segment elects a stop; None if it does not."""
        stop = order.stop_price
        if stop is None:
            return None
        if order.request.type.waits_above(order.side):
            return max(stop, segment.start) if segment.high >= stop else None
        return min(stop, segment.start) if segment.low <= stop else None

    def _price_where_elected(self, order: BookedOrder, reference: Price, segment: Segment) -> Price:
        """Return the price half a spread from the election, or the recorded quote of that instant if that is worse."""
        price = worse(reference, self._market.half_spread(order.symbol, reference), order.side)
        now = self._market.quote(order.symbol, segment.at)
        if isinstance(now, NoQuote) or now.feed is Feed.DERIVED:
            return price
        quoted = side_of(now, order.side)
        return quoted if is_within(order.side, price, quoted) else price

    def _meet_limit(self, order: BookedOrder, segment: Segment) -> None:
        """Let a resting limit meet each quote of a segment; earlier quotes only keep it from a better price."""
        reached = self._market.reached(order.symbol, order.side, segment)
        self._fill_a_limit(order, reached, tuple(self._passed(order, segment)), segment)

    def _passed(self, order: BookedOrder, segment: Segment) -> Iterator[Price]:
        """Yield the segment's start, the close of the bar before, and its limit if it had to wait for the close."""
        yield self._market.around(order.symbol, segment.start, order.side)
        if segment.before is not None:
            yield self._market.around(order.symbol, segment.before, order.side)
        limit = order.request.limit_price
        if limit is not None and self.same_bar.comes_late(order, segment):
            yield limit

    def _fill_a_limit(
        self,
        order: BookedOrder,
        reached: tuple[Price, ...],
        passed: tuple[Price, ...],
        segment: Segment,
        *,
        waits: bool = True,
    ) -> None:
        """Fill a limit. If a bar filled its entry, or elected it, `SameBar` limits a waiting one's fills in it.

        An order that was hit before, by a market that had not enough for all of it, is due at its limit from then on.
        """
        limit = order.request.limit_price
        if limit is None:
            return
        most = self.same_bar.sellable(order, segment) if waits else None
        passed = (*passed, limit) if order.is_hit else passed
        price = fill_of_a_limit(
            order.side, limit, reached, passed, lambda price: self._slipped(order, price, segment.at)
        )
        if price is None or most == ZERO:
            return
        level = min(limit, segment.start) if order.side is Side.BUY else max(limit, segment.start)
        self._execute(order, price, Segment(segment.at, level, segment.end), most)
        order.is_hit = waits and price == limit

    def _go_on_at_the_market(self, order: BookedOrder, segment: Segment | None, at: datetime) -> None:
        """Fill the rest at each point of a path, at the worse of the segment's start and end."""
        if segment is None:
            self._take_quote(order, at)
            return
        worst = max if order.side is Side.BUY else min
        price = worst(self._market.reached(order.symbol, order.side, segment))
        self._execute(order, self._slipped(order, price, at), Segment.point(at, segment.end))

    def _take_quote(self, order: BookedOrder, at: datetime) -> None:
        """Fill at the other side of the quote, plus slippage; a stale price is not tradable."""
        quote = self._market.quote(order.symbol, at)
        if isinstance(quote, NoQuote) or not self._market.is_known(order.symbol, at):
            return
        price = self._market.price(order.symbol, at) or quote.mid
        taken = self._slipped(order, side_of(quote, order.side), at)
        self._execute(order, taken, Segment.point(at, price))

    def _slipped(self, order: BookedOrder, price: Price, at: datetime) -> Price:
        return worse(price, self._slippage(order, at) * price, order.side)

    def _slippage(self, order: BookedOrder, at: datetime) -> Decimal:
        return self._frictions.slippage(order.request.quantity, self._market.whole_room(order.symbol, at))

    def _execute(self, order: BookedOrder, price: Price, rest: Segment, most: Decimal | None = None) -> None:
        """Execute as much as the minute gives; the rest continues later. `rest` is the remaining price path."""
        at = rest.at
        room = self._market.room(order.symbol, order.side, order.step, at)
        quantity = Quantity(min(room, order.remaining if most is None else min(most, order.remaining)))
        if quantity <= ZERO:
            return
        number = len(order.executions)
        quantity = self._frictions.filled_of(quantity, order.request.client_order_id, number, order.step)
        self._market.take(order.symbol, quantity, at)
        self._ledger.execute(order.symbol, order.side, quantity, price, at)
        symbol = order.symbol
        quote = self._market.quote(symbol, at)
        self.executions += 1
        self.at_derived_quotes += isinstance(quote, Quote) and quote.feed is Feed.DERIVED
        self.same_bar.note_execution(order, quantity, at)
        self._book.fill(order, quantity, price, at)
        if not order.is_working:
            self._release_legs(order, rest)
        self.same_bar.note_waiting(order.symbol, at)

    def _release_legs(self, order: BookedOrder, rest: Segment) -> None:
        """Let the legs of a filled parent work, unless their shares are gone or reserved."""
        held = [leg for leg in order.legs if leg.is_held and leg.is_working]
        for leg in held:
            free = abs(self._ledger.quantity(leg.symbol)) - self._book.held(leg.symbol, leg.side)
            if leg.remaining > free and leg is held[0]:
                self._book.end(leg, UpdateEvent.REJECTED, rest.at)
                return
            self._market.bind(leg, self._market.path_of(order), rest.at)
            self._book.release(leg, rest.at)
        for leg in held:
            if leg.is_working:
                self._meet(leg, rest)
