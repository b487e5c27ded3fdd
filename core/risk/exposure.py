"""Exposure: portfolio, the day's entries, and the loss if every stop filled (RK-21, RK-16, RK-23).

A position is measured from its last price to its working stops; shares without a working stop are measured to the stop
that the desk holds. If the desk holds none, the whole value counts: a stop that the operator holds (YOU) limits no loss
until the operator acts. A stop that the price has passed while the shares are still held limits no loss either: those
shares count with their loss since the entry, or the distance from the price to the stop if that is larger. A stop in
doubt does not protect, nor one that the broker does not trade now, nor one of before a split. Working entries count as
if they were filled.

An entry counts with its fills of today, at their prices; with its rest while it works, also in doubt; and from its
confirmation on. Shares sold again still count: the cap is on opened value, not on held value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

from core.execution.ledger import Ledger
from core.execution.ledger_state import position_key
from core.execution.order import Order
from core.facts import OrderFilled
from core.model.instrument import Instrument
from core.model.lazy_dataclass import dataclass
from core.model.order import OrderRequest
from core.model.position import Position
from core.model.values import NO_MONEY, ZERO, ClientOrderId, Money, Price, Symbol

LastPrice = Callable[[Symbol], Price | None]
DeskStop = Callable[[Position], Price | None]
"""Returns the price at which this desk ends a position, USD for a share of today; None if it watches no stop."""


def open_losses(ledger: Ledger, last: LastPrice, desk_stop: DeskStop, but: ClientOrderId | None = None) -> Money:
    """Sum the open loss of all positions and working entries, in USD.

    `but` is left out because the asking order replaces it.
    """
    guards: dict[str, list[Order]] = {}
    for order in ledger.working_exits():
        is_idle = order.idle is not None or order.is_before_split or ledger.legs.is_held(order)
        if order.is_protective and not is_idle and not ledger.chains.is_in_doubt(order):
            guards.setdefault(position_key(order.request.symbol, order.strategy), []).append(order)
    lost = ZERO
    for group in ledger.entry_groups():
        lost += group.sums((but,)).loss
        lost += sum((o.loss_to_come for o in group.others((but,)) if ledger.chains.replaced(o) is None), ZERO)
    for position in ledger.positions():
        stops = guards.get(position_key(position.symbol, position.strategy), [])
        guarded = [stop for stop in stops if ledger.chains.replaced(stop) is None]
        price = last(position.symbol) or position.average_price
        lost += _of_position(position, guarded, desk_stop(position), price)
    return Money(lost)


def _of_position(position: Position, guards: list[Order], watched: Price | None, price: Price) -> Decimal:
    """Sum the loss over the stops, the farthest first: if there are more stops than needed, the nearer ones may not
    fill.
    """
    of, left, lost = position.instrument, abs(position.quantity), ZERO
    stops = [(way, stop.remaining) for stop in guards if (way := _way(stop, position, price)) is not None]
    for way, quantity in sorted(stops, reverse=True):
        taken = min(quantity, left)
        lost, left = lost + of.risk(taken, way), left - taken
    return lost + of.risk(left, price if watched is None else _way_to(watched, position, price)) if left else lost


def _way(stop: Order, position: Position, price: Price) -> Decimal | None:
    """Return the loss per share at a broker-held stop, in USD; None if the stop has no price."""
    request = stop.request
    if request.stop_price is not None:
        return _way_to(request.stop_price, position, price)
    if request.trail_price is not None:
        return request.trail_price
    return None if request.trail_fraction is None else request.trail_fraction * price


def _way_to(stop: Price, position: Position, price: Price) -> Decimal:
    """Return the loss per share at a stop, in USD.

    If the price has passed the stop, it is the loss by price, at most the price.
    """
    sign = 1 if position.quantity > 0 else -1
    way = (price - stop) * sign
    if way >= ZERO:
        return way
    return min(max((position.average_price - price) * sign, -way), price)


Prices = Callable[[Symbol], tuple[datetime, Price] | None]


def exposure_of(ledger: Ledger, prices: Prices, but: OrderRequest | None = None) -> Money:
    """Sum long and short exposure in USD: positions at the last price, or at their average price if none is known.

    A working entry counts at its limit; `but` and the order it replaces are left out.
    """
    left_out = () if but is None else (but.client_order_id, but.replaces)
    held = sum((_worth(p, prices(p.symbol)) for p in ledger.positions()), ZERO)
    coming = sum((group.cost(left_out) for group in ledger.entry_groups()), ZERO)
    return Money(held + coming)


def exposure_by_symbol(ledger: Ledger, prices: Prices, but: OrderRequest | None = None) -> dict[Symbol, Money]:
    """Return the same exposure in USD per held or coming symbol."""
    left_out = () if but is None else (but.client_order_id, but.replaces)
    found: dict[Symbol, Money] = {}
    for position in ledger.positions():
        worth = _worth(position, prices(position.symbol))
        found[position.symbol] = Money(found.get(position.symbol, ZERO) + worth)
    for group in ledger.entry_groups():
        if not group.is_all(left_out):
            found[group.symbol] = Money(found.get(group.symbol, ZERO) + group.cost(left_out))
    return found


def exposure_by_sector(by_symbol: Mapping[Symbol, Money], sectors: Mapping[str, str]) -> dict[str, Money]:
    """Return USD per sector. A symbol without a sector is not grouped with others (RK-23)."""
    found: dict[str, Money] = {}
    for symbol, worth in by_symbol.items():
        if (sector := sectors.get(symbol)) is not None:
            found[sector] = Money(found.get(sector, ZERO) + worth)
    return found


def _worth(position: Position, last: tuple[datetime, Price] | None) -> Money:
    return position.instrument.notional(abs(position.quantity), position.average_price if last is None else last[1])


Confirmed: TypeAlias = Callable[[], Sequence[tuple[ClientOrderId, Money]]]
"""Confirmed entries and their costs, the first one first; they may already be in the ledger."""


@dataclass(slots=True)
class DayValueState:
    """USD of entries filled on `day`, wholly or in part."""

    day: date | None = None
    filled: Money = NO_MONEY

    def filled_on(self, day: date) -> Money:
        """USD filled on a trading day; only the last day is kept."""
        return self.filled if self.day == day else NO_MONEY


class DayValue:
    """The slice of the day's filled value.

    Parameters
    ----------
    opens
        The instrument of an order that opens or adds; None for an order that only reduces.
    day_of
        The trading day of an instant.
    """

    name = "day_value"

    def __init__(self, opens: Callable[[ClientOrderId], Instrument | None], day_of: Callable[[datetime], date]) -> None:
        self._opens, self._day_of = opens, day_of
        self.state = DayValueState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {OrderFilled: self._filled}

    def restore(self, state: DayValueState) -> None:
        self.state = state

    def _filled(self, _at: datetime, fact: OrderFilled) -> None:
        """Add a fill of an entry; a late fill of an earlier day does not count."""
        instrument, day = self._opens(fact.fill.client_order_id), self._day_of(fact.fill.at)
        if instrument is None or (self.state.day is not None and day < self.state.day):
            return
        if self.state.day != day:
            self.state.day, self.state.filled = day, NO_MONEY
        self.state.filled = Money(self.state.filled + instrument.cost(fact.fill.quantity, fact.fill.price))


class ValueTaken(NamedTuple):
    """USD of a day's entries: filled, still to come from working ones, and confirmed."""

    filled: Money
    working: Money
    confirmed: Money

    @property
    def total(self) -> Money:
        return Money(self.filled + self.working + self.confirmed)


def value_taken(
    day: date, of_day: DayValueState, ledger: Ledger, confirmed: Confirmed, but: OrderRequest | None = None
) -> ValueTaken:
    """Return the value used on a trading day, without `but`, the order it replaces, and confirmations after it.

    A replacement counts with its extra cost.
    """
    left_out = () if but is None else (but.client_order_id, but.replaces)
    working = ZERO
    for group in ledger.entry_groups():
        working += group.sums(left_out).cost
        for order in group.others(left_out):
            old = ledger.chains.replaced(order)
            counted = ZERO if old is None or old.id in left_out else old.cost_to_come
            working += max(order.cost_to_come - counted, ZERO)
    to_come = ZERO
    for order_id, cost in confirmed():
        if but is not None and order_id == but.client_order_id:
            break
        if not ledger.has(order_id):
            to_come += cost
    return ValueTaken(of_day.filled_on(day), Money(working), Money(to_come))
