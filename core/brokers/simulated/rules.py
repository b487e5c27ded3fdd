"""What the exchange refuses, and in whose words: a table of rules, each with Alpaca's status and code (EX-11)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from core.model.broker import Refused
from core.model.instrument import Instrument, NoInstrument
from core.model.order import OrderRequest, OrderType, Side, TimeInForce
from core.model.values import ZERO, Price, plain, tick_of

UNPROCESSABLE = 422
FORBIDDEN = 403
DUPLICATE = 40010001
INVALID = 42210000
NOT_ENOUGH = 40310000


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that a rule may look at, as it is when the order arrives.

    Attributes
    ----------
    position
        Shares held, signed.
    held
        Shares that working orders on the order's side already hold for closing.
    opposite_opens
        Whether a working order on the other side would open a position.
    price
        What a share of this order would cost: its limit, its stop, or the side of the quote that it takes.
        None where there is no quote.
    """

    order: OrderRequest
    instrument: Instrument | NoInstrument
    is_duplicate: bool
    is_margin: bool
    position: Decimal
    held: Decimal
    opposite_opens: bool
    price: Price | None
    buying_power: Decimal

    @property
    def opens(self) -> bool:
        """It opens or adds; an order never closes one side and opens the other."""
        return self.position == ZERO or (self.position > ZERO) == (self.order.side is Side.BUY)


def refusal(situation: Situation) -> Refused | None:
    """The first rule that says no; None where the order is accepted."""
    for rule in RULES:
        refused = rule(situation)
        if refused is not None:
            return refused
    return None


def duplicate(s: Situation) -> Refused | None:
    if not s.is_duplicate:
        return None
    return Refused(UNPROCESSABLE, DUPLICATE, "client_order_id must be unique")


def unknown_or_not_tradable(s: Situation) -> Refused | None:
    if isinstance(s.instrument, NoInstrument):
        return _invalid(f'asset "{s.order.symbol}" not found')
    if not s.instrument.is_tradable:
        return _invalid(f'asset "{s.order.symbol}" is not tradable')
    return None


def bad_quantity(s: Situation) -> Refused | None:
    """Fractions only where the instrument has them, and only as DAY orders."""
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
    """The prices that the type has, and no other; a stop is DAY or GTC."""
    order = s.order
    if (order.limit_price is not None) != (order.type is OrderType.LIMIT):
        return _invalid(f"{order.type.value} orders {_require(order.limit_price)} a limit_price")
    if (order.stop_price is not None) != (order.type is OrderType.STOP):
        return _invalid(f"{order.type.value} orders {_require(order.stop_price)} a stop_price")
    if order.type is OrderType.STOP and order.time_in_force is TimeInForce.IOC:
        return _invalid("stop orders must be DAY or GTC orders")
    return None


def bad_price(s: Situation) -> Refused | None:
    """Two decimals from 1 USD on, four below (Reg NMS 612)."""
    for name, price in (("limit_price", s.order.limit_price), ("stop_price", s.order.stop_price)):
        if price is None:
            continue
        if not price.is_finite() or price <= ZERO:
            return _invalid(f"{name} must be > 0")
        if price % tick_of(price) != ZERO:
            return _invalid(
                f"invalid {name} {plain(price)}. sub-penny increment does not fulfill minimum pricing criteria"
            )
    return None


def no_price(s: Situation) -> Refused | None:
    return _invalid(f"no quote for {s.order.symbol}") if s.price is None else None


def not_enough_shares(s: Situation) -> Refused | None:
    """A closing order takes what no other working order holds; a cash account never sells what it does not have."""
    sells_nothing = s.order.side is Side.SELL and s.position == ZERO and not s.is_margin
    if s.opens and not sells_nothing:
        return None
    available = abs(s.position) - s.held
    if s.order.quantity <= available:
        return None
    return _not_enough(
        f"insufficient qty available for order (requested: {plain(s.order.quantity)}, available: {plain(available)})"
    )


def bad_short_sale(s: Situation) -> Refused | None:
    """Whole shares of a shortable instrument, on a margin account."""
    if not s.opens or s.order.side is Side.BUY:
        return None
    if not is_whole(s.order.quantity):
        return _invalid("fractional orders cannot be sold short")
    if isinstance(s.instrument, NoInstrument) or not s.instrument.is_shortable:
        return _invalid(f'asset "{s.order.symbol}" cannot be sold short')
    return None


def both_sides(s: Situation) -> Refused | None:
    """Two opening orders that could meet each other."""
    if not s.opens or not s.opposite_opens:
        return None
    return _not_enough(f"cannot open a position while an opposite {s.order.symbol} order opens one")


def too_expensive(s: Situation) -> Refused | None:
    if not s.opens or s.price is None:
        return None
    cost = s.price * s.order.quantity
    if cost <= s.buying_power:
        return None
    return _not_enough(f"insufficient buying power (cost: {plain(cost)}, available: {plain(s.buying_power)})")


RULES: tuple[Callable[[Situation], Refused | None], ...] = (
    duplicate,
    unknown_or_not_tradable,
    bad_quantity,
    bad_type,
    bad_price,
    no_price,
    not_enough_shares,
    bad_short_sale,
    both_sides,
    too_expensive,
)
"""In the order in which they are asked; the first one that refuses is the answer."""


def is_whole(quantity: Decimal) -> bool:
    return quantity == quantity.to_integral_value()


def _require(price: Price | None) -> str:
    return "require" if price is None else "must not have"


def _invalid(message: str) -> Refused:
    return Refused(UNPROCESSABLE, INVALID, message)


def _not_enough(message: str) -> Refused:
    return Refused(FORBIDDEN, NOT_ENOUGH, message)
