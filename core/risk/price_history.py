"""Reference prices, usual spreads, and average daily volumes of symbols.

The slice of reference prices: closes of the last minutes and the usual spread of each symbol (RK-23).
It is folded from facts, so a restart keeps it. The usual spread comes from `SpreadMeasured`: quotes are not facts, and
their spread is recorded once every 15 minutes of the session.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from core.facts import BarClosed, CorporateActionApplied, HistoryLoaded, PastDaysLoaded, SpreadMeasured
from core.model.bar import Bar
from core.model.lazy_dataclass import dataclass
from core.model.session import HOME
from core.model.values import ZERO, Fraction, Price, Quantity, Symbol

KEPT = 62
"""Closes kept per symbol: twice the longest look-back period, and the current minute."""

_MINUTES = tuple(timedelta(minutes=number) for number in range(KEPT))
"""Built once, because every review uses it."""


@dataclass(slots=True)
class PriceHistoryState:
    """`closes` are those of the last minutes of each symbol, by the minute's start, oldest first."""

    closes: dict[Symbol, list[tuple[datetime, Price]]] = field(default_factory=dict)
    spreads: dict[Symbol, Fraction] = field(default_factory=dict)


class PriceHistory:
    name = "price_history"

    def __init__(self) -> None:
        self.state = PriceHistoryState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            BarClosed: self._bar_closed,
            HistoryLoaded: self._history_loaded,
            SpreadMeasured: self._spread_measured,
            CorporateActionApplied: self._split,
        }

    def restore(self, state: PriceHistoryState) -> None:
        self.state = state

    def usual_spread(self, symbol: Symbol) -> Fraction | None:
        """Return the usual spread as a share of the mid; None before the first 15 minutes of quotes."""
        return self.state.spreads.get(symbol)

    def price_before(self, symbol: Symbol, at: datetime, minutes: int) -> Price | None:
        """Return the close of so many minutes ago, USD; None if no minute ended then, nor within that long before."""
        closes = self.state.closes.get(symbol)
        if closes is None:
            return None
        latest = at - _MINUTES[minutes + 1]
        for start, close in reversed(closes):
            if start <= latest:
                return close if start > latest - _MINUTES[minutes] else None
        return None

    def _bar_closed(self, _at: datetime, fact: BarClosed) -> None:
        self._take(fact.bar)

    def _take(self, bar: Bar) -> None:
        closes = self.state.closes.get(bar.symbol)
        if closes is None:
            closes = self.state.closes[bar.symbol] = []
        closes.append((bar.start, bar.close))
        if len(closes) > KEPT:
            del closes[0]

    def _history_loaded(self, _at: datetime, fact: HistoryLoaded) -> None:
        """Insert earlier bars; bars received since stay after them."""
        heard = self.state.closes.pop(fact.symbol, [])
        for bar in fact.bars[-KEPT:]:
            self._take(bar)
        told = self.state.closes.get(fact.symbol, [])
        last = told[-1][0] if told else None
        kept = told + [each for each in heard if last is None or each[0] > last]
        if kept:
            self.state.closes[fact.symbol] = kept[-KEPT:]

    def _split(self, _at: datetime, fact: CorporateActionApplied) -> None:
        """Count the closes of the days before it per share of today (MD-09)."""
        closes = self.state.closes.get(fact.symbol)
        if fact.moves_prices and closes:
            today = [
                (start, fact.rescaling.price(close) if HOME.day_of(start) < fact.day else close)
                for start, close in closes
            ]
            self.state.closes[fact.symbol] = [(start, close) for start, close in today if close > 0]

    def _spread_measured(self, _at: datetime, fact: SpreadMeasured) -> None:
        self.state.spreads[fact.symbol] = fact.spread


DAYS = 20
"""Sessions of the average: a month of trading, as required."""


@dataclass(frozen=True, slots=True)
class AverageVolume:
    """Shares per session, averaged over `days` sessions up to `day`."""

    shares: Quantity
    days: int
    day: date

    def part(self, part: Decimal) -> Quantity:
        """Return a fraction of it, in shares."""
        return Quantity(part * self.shares)


@dataclass(slots=True)
class VolumesState:
    by_symbol: dict[Symbol, AverageVolume] = field(default_factory=dict)


class Volumes:
    name = "volumes"

    def __init__(self) -> None:
        self.state = VolumesState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            PastDaysLoaded: self._past_taken,
            CorporateActionApplied: self._split,
        }

    def restore(self, state: VolumesState) -> None:
        self.state = state

    def average(self, symbol: Symbol) -> AverageVolume | None:
        """Return the average of the last twenty sessions, or of fewer if no more are known; None without any."""
        return self.state.by_symbol.get(symbol)

    def _split(self, _at: datetime, fact: CorporateActionApplied) -> None:
        known = self.state.by_symbol.get(fact.symbol)
        if fact.split_ratio is not None and known is not None and known.day < fact.day:
            self.state.by_symbol[fact.symbol] = replace(known, shares=fact.rescaling.shares(known.shares))

    def _past_taken(self, _at: datetime, fact: PastDaysLoaded) -> None:
        """Take the daily volumes; days without a volume, as in older records, change nothing."""
        told = [(each.day, each.volume) for each in fact.past.days if each.volume is not None][-DAYS:]
        if told:
            shares = Quantity(sum((volume for _, volume in told), ZERO) / len(told))
            self.state.by_symbol[fact.past.symbol] = AverageVolume(shares, len(told), told[-1][0])
