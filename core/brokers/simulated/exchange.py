"""The simulated exchange: market data in, requests and answers, the same as a `Broker`, and its first edition.

The runtime passes it each bar and quote before any other consumer, wakes it at `next_at`, and carries requests, answers
and updates. At equal times a bar begins first, then a quote arrives, then the market is walked, then requests are
handled. Time never goes back: a request with an earlier time than the walked market counts as arriving now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.brokers.simulated.account import ExchangeLedger
from core.brokers.simulated.config import FIRST_EDITION, ExchangeConfig, Listing
from core.brokers.simulated.intrabar import PathOrder
from core.brokers.simulated.log import (
    CancelRequest,
    Record,
    ReplaceRequest,
    Request,
    RequestLog,
    SubmitRequest,
    decoded,
    encoded,
    rebuild,
)
from core.brokers.simulated.market import ExchangeMarket, Path, Segment, side_of
from core.brokers.simulated.matching import Matching
from core.brokers.simulated.order_book import Book, BookedOrder
from core.brokers.simulated.order_entry import OrderEntry, several_legs
from core.model.account import Account
from core.model.bar import Bar, NoQuote, Quote
from core.model.broker import (
    Accepted,
    BrokerBooks,
    BrokerClock,
    MarketHours,
    NotFound,
    OrderReport,
    OrderUpdate,
    Refused,
)
from core.model.instrument import STOCK_TICKS, BrokerInstrument, NoInstrument
from core.model.lazy_dataclass import dataclass
from core.model.order import OrderRequest, Side
from core.model.reconciliation import DropCopy
from core.model.session import Calendar, NoSession, Session
from core.model.values import ZERO, BrokerOrderId, ClientOrderId, Money, Price, Quantity, Symbol

# ── the first edition of the rules ───────────────────────────────────────────────────────────────────────────────────
# The first edition of the matching rules, only for accounts that were opened under it.
#
# It paid better than a market does: a limit was filled at the last price, in the middle of the quote; while nothing was
# held the low came first; the whole volume of a bar could be taken as it began; the bar of an entry raised its trailing
# stop; slippage was rounded away; a stale price was traded at. An exchange keeps the rules of its opening, so that its
# log reproduces it.


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


# ── the exchange ─────────────────────────────────────────────────────────────────────────────────────────────────────

__all__ = ["ExchangeConfig", "Record", "RequestLog", "SimulatedExchange", "rebuild"]


@dataclass(frozen=True, slots=True)
class ExchangeCounts:
    """How many results depend on a model.

    Attributes
    ----------
    executions, at_derived_quotes
        All executions, and those at a quote derived from a bar.
    decided_by_the_path
        Trades whose result depended on the order of a bar's prices; the worse result was taken.
    """

    executions: int
    at_derived_quotes: int
    decided_by_the_path: int


class SimulatedExchange:
    """One exchange, one account, Alpaca's rules.

    Parameters
    ----------
    log
        Every submit, cancel and replace is appended before it is handled, refused ones too.
    instruments
        The tradable instruments; None lets every symbol trade by the default rules.

    Attributes
    ----------
    last_at
        The latest time in the log; None if it is empty.
    """

    def __init__(
        self,
        config: ExchangeConfig,
        calendar: Calendar,
        log: RequestLog,
        instruments: Mapping[Symbol, BrokerInstrument] | None = None,
    ) -> None:
        self.last_at: datetime | None = None
        self.has_frictions = config.has_frictions
        self._config = config
        self._calendar = calendar
        self._log = log
        self._listing = Listing(config, instruments)
        self._ledger = ExchangeLedger(config, calendar, self._listing.traded)
        self._book = Book(config.fee_per_share)
        self._market, self._matching = self._rules(calendar)
        self._entry = OrderEntry(config, self._listing, self._matching, self._market, self._book, self._ledger)
        self._bars = self._market.bars
        self._working = self._book.working

    def _rules(self, calendar: Calendar) -> tuple[ExchangeMarket, Matching]:
        """Build the rules of the edition that the account was opened under."""
        config, book, ledger = self._config, self._book, self._ledger
        if config.edition == FIRST_EDITION:
            earlier = EarlierMarket(config, calendar, lambda bar: not ledger.is_short(bar.symbol))
            return earlier, EarlierMatching(config, calendar, earlier, book, ledger)

        def around(symbol: Symbol, price: Price, side: Side) -> Price:
            return market.around(symbol, price, side)

        directions = PathOrder(ledger, book, around, config.participation)
        market = ExchangeMarket(config, calendar, directions.low_first)
        return market, Matching(config, calendar, market, book, ledger)

    # ── the market ───────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def next_at(self) -> datetime | None:
        """The earliest time at which walking the market could have an effect; None while no order works."""
        return self._matching.next_at

    def begin_bar(self, bar: Bar, lasts: timedelta | None = None) -> None:
        """Begin a bar, at its start, before anything else at that time. It lasts a minute, unless given.

        A repeated or older bar of the symbol changes nothing, because it has traded already.
        """
        newest = self._bars.get(bar.symbol)
        if newest is not None and bar.start <= newest.start:
            return
        if self._working:
            self._matching.walk_before(bar.start)
        self._market.begin(bar)
        if lasts is not None:
            self._market.lasts[bar.symbol] = lasts
        if bar.symbol in self._working:
            self._matching.schedule()

    def take_quote(self, quote: Quote) -> None:
        """Make a recorded quote the current one."""
        if self._working:
            self._matching.walk_before(quote.at)
        self._matching.hear(quote)

    def advance(self, at: datetime) -> None:
        """Walk every path point and session event up to and including `at`."""
        self._matching.walk_through(at)

    # ── requests that change something ───────────────────────────────────────────────────────────────────────────────

    def submit(self, at: datetime, order: OrderRequest) -> Accepted | Refused:
        """Accept or refuse an order. The report is as of the acceptance; fills come as updates, even immediate ones."""
        if refused := several_legs(order):
            return refused
        submission = SubmitRequest(max(at, self._matching.now), order)
        self._write(submission)
        self._ledger.settle(submission.at)
        return self._entry.submit(submission)

    def cancel(self, at: datetime, client_order_id: ClientOrderId) -> Accepted | Refused | NotFound:
        """Cancel the rest of an order; one that has ended is refused."""
        cancellation = CancelRequest(max(at, self._matching.now), client_order_id)
        with suppress(OSError):  # a full disk prevents no cancel; a rebuild will show the order again
            self._write(cancellation)
        return self._entry.cancel(cancellation)

    def replace(self, at: datetime, order: OrderRequest) -> Accepted | Refused:
        """Replace an order atomically, or refuse it; if refused, the old one stays."""
        if refused := several_legs(order):
            return refused
        replacement = ReplaceRequest(max(at, self._matching.now), order)
        self._write(replacement)
        self._ledger.settle(replacement.at)
        return self._entry.replace(replacement)

    def repeat(self, record: Record) -> None:
        """Handle a logged request again, without logging it; its answer was given before."""
        request = decoded(record)
        self.last_at = request.at
        self._ledger.settle(request.at)
        if isinstance(request, SubmitRequest):
            self._entry.submit(request)
        elif isinstance(request, ReplaceRequest):
            self._entry.replace(request)
        else:
            self._entry.cancel(request)

    # ── queries ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def order(self, at: datetime, client_order_id: ClientOrderId) -> OrderReport | NotFound:
        """Look up an order by our own id, with all its executions."""
        self.advance(at)
        order = self._book.find(client_order_id)
        return NotFound() if order is None else order.whole_report()

    def orders(self, at: datetime) -> tuple[OrderReport, ...]:
        """Return open orders and those closed within seven days, in order of acceptance."""
        self.advance(at)
        return self._book.reports(at)

    def hours(self, at: datetime) -> MarketHours | None:
        """Return what its clock says of the market; None beyond the end of its calendar."""
        try:
            session, following = self._calendar.session_at(at), self._calendar.next_session(at)
        except LookupError:
            return None
        running = session if isinstance(session, Session) else None
        return MarketHours(running is not None, following.open, (running or following).close)

    def sessions(self, first: date, last: date) -> tuple[Session | date, ...]:
        """Return its sessions of these days, both included, as far as its calendar knows them."""
        found: list[Session | date] = []
        for number in range((last - first).days + 1):
            with suppress(LookupError):
                session = self._calendar.session_on(first + timedelta(days=number))
                found += [session] if isinstance(session, Session) else []
        return tuple(found)

    def account(self, at: datetime) -> Account:
        self.advance(at)
        return self._ledger.account(at, self._market, self._book.reserved(), self.instrument)

    def closing(self, at: datetime) -> tuple[Decimal, Decimal]:
        """Return equity and the value of the holdings, long and short together, at the end of the trading day of `at`.

        USD, at the closes of its session, regardless of later trades: the next day's `last_equity`.
        """
        self.advance(at)
        return self._ledger.closing(at, self._market)

    def fee(self, quantity: Quantity) -> Money:
        """Return the fee of an execution of so many shares, bought or sold, USD."""
        return Money(self._config.fee_per_share * abs(quantity))

    @property
    def interest(self) -> Decimal:
        """The interest that the account has paid, USD."""
        return self._ledger.interest

    @property
    def tally(self) -> ExchangeCounts:
        """The number of results that depend on a model."""
        matching = self._matching
        return ExchangeCounts(matching.executions, matching.at_derived_quotes, matching.same_bar.decided)

    def books(self, at: datetime) -> BrokerBooks:
        """Return the books for a reconciliation."""
        account = self.account(at)
        return BrokerBooks(account, self._ledger.positions(), self._book.reports(at))

    def activities(self, at: datetime, since: date) -> DropCopy:
        """Return account activities from a day on, fills included, and the current figures."""
        account = self.account(at)
        fills = self._book.fills(self._calendar.venue.start_of(since))
        told = tuple(activity for activity in self._ledger.activities if activity.day >= since)
        return DropCopy(since, account, self._ledger.positions(), fills, told)

    def quote(self, at: datetime, symbol: Symbol) -> Quote | NoQuote:
        """Return the recorded quote, or, if the last price is newer, one derived from that."""
        self.advance(at)
        return self._market.quote(symbol, at)

    def price_to_leave(self, at: datetime, symbol: Symbol, side: Side) -> Price | None:
        """Return the price of a market order on this side: by the quote, after the session by its close.

        None without a price.
        """
        quote = self.quote(at, symbol)
        close = self._market.close(symbol, self._calendar.trading_day(at))
        if close is not None and isinstance(self._calendar.session_at(at), NoSession):
            return self._market.around(symbol, close, side)
        return None if isinstance(quote, NoQuote) else side_of(quote, side)

    def priced_at(self, at: datetime, symbol: Symbol) -> datetime | None:
        """Return when the symbol's current price was made; None without one."""
        self.advance(at)
        return self._market.priced_at(symbol, at)

    def is_left_behind(self, at: datetime, symbol: Symbol) -> bool:
        """Return whether its price is stale while other symbols have newer ones."""
        self.advance(at)
        return self._market.is_left_behind(symbol, at)

    def instrument(self, symbol: Symbol) -> BrokerInstrument | NoInstrument:
        """Return an instrument with its own margin requirement, or else the exchange's rule."""
        return self._listing.instrument(symbol)

    def take_updates(self) -> list[OrderUpdate]:
        """Empty the outbox: updates of orders since the last call, in order."""
        return self._book.take_updates()

    # ── helpers ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _write(self, request: Request) -> None:
        self._log.append(encoded(request))
        self.last_at = request.at


class SimulatedBroker:
    """Implements `core.brokers.port.Broker`. It always answers; its stream's updates are left for a comparison."""

    def __init__(self, exchange: SimulatedExchange, at: datetime, symbols: Sequence[Symbol]) -> None:
        self.exchange = exchange
        self.at = at
        self.symbols = symbols

    def submit(self, order: OrderRequest) -> Accepted | Refused:
        return self.exchange.submit(self.at, order)

    def replace(self, order: OrderRequest, broker_order_id: BrokerOrderId | None) -> Accepted | Refused:
        return self.exchange.replace(self.at, order)

    def cancel(
        self, client_order_id: ClientOrderId, broker_order_id: BrokerOrderId | None
    ) -> Accepted | Refused | NotFound:
        return self.exchange.cancel(self.at, client_order_id)

    def look_up(self, client_order_id: ClientOrderId, *, with_legs: bool = False) -> OrderReport | NotFound:
        del with_legs  # legs are always included
        return self.exchange.order(self.at, client_order_id)

    def time(self, *, is_once: bool = False) -> BrokerClock:
        return BrokerClock(self.at, self.exchange.hours(self.at))

    def sessions(self, first: date, last: date) -> tuple[Session | date, ...]:
        return self.exchange.sessions(first, last)

    def account(self) -> Account:
        return self.exchange.account(self.at)

    def instrument(self, symbol: Symbol) -> BrokerInstrument | NoInstrument:
        return self.exchange.instrument(symbol)

    def books(self) -> BrokerBooks:
        found = (self.exchange.instrument(symbol) for symbol in self.symbols)
        known = tuple(instrument for instrument in found if isinstance(instrument, BrokerInstrument))
        return replace(self.exchange.books(self.at), instruments=known)

    def activities(self, since: date) -> DropCopy:
        return self.exchange.activities(self.at, since)
