"""The slice of splits that our books followed: unadjusted past prices are read per share of today (MD-09)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import reduce
from typing import Any

from core.facts import CorporateActionApplied, PositionCorrected
from core.model.bar import Bar
from core.model.lazy_dataclass import dataclass
from core.model.reference_data import FOLLOWED_WITHIN, PastDay, PastDays
from core.model.rescaling import SAME, Rescaling
from core.model.values import ZERO, Symbol

A_DAY = timedelta(days=1)
OF_ONE_SPLIT = FOLLOWED_WITHIN
"""Between the announced day of a split and the books or the activity that show it."""


@dataclass(slots=True)
class SplitsState:
    """`by_symbol` has the day of each split or special dividend, and what one share of before is after it.

    `taken_over` has the last day on which the broker's number of shares was taken over, where some were left; `renamed`
    the last day on which a symbol was renamed, and its new one; `left` the last day on which all its shares were taken
    off without a fill.
    """

    by_symbol: dict[Symbol, list[tuple[date, Rescaling]]] = field(default_factory=dict)
    taken_over: dict[Symbol, date] = field(default_factory=dict)
    renamed: dict[Symbol, tuple[date, Symbol]] = field(default_factory=dict)
    left: dict[Symbol, date] = field(default_factory=dict)


class Splits:
    name = "splits"

    def __init__(self, trading_day: Callable[[datetime], date]) -> None:
        self.trading_day = trading_day
        self.state = SplitsState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            CorporateActionApplied: self._applied,
            PositionCorrected: self._corrected,
        }

    def restore(self, state: SplitsState) -> None:
        self.state = state

    def since(self, symbol: Symbol, day: date) -> Rescaling:
        """Return what one share of that day is today."""
        its = (by for on, by in self.state.by_symbol.get(symbol, ()) if day < on)
        return reduce(Rescaling.then, its, SAME)

    def is_known(self, symbol: Symbol, day: date, ratio: Decimal, tolerance: Decimal) -> bool:
        """Return whether this split was followed already, on that day or within days of it."""
        known = self.state.by_symbol.get(symbol, ())
        near = (by.ratio for on, by in known if abs(on - day) <= OF_ONE_SPLIT and by.ratio != 1)
        return any(abs(each - ratio) <= tolerance * ratio for each in near)

    def paid(self, symbol: Symbol, day: date) -> Decimal:
        """Return what was counted as special dividends of that day, USD a share."""
        return sum((by.cash for on, by in self.state.by_symbol.get(symbol, ()) if on == day and by.ratio == 1), ZERO)

    def paid_days(self, symbol: Symbol) -> set[date]:
        """Return the days of which a special dividend was counted."""
        return {on for on, by in self.state.by_symbol.get(symbol, ()) if by.ratio == 1 and by.cash}

    def is_spun_off(self, symbol: Symbol, day: date) -> bool:
        """Return whether a part of it was spun off on that day."""
        return any(on == day and by == SAME for on, by in self.state.by_symbol.get(symbol, ()))

    def renamed(self, symbol: Symbol, day: date) -> Symbol:
        """Return the symbol to which it was renamed within days of this one; itself if it was not."""
        on, now = self.state.renamed.get(symbol, (date.min, symbol))
        return now if abs(on - day) <= OF_ONE_SPLIT else symbol

    def have_left(self, symbol: Symbol, day: date) -> bool:
        """Return whether all its shares were taken off within days of this one: nobody knows by what."""
        return abs(self.state.left.get(symbol, date.min) - day) <= OF_ONE_SPLIT

    def is_decided(self, symbol: Symbol, day: date) -> bool:
        """Return whether the broker's books were taken over since a split of that day, or on the evening before it."""
        last = self.state.taken_over.get(symbol)
        return last is not None and last >= day - A_DAY

    def bar_now(self, bar: Bar) -> Bar:
        """Return an unadjusted bar per share of today."""
        if bar.symbol not in self.state.by_symbol:
            return bar
        by = self.since(bar.symbol, self.trading_day(bar.start))
        if by == SAME:
            return bar
        return replace(
            bar,
            open=by.price(bar.open),
            high=by.price(bar.high),
            low=by.price(bar.low),
            close=by.price(bar.close),
            volume=by.shares(bar.volume),
        )

    def past_now(self, past: PastDays) -> PastDays:
        """Return unadjusted past days per share of today."""
        if past.symbol not in self.state.by_symbol:
            return past
        days = tuple(self._day_now(past.symbol, each) for each in past.days)
        return replace(past, days=days, minutes=tuple(map(self.bar_now, past.minutes)))

    def _day_now(self, symbol: Symbol, told: PastDay) -> PastDay:
        by = self.since(symbol, told.day)
        volume = None if told.volume is None else by.shares(told.volume)
        close = by.known_price(told.close)
        return replace(told, close=close if close is not None and close > 0 else None, volume=volume)

    def _applied(self, at: datetime, fact: CorporateActionApplied) -> None:
        if fact.moves_prices:
            self.state.by_symbol.setdefault(fact.symbol, []).append((fact.day, fact.rescaling))
        if fact.to is not None and fact.rescaling == SAME:
            self.state.renamed[fact.symbol] = fact.day, fact.to
        if fact.owners and fact.quantity_after:
            self.state.taken_over[fact.symbol] = self.trading_day(at)

    def _corrected(self, at: datetime, fact: PositionCorrected) -> None:
        its = self.state.taken_over if fact.quantity else self.state.left
        its[fact.symbol] = self.trading_day(at)
