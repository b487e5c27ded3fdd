"""Order entry and replacements: apply the rules, book accepted orders, and let them meet the market.

As at Alpaca: the answer is a new order with new ids, and the old one is `replaced`. The requested quantity is
the new order's own: the old one's fills are not subtracted. Only whole shares can be changed in number. A replaced
order with legs gets new ones; the replacement of a leg is a leg in its place.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from core.brokers.simulated.account import ExchangeLedger
from core.brokers.simulated.config import ExchangeConfig, Frictions, Listing
from core.brokers.simulated.log import CancelRequest, ReplaceRequest, SubmitRequest
from core.brokers.simulated.market import ExchangeMarket
from core.brokers.simulated.matching import Matching
from core.brokers.simulated.order_book import Book, BookedOrder, legs_of
from core.brokers.simulated.rules import Situation, duplicate, is_whole, refusal
from core.model.bar import NoQuote
from core.model.broker import Accepted, NotFound, Refused, UpdateEvent
from core.model.codes import RefusalKind
from core.model.instrument import BrokerInstrument
from core.model.order import OrderClass, OrderRequest, Side, TimeInForce
from core.model.values import ZERO, Price, Symbol


def refusal_to_replace(old: BookedOrder | None, order: OrderRequest) -> Refused | None:
    """Return why this order cannot replace `old`, or None."""
    if old is None:
        return Refused(RefusalKind.NO_SUCH_ORDER, f"order not found for {order.replaces}")
    if not old.is_working:
        return Refused(RefusalKind.NOT_WORKING, f'order is already in "{old.report().raw_status}" state')
    if old.takes_any_price:
        return _invalid("an order that takes any price cannot be replaced")
    before = old.request
    if (before.symbol, before.side, before.type) != (order.symbol, order.side, order.type):
        return _invalid("symbol, side and type of an order cannot be changed")
    if _terms(before) == _terms(order):
        return Refused(RefusalKind.FORBIDDEN, "order parameters are not changed")
    if before.legs != order.legs:
        return _invalid("legs of an order cannot be changed with it")
    if before.quantity != order.quantity and not (is_whole(before.quantity) and is_whole(order.quantity)):
        return _invalid("qty of a fractional order cannot be changed")
    return None


def _terms(order: OrderRequest) -> tuple[object, ...]:
    return order.quantity, order.terms, order.time_in_force


def _invalid(message: str) -> Refused:
    return Refused(RefusalKind.UNPROCESSABLE, message)


class OrderEntry:
    """Handles orders, replacements and cancels in the current market."""

    def __init__(
        self,
        config: ExchangeConfig,
        listing: Listing,
        matching: Matching,
        market: ExchangeMarket,
        book: Book,
        ledger: ExchangeLedger,
    ) -> None:
        self._config = config
        self._listing = listing
        self._matching = matching
        self._market = market
        self._book = book
        self._ledger = ledger
        self._frictions = Frictions(config)

    def submit(self, submission: SubmitRequest) -> Accepted | Refused:
        """Accept or refuse an order."""
        self._reach(submission.at, submission.order.symbol)
        situation = self._situation(submission.at, submission.order, None)
        refused = refusal(situation) or self._frictions.refusal(submission.order)
        return refused or self._accept(submission.at, situation)

    def replace(self, replacement: ReplaceRequest) -> Accepted | Refused:
        """Replace an order atomically, or refuse it; if refused, the old one stays."""
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

    def cancel(self, cancellation: CancelRequest) -> Accepted | Refused | NotFound:
        """Cancel the rest of an order; one that has ended is refused."""
        self._matching.walk_through(cancellation.at)
        order = self._book.find(cancellation.client_order_id)
        if order is None:
            return NotFound()
        self._market.settle(order.symbol, cancellation.at)
        if not order.is_working:
            return Refused(RefusalKind.NOT_WORKING, f'order is already in "{order.report().raw_status}" state')
        self._book.end(order, UpdateEvent.CANCELED, cancellation.at)
        self._matching.schedule()
        return Accepted(order.whole_report())

    def _reach(self, at: datetime, symbol: Symbol) -> None:
        """Walk the market to the time of a request."""
        self._matching.walk_through(at)
        self._market.settle(symbol, at)

    def _accept(self, at: datetime, situation: Situation, old: BookedOrder | None = None) -> Accepted:
        """Book an order with its legs; a replacement takes the old order's place, held if that was."""
        request, instrument = situation.order, situation.instrument
        assert isinstance(instrument, BrokerInstrument)  # the rules have checked both
        assert situation.price is not None
        order = BookedOrder(
            request=request,
            broker_order_id=self._book.next_broker_id(),
            opens=situation.opens,
            reserve_price=situation.sold_at or situation.price,
            step=Decimal(1) if is_whole(request.quantity) else instrument.quantity_step,
            expires_at=self._matching.day_end(request, at) if request.time_in_force is TimeInForce.DAY else None,
            instrument=instrument.terms,
            accepted_at=at,
        )
        if old is not None:
            # Make a leg's replacement a leg in its place; a trailing stop keeps its best price.
            order.best = old.best
            if old.parent is not None:
                order.parent = old.parent
                order.parent.legs[order.parent.legs.index(old)] = order
        # Book the order before its legs are made.
        if old is not None and old.is_held:
            self._book.hold(order)
        else:
            self._book.accept(order, at)
        for leg in legs_of(order, self._book.next_broker_id):
            self._book.hold(leg)
            if request.order_class is OrderClass.OCO:
                self._book.release(leg, at)
        accepted = Accepted(order.whole_report())
        if not order.is_held:
            self._matching.arrive(order, at)
        return accepted

    def _situation(self, at: datetime, order: OrderRequest, old: BookedOrder | None) -> Situation:
        """Build the situation of an arriving order; the replaced one's reserves are free again."""
        gone = old if old is not None and old.is_working else None
        held = gone.remaining if gone is not None and not gone.opens and not gone.is_held else ZERO
        reserved = gone.to_reserve if gone is not None and gone.opens else ZERO
        return Situation(
            order=order,
            instrument=self._listing.instrument(order.symbol),
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
        """Return the bid for a limit short sale below it."""
        is_short = order.side is Side.SELL and self._ledger.quantity(order.symbol) <= ZERO
        limit = order.limit_price
        if limit is None or not order.type.rests or not is_short:
            return None
        return self._market.sold_short_at(order.symbol, limit, at)

    def _cost_of_a_share(self, at: datetime, order: OrderRequest) -> Price | None:
        """Return its limit, its stop, or else the side of the quote that it takes; None without a quote."""
        if order.limit_price is not None:
            return order.limit_price
        if order.type.has_stop:
            return order.stop_price
        quote = self._market.quote(order.symbol, at)
        if isinstance(quote, NoQuote):
            return None
        return quote.ask if order.side is Side.BUY else quote.bid
