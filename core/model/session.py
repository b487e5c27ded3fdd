"""Exchange sessions: when the regular market is open, as its venue keeps its days, and what a day's close is."""

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
    """The close of each symbol's days: the last price of its regular session (AN-01, RK-03).

    Whatever values a holding at the end of a day asks here. Only regular prices are taken: a bar outside of a session
    is none. The last price that was taken of a day is its close.

    Parameters
    ----------
    kept
        Days that are kept of each symbol, the newest; None keeps all.
    """

    def __init__(self, kept: int | None = None) -> None:
        self._kept = kept
        self._days: defaultdict[Symbol, list[date]] = defaultdict(list)
        self._prices: defaultdict[Symbol, list[Price]] = defaultdict(list)

    def take(self, symbol: Symbol, day: date, price: Price) -> None:
        """A price of a regular session. Days come in order; one of an earlier day changes nothing."""
        days, prices = self._days[symbol], self._prices[symbol]
        if days and days[-1] == day:
            prices[-1] = price
        elif not days or days[-1] < day:
            days.append(day)
            prices.append(price)
            if self._kept is not None and len(days) > self._kept:
                del days[0], prices[0]

    def until(self, symbol: Symbol, day: date) -> Price | None:
        """Of its newest session that is not after `day`; None where none is known."""
        place = bisect_right(self._days.get(symbol, ()), day)
        return self._prices[symbol][place - 1] if place else None

    def on(self, symbol: Symbol, day: date) -> Price | None:
        """Of this day; None where it had no price then."""
        return self.until(symbol, day) if day in self._days.get(symbol, ()) else None

    def all_until(self, day: date) -> dict[Symbol, Price]:
        """Of each symbol that has one."""
        found = {symbol: self.until(symbol, day) for symbol in tuple(self._days)}
        return {symbol: price for symbol, price in found.items() if price is not None}
