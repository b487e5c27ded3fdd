"""Exit rules for positions of any strategy: their terms, the rules, and their saved marks (ST-09)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.execution.ledger import Ledger
from core.execution.ledger_state import position_key
from core.facts import BarClosed, CorporateActionApplied, ExitRulesChosen, OrderFilled, PositionCorrected
from core.model.bar import Bar
from core.model.instrument import STOCK_TICKS
from core.model.lazy_dataclass import dataclass
from core.model.order import StopHolder
from core.model.position import Position
from core.model.rescaling import SAME, size_of
from core.model.signal import ExitReason
from core.model.values import ZERO, Price, Quantity, Symbol, exact_percent, percent
from core.settings.strategies import ExitSettings

# ── the rules ────────────────────────────────────────────────────────────────────────────────────────────────────────
# The exit rules: pure functions of a position, its terms and a close (ST-09).
#
# No state is kept, and no clock is read: a position's history since its entry is in `ExitPosition`.

ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class ExitPosition:
    """A position at the close of a bar.

    Attributes
    ----------
    is_long
        A short gains when the price falls; every rule is then its mirror image.
    average_price
        Average cost of a share (a short: proceeds), USD.
    held, unprotected
        Shares held, and those of them without a working exit or a stop at the broker.
    best
        The best price since the entry: for a long the highest, for a short the lowest.
    days
        Days of its venue's calendar since the entry.
    is_late
        It must be flat by the close, and that is near.
    own_stop, own_target
        Prices that came with the entry, USD; None if there are none.
    is_target_at_broker, is_trailed_at_broker
        An order at the broker takes the profit, or trails: no rule competes with it (EX-13).
    is_unvalued
        A part of it was spun off, and nobody knows yet what that is worth: no rule that compares prices applies.
    """

    is_long: bool
    average_price: Price
    held: Quantity
    unprotected: Quantity
    best: Price
    days: int
    is_late: bool
    own_stop: Price | None = None
    own_target: Price | None = None
    is_target_at_broker: bool = False
    is_trailed_at_broker: bool = False
    is_unvalued: bool = False

    def gain_at(self, price: Decimal) -> Decimal:
        """Return the gain at a price as a ratio of the cost."""
        way = price - self.average_price if self.is_long else self.average_price - price
        return way / self.average_price

    def off(self, fraction: Decimal, price: Decimal) -> Price:
        """Return the price `fraction` worse than `price`; better if it is below zero."""
        return STOCK_TICKS.nearest(price * (ONE - fraction if self.is_long else ONE + fraction))

    def is_worse(self, price: Decimal, than: Decimal) -> bool:
        """Return whether the price is at `than` or beyond it, to the losing side."""
        return price <= than if self.is_long else price >= than


@dataclass(frozen=True, slots=True)
class Due:
    """A due exit: quantity, reason, the price that triggered it (USD), and its text."""

    quantity: Quantity
    reason: ExitReason
    level: Price
    words: str


def exit_due(terms: ExitSettings, standing: ExitPosition, close: Price) -> Due | None:
    """Return the first rule that applies at this close; None if none does.

    The order is: stop, the day's close, trailing stop, target, time. The stop sells only shares without an exit at the
    broker; every other rule sells all of them, and their stop is cancelled first (EX-21).
    """
    return next(_due(terms, standing, close), None)


def _due(terms: ExitSettings, standing: ExitPosition, close: Price) -> Iterator[Due]:
    stop = None if standing.is_unvalued else stop_of(terms, standing)
    if stop is not None and standing.unprotected > ZERO and standing.is_worse(close, stop):
        yield Due(
            standing.unprotected, ExitReason.STOP_LOSS, stop, f"close {_text(close)} is at the stop {_text(stop)}"
        )
    if standing.is_late:
        yield Due(standing.held, ExitReason.FORCE_FLAT, close, "flat before the market closes")
    trail = None if standing.is_unvalued else trail_of(terms, standing)
    if trail is not None and not standing.is_trailed_at_broker and standing.is_worse(close, trail):
        words = f"close {_text(close)} is {percent(terms.trail)} behind the best price {_text(standing.best)}"
        yield Due(standing.held, ExitReason.TRAILING_STOP, trail, words)
    target = None if standing.is_unvalued else target_of(terms, standing)
    if target is not None and not standing.is_target_at_broker and standing.is_worse(target, close):
        words = f"close {_text(close)} is at the target {_text(target)}"
        yield Due(standing.held, ExitReason.TAKE_PROFIT, target, words)
    if terms.max_days and standing.days > terms.max_days:
        yield Due(standing.held, ExitReason.TIME_EXIT, close, f"held for {standing.days} days")
    gain, is_old = standing.gain_at(close), bool(terms.stale_days) and standing.days > terms.stale_days
    if is_old and not standing.is_unvalued and gain < terms.stale_gain:
        words = f"held for {standing.days} days and only {percent(gain)} up"
        yield Due(standing.held, ExitReason.TIME_EXIT, close, words)


def in_words(terms: ExitSettings) -> Iterator[str]:
    """Yield the rules without a price at the entry, for the ticket (OP-03)."""
    if terms.trail:
        begins = f" once {exact_percent(terms.trail_from)} up" if terms.trail_from else ""
        yield f"{exact_percent(terms.trail)} behind the best price{begins}"
    if terms.stale_days:
        yield f"after {terms.stale_days} days unless {exact_percent(terms.stale_gain)} up"
    if terms.max_days:
        yield f"after {terms.max_days} days"


def watching(terms: ExitSettings, standing: ExitPosition) -> Iterator[str]:
    """Yield the rules that watch a position, in a word each: `stop`, `trailing`, `target`, `5 d`."""
    if terms.stop or standing.own_stop is not None:
        yield "stop"
    if terms.trail:
        yield "trailing"
    if terms.profit_target or standing.own_target is not None:
        yield "target"
    if days := [each for each in (terms.max_days, terms.stale_days) if each]:
        yield f"{min(days)} d"


def days_to_time_rule(terms: ExitSettings, standing: ExitPosition, price: Price) -> int | None:
    """Return the days until a limit of time applies at this price: 0 or less is now; None if none does."""
    limits = [terms.max_days] if terms.max_days else []
    if terms.stale_days and not standing.is_unvalued and standing.gain_at(price) < terms.stale_gain:
        limits.append(terms.stale_days)
    return min(limits) + 1 - standing.days if limits else None


def stop_of(terms: ExitSettings, standing: ExitPosition) -> Price | None:
    """Return the entry's own stop, or the rule's."""
    if standing.own_stop is not None or not terms.stop:
        return standing.own_stop
    return standing.off(terms.stop, standing.average_price)


def target_of(terms: ExitSettings, standing: ExitPosition) -> Price | None:
    """Return the entry's own target, or the rule's."""
    if standing.own_target is not None or not terms.profit_target:
        return standing.own_target
    return standing.off(-terms.profit_target, standing.average_price)


def trail_of(terms: ExitSettings, standing: ExitPosition) -> Price | None:
    """Return the trailing stop's price; None while it does not trail yet."""
    if not terms.trail or standing.gain_at(standing.best) < terms.trail_from:
        return None
    return standing.off(terms.trail, standing.best)


def _text(price: Decimal) -> str:
    return str(STOCK_TICKS.nearest(price))


# ── marks of positions ───────────────────────────────────────────────────────────────────────────────────────────────
# Marks of each position for its exits: when it was opened, and the best price since (ST-09, SP-05).
#
# Folded from fills and bars after the ledger folded them, so that a restart at any instant finds the same marks.


@dataclass(slots=True)
class ExitMark:
    """The mark of a position.

    Attributes
    ----------
    opened_at
        When its position was opened, UTC.
    best
        The best price since: a long's highest, a short's lowest, USD; at first the entry price.
    stop, target
        From the entry, USD for a share of today; None if there are none, and after a split in older records.
    is_stop_ours
        The ticket said that this desk watches that stop.
    paid
        Special dividends since the entry, USD for a share of today.
    is_unvalued
        A part was spun off since, and the broker has not moved its part of the cost yet.
    is_watched
        The operator's choice whether the rules watch it; None before one: then `exits.manual` says it.
    """

    opened_at: datetime
    best: Price
    stop: Price | None = None
    target: Price | None = None
    is_stop_ours: bool = False
    paid: Decimal = ZERO
    is_unvalued: bool = False
    is_watched: bool | None = None

    def average_now(self, position: Position) -> Price:
        """Return the average that a price of today is compared with; its own where the cash was worth more."""
        average = Price(position.average_price - self.paid)
        return average if average > 0 else position.average_price


@dataclass(slots=True)
class WatchState:
    """`marks` is keyed `SYMBOL/strategy`, as positions are."""

    marks: dict[str, ExitMark] = field(default_factory=dict)


class ExitWatch:
    """The slice of the marks."""

    name = "exits"

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.state = WatchState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            BarClosed: self._bar_closed,
            OrderFilled: self._filled,
            PositionCorrected: self._corrected,
            CorporateActionApplied: self._split,
            ExitRulesChosen: self._chosen,
        }

    def restore(self, state: WatchState) -> None:
        self.state = state

    def mark(self, position: Position) -> ExitMark:
        """Return its mark; a fresh one if the position is older than this slice."""
        found = self.state.marks.get(position_key(position.symbol, position.strategy))
        if found is not None and found.opened_at == position.opened_at:
            return found
        entry = self.ledger.order(position.entry_order)
        if entry is None:
            return ExitMark(position.opened_at, position.average_price)
        stop, is_ours = entry.stop, entry.stop is not None and entry.stop.holder is StopHolder.DESK
        prices = (None if stop is None or stop.behind is not None else stop.price), entry.target_price
        price, target = (entry.rescaling.known_price(each) if entry.rescaling != SAME else each for each in prices)
        return ExitMark(position.opened_at, position.average_price, price, target, is_ours)

    def desk_stop(self, position: Position) -> Price | None:
        """Return the price at which this desk ends a position, USD for a share of today; None while it watches none."""
        mark = self.mark(position)
        return mark.stop if mark.is_stop_ours and not mark.is_unvalued else None

    def way_to_stop(self, position: Position) -> Price | None:
        """Return the loss per share at its entry's stop, USD for a share of today; None if unknown."""
        entry, mark = self.ledger.order(position.entry_order), self.mark(position)
        if entry is None or entry.stop is None:
            return None
        if entry.stop.behind is not None:
            return entry.rescaling.distance(entry.stop.behind)
        return None if mark.stop is None else Price(abs(mark.average_now(position) - mark.stop))

    def take_bar(self, bar: Bar) -> None:
        """Update the best price.

        After the entry a whole bar counts; in the entry's own bar only the close is surely later.
        """
        for position in self.ledger.positions_in(bar.symbol):
            if bar.end <= position.opened_at:
                continue
            mark, is_long = self._kept(position), position.quantity > 0
            seen = bar.close if bar.start < position.opened_at else bar.high if is_long else bar.low
            mark.best = max(mark.best, seen) if is_long else min(mark.best, seen)

    def _chosen(self, _at: datetime, fact: ExitRulesChosen) -> None:
        position = self.ledger.position(fact.symbol, fact.strategy)
        if position is not None:
            self._kept(position).is_watched = fact.is_watched

    def _bar_closed(self, _at: datetime, fact: BarClosed) -> None:
        if self.ledger.state.positions:
            self.take_bar(fact.bar)

    def _kept(self, position: Position) -> ExitMark:
        mark = self.mark(position)
        self.state.marks[position_key(position.symbol, position.strategy)] = mark
        return mark

    def _filled(self, _at: datetime, fact: OrderFilled) -> None:
        order = self.ledger.order(fact.fill.client_order_id)
        if order is None:
            return
        position = self.ledger.position(order.request.symbol, order.strategy)
        if position is None:
            self.state.marks.pop(position_key(order.request.symbol, order.strategy), None)
        else:
            mark, held = self._kept(position), abs(position.quantity)
            if mark.paid and not order.only_reduces and held > fact.fill.quantity:
                mark.paid *= (held - fact.fill.quantity) / held  # the new shares got none of it

    def _corrected(self, _at: datetime, fact: PositionCorrected) -> None:
        """Keep the marks of owners that kept shares; drop all after a split, or if no owner is known."""
        if fact.stayed is not None:
            self._value(fact.symbol, fact.stayed)
        if fact.owners and not fact.is_split:
            self._forget_but(fact.symbol, {position_key(fact.symbol, share.strategy) for share in fact.owners})
            return
        before = dict(self.state.marks)
        self._forget_but(fact.symbol, set())
        for position in self.ledger.positions_in(fact.symbol):
            key = position_key(position.symbol, position.strategy)
            chosen = before[key].is_watched if key in before else None
            self.state.marks[key] = ExitMark(position.opened_at, position.average_price, is_watched=chosen)

    def _split(self, _at: datetime, fact: CorporateActionApplied) -> None:
        """Count the marks per share of after it, to the tick, under its symbol (EX-25)."""
        owners = [owner.strategy for owner in fact.owners]
        if fact.is_dividend:
            self._paid(fact)
        for owner in owners:
            mark = self.state.marks.pop(position_key(fact.symbol, owner), None)
            held = self.ledger.position(fact.symbol_now, owner)
            if mark is None or held is None:
                continue
            self.state.marks[position_key(held.symbol, held.strategy)] = mark
            nearest, by = held.instrument.ticks.nearest, fact.rescaling
            today = nearest(by.price(mark.best))  # unless a bar of today made it what it is
            mark.best = min((today, mark.best), key=lambda each: size_of(each, held.average_price))
            mark.stop = None if mark.stop is None else nearest(by.price(mark.stop))
            mark.target = None if mark.target is None else nearest(by.price(mark.target))
            mark.paid = by.distance(mark.paid)

    def _value(self, symbol: Symbol, stayed: Decimal) -> None:
        """Count the marks by the part of the cost that stayed when another was spun off: that of their value."""
        for held in self.ledger.positions_in(symbol):
            mark = self.state.marks.get(position_key(held.symbol, held.strategy))
            if mark is not None and mark.is_unvalued:
                nearest = held.instrument.ticks.nearest
                mark.best, mark.is_unvalued = nearest(mark.best * stayed), False
                mark.stop = None if mark.stop is None else nearest(mark.stop * stayed)
                mark.target = None if mark.target is None else nearest(mark.target * stayed)

    def _paid(self, fact: CorporateActionApplied) -> None:
        """Count the marks less a special dividend; not what was chosen, or seen, on its day or later."""
        day_of = self.ledger.calendar.trading_day
        for held in self.ledger.positions_in(fact.symbol):
            if fact.is_spin_off and day_of(held.opened_at) < fact.day:
                self._kept(held).is_unvalued = True
            mark = self.state.marks.get(position_key(held.symbol, held.strategy))
            if mark is None:
                continue
            entry, nearest, by = self.ledger.order(held.entry_order), held.instrument.ticks.nearest, fact.rescaling
            if day_of(held.opened_at) < fact.day:
                mark.best, mark.paid = nearest(by.price(mark.best)), mark.paid + by.cash
            if day_of(held.opened_at if entry is None else entry.created_at) < fact.day:
                mark.stop = None if mark.stop is None else nearest(by.price(mark.stop))
                mark.target = None if mark.target is None else nearest(by.price(mark.target))

    def _forget_but(self, symbol: Symbol, kept: set[str]) -> None:
        for key in [key for key in self.state.marks if key.rpartition("/")[0] == symbol and key not in kept]:
            del self.state.marks[key]
