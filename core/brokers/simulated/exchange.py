"""The face of the simulated exchange: the market goes in at one side, requests at the other.

The runtime hands it each bar and quote before anybody else sees them, wakes it at `next_at`, and carries
requests, answers and updates. At equal times a bar begins first, then a quote arrives, then the market is walked, then
requests are taken. Time never goes back: a request stamped earlier than what was walked already counts as arriving now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from core.brokers.simulated.account import ExchangeLedger
from core.brokers.simulated.book import Book, BookedOrder
from core.brokers.simulated.config import FIRST_EDITION, ExchangeConfig
from core.brokers.simulated.earlier_editions import EarlierMarket, EarlierMatching
from core.brokers.simulated.frictions import Frictions
from core.brokers.simulated.legs import legs_of
from core.brokers.simulated.log import (
    Cancellation,
    Record,
    Replacement,
    Request,
    RequestLog,
    Submission,
    decoded,
    encoded,
    rebuild,
)
from core.brokers.simulated.market import ExchangeMarket
from core.brokers.simulated.matching import Matching
from core.brokers.simulated.path_order import PathOrder
from core.brokers.simulated.replacements import refusal_to_replace
from core.brokers.simulated.rules import Situation, duplicate, is_whole, refusal, several_legs
from core.model.account import Account
from core.model.bar import Bar
from core.model.broker import Accepted, BrokerPicture, NotFound, OrderReport, OrderUpdate, Refused, UpdateEvent
from core.model.calendar import Calendar
from core.model.codes import RefusalKind
from core.model.instrument import BrokerInstrument, Instrument, NoInstrument, share
from core.model.order import OrderClass, OrderRequest, OrderType, Side, TimeInForce
from core.model.quote import NoQuote, Quote
from core.model.values import ZERO, ClientOrderId, Money, Price, Quantity, Symbol

__all__ = ["ExchangeConfig", "Record", "RequestLog", "SimulatedExchange", "rebuild"]


@dataclass(frozen=True, slots=True)
class ExchangeCounts:
    """How much of what happened is a model's word.

    Attributes
    ----------
    executions, at_derived_quotes
        How many there were, and those whose quote was worked out from a bar.
    decided_by_the_path
        Trades that the order of a bar's prices decided; of each the worse end was taken.
    """

    executions: int
    at_derived_quotes: int
    decided_by_the_path: int


class SimulatedExchange:
    """One exchange, one account, Alpaca's rules.

    Parameters
    ----------
    log
        Every submit, cancel and replace is appended before it is acted upon, refused ones too.
    instruments
        What can be traded; None lets every symbol trade by the default rules.

    Attributes
    ----------
    last_at
        The latest time in the log; None where it is empty.
    """

    def __init__(
        self,
        config: ExchangeConfig,
        calendar: Calendar,
        log: RequestLog,
        instruments: Mapping[Symbol, BrokerInstrument] | None = None,
    ) -> None:
        self.last_at: datetime | None = None
        self._config = config
        self._log = log
        self._instruments = instruments
        self._ledger = ExchangeLedger(config, calendar, self._traded)
        self._book = Book(config.fee_per_share)
        self._frictions = Frictions(config)
        self._market, self._matching = self._rules(calendar)
        self._bars = self._market.bars
        self._working = self._book.working

    def _rules(self, calendar: Calendar) -> tuple[ExchangeMarket, Matching]:
        """By the edition that the account was opened under."""
        config, book, ledger = self._config, self._book, self._ledger
        if config.edition == FIRST_EDITION:
            earlier = EarlierMarket(config, lambda bar: not ledger.is_short(bar.symbol))
            return earlier, EarlierMatching(config, calendar, earlier, book, ledger)

        def around(symbol: Symbol, price: Price, side: Side) -> Price:
            return market.around(symbol, price, side)

        directions = PathOrder(ledger, book, around, config.participation)
        market = ExchangeMarket(config, directions.low_first)
        return market, Matching(config, calendar, market, book, ledger)

    # ── the market ───────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def next_at(self) -> datetime | None:
        """The earliest time at which walking the market could do anything; None while no order works."""
        return self._matching.next_at

    def begin_bar(self, bar: Bar, lasts: timedelta | None = None) -> None:
        """The bar begins: called at its start, before anything else at that time. It lasts a minute, unless told.

        A repeated or older bar of the symbol changes nothing: what has traded has traded.
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
        """A recorded quote becomes the current one."""
        if self._working:
            self._matching.walk_before(quote.at)
        self._matching.hear(quote)

    def advance(self, at: datetime) -> None:
        """Walk every path point and session event up to and including `at`."""
        self._matching.walk_through(at)

    # ── requests that change something ───────────────────────────────────────────────────────────────────────────────

    def submit(self, at: datetime, order: OrderRequest) -> Accepted | Refused:
        """Take an order or refuse it. The report is as of the acceptance; fills come as updates, even at once."""
        if refused := several_legs(order):
            return refused
        submission = Submission(max(at, self._matching.now), order)
        self._write(submission)
        return self._submit(submission)

    def cancel(self, at: datetime, client_order_id: ClientOrderId) -> Accepted | Refused | NotFound:
        """Cancel what is left of an order; one that is over already is refused."""
        cancellation = Cancellation(max(at, self._matching.now), client_order_id)
        with suppress(OSError):  # a full disk keeps nobody from cancelling; a rebuild will show the order again
            self._write(cancellation)
        return self._cancel(cancellation)

    def replace(self, at: datetime, order: OrderRequest) -> Accepted | Refused:
        """Put an order in the place of the one that it names, all at once, or refuse it; refused, the old one stays."""
        if refused := several_legs(order):
            return refused
        replacement = Replacement(max(at, self._matching.now), order)
        self._write(replacement)
        return self._replace(replacement)

    def repeat(self, record: Record) -> None:
        """Act on a logged request again, without logging it; its answer was given long ago."""
        request = decoded(record)
        self.last_at = request.at
        if isinstance(request, Submission):
            self._submit(request)
        elif isinstance(request, Replacement):
            self._replace(request)
        else:
            self._cancel(request)

    # ── questions ────────────────────────────────────────────────────────────────────────────────────────────────────

    def order(self, at: datetime, client_order_id: ClientOrderId) -> OrderReport | NotFound:
        """Look an order up by our own id, with all its executions."""
        self.advance(at)
        order = self._book.find(client_order_id)
        return NotFound() if order is None else order.whole_report()

    def orders(self, at: datetime) -> tuple[OrderReport, ...]:
        """Open orders and those closed within seven days, in order of acceptance."""
        self.advance(at)
        return self._book.reports(at)

    def account(self, at: datetime) -> Account:
        self.advance(at)
        return self._ledger.account(at, self._market, self._book.reserved(), self.instrument)

    def exposure(self, at: datetime) -> Decimal:
        """What is held is worth, long and short together, USD."""
        self.advance(at)
        return self._ledger.exposure(at, self._market)

    def fee(self, quantity: Quantity) -> Money:
        """What it takes for an execution of so many shares, bought or sold, USD."""
        return Money(self._config.fee_per_share * abs(quantity))

    @property
    def interest(self) -> Decimal:
        """What the account has paid for what it was lent, USD."""
        return self._ledger.interest

    @property
    def tally(self) -> ExchangeCounts:
        """What its figures rest on."""
        matching = self._matching
        return ExchangeCounts(matching.executions, matching.at_derived_quotes, matching.same_bar.decided)

    def picture(self, at: datetime) -> BrokerPicture:
        """Everything a reconciliation compares."""
        account = self.account(at)
        return BrokerPicture(account, self._ledger.positions(), self._book.reports(at))

    def quote(self, at: datetime, symbol: Symbol) -> Quote | NoQuote:
        """The recorded quote, or where the last price is newer one around that, worked out when asked."""
        self.advance(at)
        return self._market.quote(symbol, at)

    def priced_at(self, at: datetime, symbol: Symbol) -> datetime | None:
        """When the price was made that a symbol counts at; None where there is none."""
        self.advance(at)
        return self._market.priced_at(symbol, at)

    def is_left_behind(self, at: datetime, symbol: Symbol) -> bool:
        """Whether its price is one of long ago while others have newer ones: it is no offer any more."""
        self.advance(at)
        return self._market.is_left_behind(symbol, at)

    def instrument(self, symbol: Symbol) -> BrokerInstrument | NoInstrument:
        """What an instrument requires on margin is its own, or else the exchange's rule."""
        found = BrokerInstrument(symbol) if self._instruments is None else self._instruments.get(symbol)
        if found is None:
            return NoInstrument(f"{symbol} is not listed here")
        if not self._config.is_margin:
            return found
        rule = self._config.requirement
        return replace(
            found,
            long_requirement=rule if found.long_requirement is None else found.long_requirement,
            short_requirement=rule if found.short_requirement is None else found.short_requirement,
        )

    def _traded(self, symbol: Symbol) -> Instrument:
        """What its books count a symbol as, listed or not."""
        return share(symbol) if self._instruments is None else self._instruments.get(symbol, share(symbol))

    def take_updates(self) -> list[OrderUpdate]:
        """Empty the outbox: what happened to orders since the last call, in order."""
        return self._book.take_updates()

    # ── how ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _write(self, request: Request) -> None:
        self._log.append(encoded(request))
        self.last_at = request.at

    def _reach(self, at: datetime, symbol: Symbol) -> None:
        """The market as a request finds it."""
        self.advance(at)
        self._market.settle(symbol, at)

    def _submit(self, submission: Submission) -> Accepted | Refused:
        self._reach(submission.at, submission.order.symbol)
        situation = self._situation(submission.at, submission.order, None)
        refused = refusal(situation) or self._frictions.refusal(submission.order)
        return refused or self._accept(submission.at, situation)

    def _replace(self, replacement: Replacement) -> Accepted | Refused:
        at, request = replacement.at, replacement.order
        self._reach(at, request.symbol)
        old = None if request.replaces is None else self._book.find(request.replaces)
        situation = self._situation(at, request, old)
        refused = duplicate(situation) or refusal_to_replace(old, request) or refusal(situation)
        refused = refused or self._frictions.refusal(request)
        if refused is not None or old is None:
            return refused or Refused(RefusalKind.UNPROCESSABLE, "a replacement names an order")
        self._book.end(old, UpdateEvent.REPLACED, at)
        return self._accept(at, situation, old)

    def _accept(self, at: datetime, situation: Situation, old: BookedOrder | None = None) -> Accepted:
        """Into the book with its legs; what takes another's place stands where that stood, held where it was."""
        request, instrument = situation.order, situation.instrument
        assert isinstance(instrument, BrokerInstrument)  # the rules have seen to both
        assert situation.price is not None
        order = BookedOrder(
            request=request,
            broker_order_id=self._book.next_broker_id(),
            opens=situation.opens,
            reserve_price=situation.sold_at or situation.price,
            step=Decimal(1) if is_whole(request.quantity) else instrument.quantity_step,
            expires_at=self._matching.day_end(request, at) if request.time_in_force is TimeInForce.DAY else None,
            instrument=instrument.terms,
        )
        if old is not None:
            _stand_in(order, old)
        for leg in self._booked(order, at, is_held=old is not None and old.is_held):
            self._book.hold(leg)
            if request.order_class is OrderClass.OCO:
                self._book.release(leg, at)
        accepted = Accepted(order.whole_report())
        if not order.is_held:
            self._matching.arrive(order, at)
        return accepted

    def _booked(self, order: BookedOrder, at: datetime, *, is_held: bool) -> Iterator[BookedOrder]:
        """The order is in the book before its legs are made."""
        if is_held:
            self._book.hold(order)
        else:
            self._book.accept(order, at)
        return legs_of(order, self._book.next_broker_id)

    def _cancel(self, cancellation: Cancellation) -> Accepted | Refused | NotFound:
        self.advance(cancellation.at)
        order = self._book.find(cancellation.client_order_id)
        if order is None:
            return NotFound()
        self._market.settle(order.symbol, cancellation.at)
        if not order.is_working:
            return Refused(RefusalKind.NOT_WORKING, f'order is already in "{order.report().raw_status}" state')
        self._book.end(order, UpdateEvent.CANCELED, cancellation.at)
        self._matching.schedule()
        return Accepted(order.whole_report())

    def _situation(self, at: datetime, order: OrderRequest, old: BookedOrder | None) -> Situation:
        """As it is for an order that arrives; what the one that makes way holds or reserves is free again."""
        gone = old if old is not None and old.is_working else None
        held = gone.remaining if gone is not None and not gone.opens and not gone.is_held else ZERO
        reserved = gone.to_reserve if gone is not None and gone.opens else ZERO
        return Situation(
            order=order,
            instrument=self.instrument(order.symbol),
            is_duplicate=self._book.find(order.client_order_id) is not None,
            is_margin=self._config.is_margin,
            position=self._ledger.quantity(order.symbol),
            held=self._book.held(order.symbol, order.side) - held,
            opposite_opens=self._book.is_opening(order.symbol, order.side.opposite),
            price=self._cost_of_a_share(at, order),
            sold_at=self._sold_short_at(at, order),
            buying_power=self._ledger.buying_power(at, self._market, self._book.reserved() - reserved),
            is_held=gone is not None and gone.is_held,
        )

    def _sold_short_at(self, at: datetime, order: OrderRequest) -> Price | None:
        """A limit that sells short below the bid takes the bid."""
        is_short = order.side is Side.SELL and self._ledger.quantity(order.symbol) <= ZERO
        limit = order.limit_price
        if limit is None or order.type is not OrderType.LIMIT or not is_short:
            return None
        return self._market.sold_short_at(order.symbol, limit, at)

    def _cost_of_a_share(self, at: datetime, order: OrderRequest) -> Price | None:
        """Its limit, its stop, or the side of the quote that it takes else; None where there is no quote."""
        if order.limit_price is not None:
            return order.limit_price
        if order.type is OrderType.STOP:
            return order.stop_price
        quote = self._market.quote(order.symbol, at)
        if isinstance(quote, NoQuote):
            return None
        return quote.ask if order.side is Side.BUY else quote.bid


def _stand_in(order: BookedOrder, old: BookedOrder) -> None:
    """A leg's replacement is a leg in its place; a trailing stop keeps the best price that it has seen."""
    order.best = old.best
    if old.parent is not None:
        order.parent = old.parent
        order.parent.legs[order.parent.legs.index(old)] = order
