"""The slice of splits that our books followed: unadjusted past prices are read per share of today (MD-09)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import prod

from core.facts import CorporateActionApplied
from core.model.bar import Bar
from core.model.lazy_dataclass import dataclass
from core.model.reference_data import PastDay, PastDays
from core.model.rescaling import known_price_now, price_now, shares_now
from core.model.values import Symbol

OF_ONE_SPLIT = timedelta(days=10)
"""Between the announced day of a split and the books or the activity that show it."""


@dataclass(slots=True)
class SplitsState:
    """`by_symbol` has the day of each split, and the new shares for one."""

    by_symbol: dict[Symbol, list[tuple[date, Decimal]]] = field(default_factory=dict)


class Splits:
    name = "splits"

    def __init__(self, trading_day: Callable[[datetime], date]) -> None:
        self.trading_day = trading_day
        self.state = SplitsState()
        self.folds = {CorporateActionApplied: self._applied}

    def restore(self, state: SplitsState) -> None:
        self.state = state

    def since(self, symbol: Symbol, day: date) -> Decimal:
        """Return the shares of today for one share of that day."""
        return prod((ratio for on, ratio in self.state.by_symbol.get(symbol, ()) if day < on), start=Decimal(1))

    def is_known(self, symbol: Symbol, day: date, ratio: Decimal, tolerance: Decimal) -> bool:
        """Return whether this split was followed already, on that day or within days of it."""
        known = self.state.by_symbol.get(symbol, ())
        return any(abs(on - day) <= OF_ONE_SPLIT and abs(each - ratio) <= tolerance * ratio for on, each in known)

    def bar_now(self, bar: Bar) -> Bar:
        """Return an unadjusted bar per share of today."""
        if bar.symbol not in self.state.by_symbol:
            return bar
        ratio = self.since(bar.symbol, self.trading_day(bar.start))
        if ratio == 1:
            return bar
        return replace(
            bar,
            open=price_now(bar.open, ratio),
            high=price_now(bar.high, ratio),
            low=price_now(bar.low, ratio),
            close=price_now(bar.close, ratio),
            volume=shares_now(bar.volume, ratio),
        )

    def past_now(self, past: PastDays) -> PastDays:
        """Return unadjusted past days per share of today."""
        if past.symbol not in self.state.by_symbol:
            return past
        days = tuple(self._day_now(past.symbol, each) for each in past.days)
        return replace(past, days=days, minutes=tuple(map(self.bar_now, past.minutes)))

    def _day_now(self, symbol: Symbol, told: PastDay) -> PastDay:
        ratio = self.since(symbol, told.day)
        volume = None if told.volume is None else shares_now(told.volume, ratio)
        return replace(told, close=known_price_now(told.close, ratio), volume=volume)

    def _applied(self, _at: datetime, fact: CorporateActionApplied) -> None:
        if fact.split_ratio is not None:
            self.state.by_symbol.setdefault(fact.symbol, []).append((fact.day, fact.ratio))
