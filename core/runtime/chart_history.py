"""Chart history, fetched in a separate thread when a symbol is viewed (MD-06).

It is only drawn: nothing is decided by it or recorded. A failure is reported once, and retried while the symbol is
viewed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from copy import copy
from datetime import date, datetime, timedelta

from core.market.port import MarketDataError
from core.messages.inputs import BarArrived, MarketDataBroken
from core.model.account import ConnectionStatus
from core.model.bar import Bar
from core.model.harmless_text import SaidOnce
from core.model.session import Calendar
from core.model.values import Symbol
from core.runtime.market_history import complete_bars, sessions_before
from core.views.results import ChartPast, bar_at, hours_of

PLACE = "history of charts"
SESSIONS = 10
"""Earlier sessions on the hourly chart: one page of minutes."""
LOOKS_EVERY = timedelta(seconds=0.25)
AGAIN = timedelta(seconds=60)
KEPT = 16
"""Symbols whose history is kept, the most recently viewed."""

Minutes = Callable[[Sequence[Symbol], datetime, datetime], Sequence[BarArrived | MarketDataBroken]]
Days = Callable[[Symbol], Sequence[Bar]]


class ChartBook:
    """The known chart history, and the requests for more. Any thread; never waits."""

    def __init__(self) -> None:
        self._kept: dict[Symbol, ChartPast] = {}
        self._wanted: dict[Symbol, tuple[date, datetime]] = {}

    def of(self, symbol: Symbol, day: date, until: datetime) -> ChartPast | None:
        """Return the history of this trading day, complete up to `until`; if missing, return None and request it."""
        kept = self._known(symbol, day, until)
        if kept is None:
            self._wanted[symbol] = (day, until)
        return kept

    def keep(self, past: ChartPast) -> None:
        others = [each for each in self._kept.values() if each.symbol != past.symbol]
        self._kept = {each.symbol: each for each in (*others[-KEPT + 1 :], past)}

    def take_wanted(self) -> tuple[tuple[Symbol, date], ...]:
        """Take the requests, each with its day, the newest first, without those that were met meanwhile.

        A symbol that is still viewed is requested again.
        """
        wanted, self._wanted = self._wanted, {}
        lacking = ((symbol, day) for symbol, (day, until) in wanted.items() if not self._known(symbol, day, until))
        return tuple(reversed([*lacking]))

    def _known(self, symbol: Symbol, day: date, until: datetime) -> ChartPast | None:
        kept = self._kept.get(symbol)
        return kept if kept is not None and kept.day == day and kept.until >= until else None


class ChartWatch:
    """Fetch the requested chart history of a live desk.

    Parameters
    ----------
    minutes, days
        The market's history; both block, and raise `MarketDataError`. A daily bar begins at its midnight.
    """

    def __init__(self, minutes: Minutes, days: Days, calendar: Calendar, now: Callable[[], datetime]) -> None:
        self._minutes = minutes
        self._days = days
        self._calendar = copy(calendar)  # a calendar caches its last answer, and the engine uses its own copy
        self._now = now
        self._not_before: dict[Symbol, datetime] = {}
        self._said = SaidOnce()
        self.book = ChartBook()

    async def run(self, hear: Callable[[MarketDataBroken], None], _show: Callable[[ConnectionStatus], None]) -> None:
        """Run until cancelled."""
        while True:
            for symbol, _day in self.book.take_wanted()[:KEPT]:
                broken = await asyncio.to_thread(self.look, symbol)
                if broken is not None:
                    hear(broken)
            await asyncio.sleep(LOOKS_EVERY.total_seconds())

    def look(self, symbol: Symbol) -> MarketDataBroken | None:
        """Fetch a symbol's history, unless that failed recently. Return the failure to report, if any. Blocks."""
        now = self._now()
        if now < self._not_before.get(symbol, now):
            return None
        try:
            self.book.keep(self._asked(symbol, now))
        except MarketDataError as error:
            self._not_before[symbol] = now + AGAIN
            words = f"the chart of {symbol} begins with what is heard until its history comes: {error}"
            return MarketDataBroken(PLACE, words) if self._said.is_new(str(error)) else None
        self._not_before.pop(symbol, None)
        return None

    def _asked(self, symbol: Symbol, now: datetime) -> ChartPast:
        today = self._calendar.trading_day(now)
        before = sessions_before(self._calendar, today, SESSIONS)
        start = before[0].open if before else self._calendar.venue.start_of(today)
        sound = [*complete_bars(self._minutes([symbol], start, now), self._calendar, lambda: now)]
        first = self._calendar.venue.start_of(today)
        return ChartPast(
            symbol,
            today,
            tuple(bar_at(bar.start, bar) for bar in self._days(symbol)),
            hours_of(bar for bar in sound if bar.start < first),
            tuple(bar for bar in sound if bar.start >= first),
            now,
        )
