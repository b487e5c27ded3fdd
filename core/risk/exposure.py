"""Exposure: portfolio, the day's entries, and the loss if every stop filled, with the limits that they count against
(RK-21, RK-16, RK-23, ST-08).

A position is measured from its last price to its working stops; shares without a working stop are measured to the stop
that the desk holds. If the desk holds none, the whole value counts: a stop that the operator holds (YOU) limits no loss
until the operator acts. A stop that the price has passed while the shares are still held limits no loss either: those
shares count with their loss since the entry, or the distance from the price to the stop if that is larger. A stop in
doubt does not protect. Working entries count as if they were filled.

An entry counts with its fills of today, at their prices; with its rest while it works, also in doubt; and from its
confirmation on. Shares sold again still count: the cap is on opened value, not on held value.

A changed share applies from the next trading day, because today's positions were sized by today's share. A strategy
that had no share gets its own at once, as far as the other shares leave room. A strategy without a share uses the
common capital.

An allocation that the operator adopted from a nightly proposal (ST-10) is such a change: it overrides the settings
until the configured figure changes, and never takes another strategy's share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

from core.execution.ledger import Ledger
from core.execution.ledger_state import position_key
from core.execution.order import Order
from core.facts import DayStarted, OrderFilled, PromotionDecided, SettingsApplied
from core.model.instrument import Instrument
from core.model.order import OrderRequest, StopHolder
from core.model.position import Position
from core.model.staging import NoStop, StopPlan
from core.model.values import NO_MONEY, ZERO, ClientOrderId, Fraction, Money, Price, Symbol, exact_percent
from core.settings.settings import Settings

LastPrice = Callable[[Symbol], Price | None]


def open_losses(ledger: Ledger, last: LastPrice, but: ClientOrderId | None = None) -> Money:
    """Sum the open loss of all positions and working entries, in USD.

    `but` is left out because the asking order replaces it.
    """
    guards: dict[str, list[Order]] = {}
    lost = ZERO
    for order in ledger.working():
        if order.only_reduces:
            if order.is_protective and not ledger.legs.is_held(order) and not ledger.chains.is_in_doubt(order):
                guards.setdefault(position_key(order.request.symbol, order.strategy), []).append(order)
        elif order.id != but and ledger.chains.replaced(order) is None:
            farthest = order.request.limit_price or order.intended_price or ZERO
            lost += order.request.instrument.risk(order.remaining, at_stake(order.counted_price, farthest, order.stop))
    for position in ledger.positions():
        stops = guards.get(position_key(position.symbol, position.strategy), [])
        guarded = [stop for stop in stops if ledger.chains.replaced(stop) is None]
        lost += _of_position(ledger, position, guarded, last(position.symbol) or position.average_price)
    return Money(lost)


def _of_position(ledger: Ledger, position: Position, guards: list[Order], price: Price) -> Decimal:
    """Sum the loss over the stops, the farthest first: if there are more stops than needed, the nearer ones may not
    fill.
    """
    of, left, lost = position.instrument, abs(position.quantity), ZERO
    stops = [(way, stop.remaining) for stop in guards if (way := _way(stop, position, price)) is not None]
    for way, quantity in sorted(stops, reverse=True):
        taken = min(quantity, left)
        lost, left = lost + of.risk(taken, way), left - taken
    return lost + of.risk(left, _unprotected_way(ledger, position, price)) if left else lost


def _way(stop: Order, position: Position, price: Price) -> Decimal | None:
    """Return the loss per share at a broker-held stop, in USD; None if the stop has no price."""
    request = stop.request
    if request.stop_price is not None:
        return _way_to(request.stop_price, position, price)
    if request.trail_price is not None:
        return request.trail_price
    return None if request.trail_fraction is None else request.trail_fraction * price


def _unprotected_way(ledger: Ledger, position: Position, price: Price) -> Decimal:
    """Return the loss per share of shares without a stop at the broker, in USD."""
    entry = ledger.order(position.entry_order)
    plan = entry.stop if entry is not None else None
    is_watched = plan is not None and plan.holder is StopHolder.DESK
    return _way_to(plan.price, position, price) if plan is not None and is_watched else price


def _way_to(stop: Price, position: Position, price: Price) -> Decimal:
    """Return the loss per share at a stop, in USD.

    If the price has passed the stop, it is the loss by price, at most the price.
    """
    sign = 1 if position.quantity > 0 else -1
    way = (price - stop) * sign
    if way >= ZERO:
        return way
    return min(max((position.average_price - price) * sign, -way), price)


def at_stake(price: Decimal, farthest: Decimal, stop: StopPlan | NoStop | None) -> Decimal:
    """Return USD per share at risk: from the entry's `farthest` fill to its stop, or `price` if the desk and the broker
    hold no stop.
    """
    if not isinstance(stop, StopPlan) or stop.holder is StopHolder.YOU:
        return price
    return stop.way_from(farthest)


Prices = Callable[[Symbol], tuple[datetime, Price] | None]


def exposure_of(ledger: Ledger, prices: Prices, but: OrderRequest | None = None) -> Money:
    """Sum long and short exposure in USD: positions at the last price, or at their average price if none is known.

    A working entry counts at its limit; `but` and the order it replaces are left out.
    """
    left_out = () if but is None else (but.client_order_id, but.replaces)
    held = sum((_worth(p, prices(p.symbol)) for p in ledger.positions()), ZERO)
    coming = sum((order.cost_to_come for order in ledger.working_entries() if order.id not in left_out), ZERO)
    return Money(held + coming)


def exposure_by_symbol(ledger: Ledger, prices: Prices, but: OrderRequest | None = None) -> dict[Symbol, Money]:
    """Return the same exposure in USD per held or coming symbol."""
    left_out = () if but is None else (but.client_order_id, but.replaces)
    found: dict[Symbol, Money] = {}
    for position in ledger.positions():
        worth = _worth(position, prices(position.symbol))
        found[position.symbol] = Money(found.get(position.symbol, ZERO) + worth)
    for order in ledger.working_entries():
        if order.id not in left_out:
            symbol = order.request.symbol
            found[symbol] = Money(found.get(symbol, ZERO) + order.cost_to_come)
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
    for order in ledger.working_entries():
        if order.id not in left_out:
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


@dataclass(frozen=True, slots=True)
class Share:
    """An allocation as a share of equity, and the largest part of it that one position may cost; both 0 to 1."""

    allocation: Decimal
    position_part: Decimal


@dataclass(frozen=True, slots=True)
class Raise:
    """An adopted raise: the configured allocation at that time and the adopted one, both as shares of equity."""

    of: Decimal
    to: Decimal


@dataclass(slots=True)
class AllocationsState:
    """Per strategy: today's share, the share from the next day on, and adopted raises."""

    today: dict[str, Share] = field(default_factory=dict)
    wanted: dict[str, Share] = field(default_factory=dict)
    raised: dict[str, Raise] = field(default_factory=dict)


class Allocations:
    """Folds settings, trading days and adopted raises."""

    name = "allocations"

    def __init__(self) -> None:
        self.state = AllocationsState()
        self.folds = {
            SettingsApplied: self._applied,
            DayStarted: self._day_started,
            PromotionDecided: self._decided,
        }

    def restore(self, state: AllocationsState) -> None:
        self.state = state

    def of(self, strategy: str) -> Share | None:
        """Return the strategy's share of today; None if it uses the common capital."""
        return self.state.today.get(strategy)

    def from_tomorrow(self, strategy: str) -> Share | None:
        """Return the share from the next trading day on if it differs from today's, else None."""
        wanted = self.state.wanted.get(strategy)
        return None if wanted == self.of(strategy) else wanted

    def raised(self, strategy: str) -> Raise | None:
        """Return the adopted raise that is or will be in force, if any."""
        return self.state.raised.get(strategy) if strategy in self.state.wanted else None

    def grown(self, strategy: str, step: Decimal) -> Fraction | None:
        """Return the allocation raised by `step` of itself, as a share of equity; None if the strategy has none."""
        share = self.state.wanted.get(strategy)
        return None if share is None else Fraction(share.allocation * (1 + step))

    def refusal_to_grow(self, strategy: str, step: Decimal) -> str | None:
        """Explain why the allocation cannot grow by `step` of itself: together they may not exceed equity."""
        to = self.grown(strategy, step)
        if to is None:
            return "it has no allocation of its own that could grow"
        others = sum((share.allocation for name, share in self.state.wanted.items() if name != strategy), ZERO)
        if others + to <= 1:
            return None
        return (
            f"with {exact_percent(to)} for it the allocations would be {exact_percent(others + to)} of equity "
            "together; lower another one first"
        )

    def _applied(self, _at: object, fact: SettingsApplied) -> None:
        state, named = self.state, shares_of(fact.settings)
        state.raised = {
            name: raised
            for name, raised in state.raised.items()
            if name not in named or named[name].allocation == raised.of
        }
        state.wanted = with_raises(named, state.raised)
        left = 1 - sum((share.allocation for share in state.today.values()), ZERO)
        for name, share in state.wanted.items():
            if name not in state.today:
                given = min(share.allocation, max(left, ZERO))
                state.today[name] = Share(given, share.position_part)
                left -= given

    def _day_started(self, _at: object, _fact: DayStarted) -> None:
        self.state.today = dict(self.state.wanted)

    def _decided(self, _at: object, fact: PromotionDecided) -> None:
        """Change tomorrow's share; today's stays."""
        state, share = self.state, self.state.wanted.get(fact.strategy)
        if share is None or fact.allocation is None:
            return
        before = state.raised.get(fact.strategy)
        state.raised[fact.strategy] = Raise(share.allocation if before is None else before.of, fact.allocation)
        state.wanted = {**state.wanted, fact.strategy: replace(share, allocation=fact.allocation)}


def shares_of(settings: Settings) -> dict[str, Share]:
    """Return the shares of all enabled strategies that have an allocation."""
    tables = ((name, settings.strategies.of(name)) for name in settings.strategies.names)
    return {
        name: Share(table.allocation, table.position_part)
        for name, table in tables
        if table.enabled and table.allocation is not None
    }


def with_raises(named: dict[str, Share], raised: dict[str, Raise]) -> dict[str, Share]:
    """Apply adopted raises to the settings' shares, oldest first, as far as the settings leave room."""
    left = 1 - sum((share.allocation for share in named.values()), ZERO)
    shares = dict(named)
    for name, adopted in raised.items():
        if (share := named.get(name)) is not None:
            more = min(adopted.to - adopted.of, left)
            shares[name] = replace(share, allocation=share.allocation + more)
            left -= more
    return shares


@dataclass(frozen=True, slots=True)
class Capital:
    """A strategy's allocated and used capital in USD, and both for one symbol."""

    allocated: Money
    taken: Money
    of_a_position: Money
    in_symbol: Money

    @property
    def left(self) -> Money:
        """The most that another entry in the symbol may cost; never below zero."""
        return Money(max(min(self.allocated - self.taken, self.of_a_position - self.in_symbol), ZERO))


def capital_of(
    share: Share, strategy: str, symbol: Symbol, ledger: Ledger, equity: Decimal, but: OrderRequest | None = None
) -> Capital:
    """Sum positions at cost and working entries at their limits; leave out `but` and the order it replaces."""
    taken, in_symbol = ZERO, ZERO
    for held_in, cost in _costs(strategy, ledger, but):
        taken += cost
        in_symbol += cost if held_in == symbol else ZERO
    allocated = share.allocation * equity
    return Capital(Money(allocated), Money(taken), Money(allocated * share.position_part), Money(in_symbol))


def _costs(strategy: str, ledger: Ledger, but: OrderRequest | None) -> list[tuple[Symbol, Decimal]]:
    left_out = () if but is None else (but.client_order_id, but.replaces)
    held = [
        (p.symbol, p.instrument.cost(abs(p.quantity), p.average_price))
        for p in ledger.positions()
        if p.strategy == strategy
    ]
    coming = [
        (order.request.symbol, order.cost_to_come)
        for order in ledger.working_entries(strategy=strategy)
        if order.id not in left_out
    ]
    return [*held, *coming]
