"""Order entry and replacements: refusals as a table (EX-11), accepted orders, and their meeting with the market.

As at Alpaca: the answer is a new order with new ids, and the old one is `replaced`. The requested quantity is
the new order's own: the old one's fills are not subtracted. Only whole shares can be changed in number. A replaced
order with legs gets new ones; the replacement of a leg is a leg in its place.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from core.brokers.simulated.account import ExchangeLedger
from core.brokers.simulated.config import INTENT_EDITION, ExchangeConfig, Listing
from core.brokers.simulated.frictions import Frictions
from core.brokers.simulated.log import CancelRequest, ReplaceRequest, SubmitRequest
from core.brokers.simulated.market import ExchangeMarket
from core.brokers.simulated.matching import Matching
from core.brokers.simulated.order_book import Book, BookedOrder, legs_of
from core.model.bar import NoQuote
from core.model.broker import Accepted, NotFound, Refused, UpdateEvent
from core.model.codes import RefusalKind
from core.model.instrument import BrokerInstrument, Instrument, NoInstrument, share
from core.model.lazy_dataclass import dataclass
from core.model.order import LegRole, OrderClass, OrderRequest, Side, TimeInForce, refused_for_its_legs
from core.model.values import ZERO, Price, Symbol, plain

# ── refusals ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Situation:
    """The input of all rules, when the order arrives.

    Attributes
    ----------
    position
        Shares held, signed.
    held
        Shares that working orders on the order's side already reserve for closing.
    opposite_opens
        Whether a working order on the other side would open a position.
    price
        Cost per share of this order: its limit, its stop, or the side of the quote that it takes. None without a quote.
    sold_at
        Value per share of a limit short sale, if known; None for any other order.
    is_held_to_its_effect
        Whether an order that would open although it is to close, or the reverse, is refused.
    is_held
        It replaces a leg that waits for its parent: it closes shares that are not held yet.
    """

    order: OrderRequest
    instrument: BrokerInstrument | NoInstrument
    is_duplicate: bool
    is_margin: bool
    position: Decimal
    held: Decimal
    opposite_opens: bool
    price: Price | None
    buying_power: Decimal
    is_held_to_its_effect: bool
    is_held: bool = False
    sold_at: Price | None = None

    @property
    def opens(self) -> bool:
        """Whether it opens or adds; an order never closes one side and opens the other."""
        if self.is_held:
            return False
        return self.position == ZERO or (self.position > ZERO) == (self.order.side is Side.BUY)


def refusal(situation: Situation) -> Refused | None:
    """Return the first rule's refusal; None if the order is accepted."""
    for rule in RULES:
        refused = rule(situation)
        if refused is not None:
            return refused
    return None


def is_taken(refused: Refused) -> bool:
    """Return whether it says that the id is taken: as with a real broker that is doubt, no refusal (EX-06)."""
    return refused.kind is RefusalKind.DUPLICATE_ID


def several_legs(order: OrderRequest) -> Refused | None:
    """Checked before everything else, and before the log: such an order never counts as a request."""
    return None if order.is_of_one_leg else _invalid(refused_for_its_legs(order))


def duplicate(s: Situation) -> Refused | None:
    if not s.is_duplicate:
        return None
    return Refused(RefusalKind.DUPLICATE_ID, "client_order_id must be unique")


def unknown_or_not_tradable(s: Situation) -> Refused | None:
    if isinstance(s.instrument, NoInstrument):
        return Refused(RefusalKind.NOT_TRADABLE, f'asset "{s.order.symbol}" not found')
    if not s.instrument.is_tradable:
        return Refused(RefusalKind.NOT_TRADABLE, f'asset "{s.order.symbol}" is not tradable')
    return None


def bad_quantity(s: Situation) -> Refused | None:
    """Fractions only if the instrument has them, and only as DAY orders."""
    quantity = s.order.quantity
    if not quantity.is_finite() or quantity <= ZERO:
        return _invalid("qty must be > 0")
    if is_whole(quantity):
        return None
    if isinstance(s.instrument, NoInstrument) or not s.instrument.is_fractionable:
        return _invalid(f'asset "{s.order.symbol}" is not fractionable')
    if quantity % s.instrument.quantity_step != ZERO:
        return _invalid(f"qty must be a multiple of {plain(s.instrument.quantity_step)}")
    if s.order.time_in_force is not TimeInForce.DAY:
        return _invalid("fractional orders must be DAY orders")
    return None


def bad_type(s: Situation) -> Refused | None:
    """Exactly the prices of the type; a stop is DAY or GTC, a trailing one whole."""
    order = s.order
    name = order.type.value
    if (order.limit_price is not None) != order.type.has_limit:
        return _invalid(f"{name} orders {_require(order.limit_price)} a limit_price")
    if (order.stop_price is not None) != order.type.has_stop:
        return _invalid(f"{name} orders {_require(order.stop_price)} a stop_price")
    trails = [trail for trail in (order.trail_price, order.trail_fraction) if trail is not None]
    if len(trails) != order.type.trails:
        return _invalid(f"{name} orders take one of trail_price and trail_percent, and only trailing_stop orders do")
    if any(not trail.is_finite() or trail <= ZERO for trail in trails):
        return _invalid("trail_price and trail_percent must be > 0")
    if order.type.waits and order.time_in_force is TimeInForce.IOC:
        return _invalid("stop orders must be DAY or GTC orders")
    if trails and not is_whole(order.quantity):
        return _invalid("fractional orders must be market, limit, stop, or stop_limit orders")
    return None


def bad_extended(s: Situation) -> Refused | None:
    """Outside the regular session only simple limit orders act, DAY or GTC (RK-20)."""
    order = s.order
    is_simple = order.order_class is OrderClass.SIMPLE
    is_allowed = order.type.rests and order.time_in_force is not TimeInForce.IOC and is_simple
    if not order.extended_hours or is_allowed:
        return None
    return _invalid("extended hours order must be DAY or GTC limit orders")


def bad_class(s: Situation) -> Refused | None:
    """Whole shares, DAY or GTC, and the legs of the class: a stop alone is an OTO (EX-12)."""
    order, kind = s.order, s.order.order_class
    if kind is OrderClass.SIMPLE:
        return None
    if not is_whole(order.quantity):
        return _invalid("fractional orders must be simple orders")
    if order.time_in_force is TimeInForce.IOC:
        return _invalid(f"{kind.value} orders must be DAY or GTC orders")
    roles = [leg.role for leg in order.legs]
    if kind is OrderClass.BRACKET and set(roles) != {LegRole.STOP, LegRole.TARGET}:
        return _invalid("bracket orders require take_profit.limit_price and stop_loss.stop_price")
    if kind is OrderClass.OTO and len(roles) != 1:
        return _invalid("oto orders require either take_profit or stop_loss")
    if kind is OrderClass.OCO and (not order.type.rests or roles != [LegRole.STOP]):
        return _invalid("oco orders must be limit orders with stop_loss.stop_price")
    if kind is not OrderClass.OCO and order.type.waits:
        return _invalid(f"{kind.value} orders must be market or limit orders")
    return None


def bad_legs(s: Situation) -> Refused | None:
    """Each leg on its own side of the price that the order itself would trade at, and on its tick."""
    if s.order.order_class is OrderClass.SIMPLE or s.price is None:
        return None
    closes = s.order.side.opposite if s.order.order_class is not OrderClass.OCO else s.order.side
    for leg in s.order.legs:
        name = f"{leg.role.value}.{'limit' if leg.role is LegRole.TARGET else 'stop'}_price"
        level = leg.limit_price if leg.role is LegRole.TARGET else leg.stop_price
        if level is None:
            return _invalid(f"{name} is required")
        for price in (leg.stop_price, leg.limit_price):
            if price is not None and (wrong := _off_its_tick(s, name, price)):
                return wrong
        is_above = (leg.role is LegRole.TARGET) == (closes is Side.SELL)
        if (level <= s.price) if is_above else (level >= s.price):
            return _invalid(f"{name} must be {'>' if is_above else '<'} base_price {plain(s.price)}")
    return None


def bad_price(s: Situation) -> Refused | None:
    """Two decimals from 1 USD on, four below (Reg NMS 612)."""
    order = s.order
    named = (("limit_price", order.limit_price), ("stop_price", order.stop_price), ("trail_price", order.trail_price))
    for name, price in named:
        if price is not None and (wrong := _off_its_tick(s, name, price)):
            return wrong
    return None


def no_price(s: Situation) -> Refused | None:
    return _invalid(f"no quote for {s.order.symbol}") if s.price is None else None


def other_effect(s: Situation) -> Refused | None:
    """An order to close never opens, and one to open never closes, as at Alpaca (`position_intent`)."""
    if not s.is_held_to_its_effect or s.is_held or s.opens is not s.order.effect.only_reduces:
        return None
    words = ("open", "close") if s.opens else ("close", "open")
    inferred, specified = (f"{s.order.side.value}_to_{word}" for word in words)
    return _invalid(f"position intent mismatch, inferred: {inferred}, specified: {specified}")


def not_enough_shares(s: Situation) -> Refused | None:
    """A closing order uses shares that no other working order reserves; a cash account never sells more than it has."""
    if s.is_held:
        return None
    sells_nothing = s.order.side is Side.SELL and s.position == ZERO and not s.is_margin
    if s.opens and not sells_nothing:
        return None
    available = abs(s.position) - s.held
    if s.order.quantity <= available:
        return None
    return Refused(
        RefusalKind.INSUFFICIENT_SHARES,
        f"insufficient qty available for order (requested: {plain(s.order.quantity)}, available: {plain(available)})",
    )


def bad_short_sale(s: Situation) -> Refused | None:
    """Whole shares of a shortable instrument, on a margin account."""
    if not s.opens or s.order.side is Side.BUY:
        return None
    if not is_whole(s.order.quantity):
        return _invalid("fractional orders cannot be sold short")
    if isinstance(s.instrument, NoInstrument) or s.instrument.short_refused:
        return Refused(RefusalKind.NOT_SHORTABLE, f'asset "{s.order.symbol}" cannot be sold short')
    return None


def both_sides(s: Situation) -> Refused | None:
    """Two opening orders that could meet each other."""
    if not s.opens or not s.opposite_opens:
        return None
    return Refused(RefusalKind.WASH_TRADE, f"cannot open a position while an opposite {s.order.symbol} order opens one")


def too_expensive(s: Situation) -> Refused | None:
    if not s.opens or s.price is None:
        return None
    cost = _traded(s).cost(s.order.quantity, s.sold_at or s.price)
    if cost <= s.buying_power:
        return None
    return Refused(
        RefusalKind.INSUFFICIENT_BUYING_POWER,
        f"insufficient buying power (cost: {plain(cost)}, available: {plain(s.buying_power)})",
    )


RULES: tuple[Callable[[Situation], Refused | None], ...] = (
    duplicate,
    unknown_or_not_tradable,
    bad_quantity,
    bad_type,
    bad_extended,
    bad_class,
    bad_price,
    no_price,
    bad_legs,
    other_effect,
    not_enough_shares,
    bad_short_sale,
    both_sides,
    too_expensive,
)
"""In the order of evaluation; the first refusal is the answer."""


def is_whole(quantity: Decimal) -> bool:
    return quantity == quantity.to_integral_value()


def _traded(s: Situation) -> Instrument:
    return share(s.order.symbol) if isinstance(s.instrument, NoInstrument) else s.instrument


def _off_its_tick(s: Situation, name: str, price: Price) -> Refused | None:
    if not price.is_finite() or price <= ZERO:
        return _invalid(f"{name} must be > 0")
    if price % _traded(s).ticks.at(price) == ZERO:
        return None
    return _invalid(f"invalid {name} {plain(price)}. sub-penny increment does not fulfill minimum pricing criteria")


def _require(price: Price | None) -> str:
    return "require" if price is None else "must not have"


def _invalid(message: str) -> Refused:
    return Refused(RefusalKind.UNPROCESSABLE, message)


# ── entry ────────────────────────────────────────────────────────────────────────────────────────────────────────────


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
        """Cancel the rest of an order, or let its cancel stay pending; one that has ended is refused."""
        self._matching.walk_through(cancellation.at)
        order = self._book.find(cancellation.client_order_id)
        if order is None:
            return NotFound()
        self._market.settle(order.symbol, cancellation.at)
        if not order.is_working:
            return Refused(RefusalKind.NOT_WORKING, f'order is already in "{order.report().raw_status}" state')
        leaves_at = self._matching.cancelled_at(cancellation.at)
        if order.is_held or leaves_at <= cancellation.at:
            self._book.end(order, UpdateEvent.CANCELED, cancellation.at)
        elif order.leaves_at is None:
            self._book.begin_cancel(order, leaves_at, cancellation.at)
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
            is_held_to_its_effect=self._config.edition >= INTENT_EDITION,
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
