"""The exchange's refusals with their kinds and messages: a table of rules (EX-11)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from core.model.broker import Refused
from core.model.codes import RefusalKind
from core.model.instrument import BrokerInstrument, Instrument, NoInstrument, share
from core.model.order import LegRole, OrderClass, OrderRequest, Side, TimeInForce, refused_for_its_legs
from core.model.values import ZERO, Price, plain


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
