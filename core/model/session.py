"""Exchange sessions: the regular market hours of a venue's days, and the close of a day."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from core.model.values import Price, Symbol


@dataclass(frozen=True, slots=True)
class Session:
    """One regular session. `open` and `close` are UTC; `close` is early on a half day."""

    day: date
    open: datetime
    close: datetime

    def holds(self, at: datetime) -> bool:
        return self.open <= at < self.close


@dataclass(frozen=True, slots=True)
class NoSession:
    """The market is closed; `reason` says why (weekend, holiday, night)."""

    reason: str


class DayCloses:
    """The close of each symbol's days: the last price of the regular session (AN-01, RK-03).

    Every valuation at the end of a day uses it. Only prices of regular sessions are passed in.

    Parameters
    ----------
    kept
        Newest days kept per symbol; None keeps all.
    """

    def __init__(self, kept: int | None = None) -> None:
        self._kept = kept
        self._days: defaultdict[Symbol, list[date]] = defaultdict(list)
        self._prices: defaultdict[Symbol, list[Price]] = defaultdict(list)

    def take(self, symbol: Symbol, day: date, price: Price) -> None:
        """Take a price of a regular session, days in order; ignore one of an earlier day."""
        days, prices = self._days[symbol], self._prices[symbol]
        if days and days[-1] == day:
            prices[-1] = price
        elif not days or days[-1] < day:
            days.append(day)
            prices.append(price)
            if self._kept is not None and len(days) > self._kept:
                del days[0], prices[0]

    def until(self, symbol: Symbol, day: date) -> Price | None:
        """Return the close of its newest session up to `day`; None if unknown."""
        place = bisect_right(self._days.get(symbol, ()), day)
        return self._prices[symbol][place - 1] if place else None

    def on(self, symbol: Symbol, day: date) -> Price | None:
        """Return the close of this day; None without a price."""
        return self.until(symbol, day) if day in self._days.get(symbol, ()) else None

    def all_until(self, day: date) -> dict[Symbol, Price]:
        """Return each symbol's close as of `day`."""
        found = {symbol: self.until(symbol, day) for symbol in tuple(self._days)}
        return {symbol: price for symbol, price in found.items() if price is not None}
