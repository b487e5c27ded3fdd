"""Data of symbols, fetched in separate threads: assets, corporate actions, and the history of charts (RK-08, MD-06).

A failure is reported once and retried; no decision depends on the answer. A followed symbol stays followed until the
engine ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from copy import copy
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from core.market.port import MarketDataError
from core.messages.inputs import BarArrived, CorporateActionsArrived, MarketDataBroken
from core.model.account import ConnectionStatus
from core.model.bar import Bar
from core.model.broker import NoAnswer
from core.model.reference_data import AssetList, AssetsFound, CorporateAction, ListedAsset
from core.model.session import Calendar
from core.model.text_sanitizer import SaidOnce
from core.model.values import Symbol
from core.runtime.market_history import DailyWatch, complete_bars, sessions_before
from core.trading_state.state import TradingState
from core.trading_state.watched_symbols import traded_symbols
from core.views.results import ChartPast, bar_at, hours_of

PLACE = "corporate actions"

Told = CorporateActionsArrived | MarketDataBroken
Ask = Callable[[Sequence[Symbol], date], Sequence[CorporateAction | MarketDataBroken]]


class Announcements(DailyWatch):
    """Fetch the announced corporate actions of the followed symbols.

    Parameters
    ----------
    ask
        The market data source; blocks, and raises `MarketDataError`.
    """

    AGAIN = timedelta(minutes=5)

    def __init__(self, ask: Ask, calendar: Calendar, now: Callable[[], datetime]) -> None:
        super().__init__(calendar, now)
        self._ask = ask

    def _question(self, symbols: tuple[Symbol, ...]) -> Callable[[], list[Told]]:
        return partial(self.look, symbols)

    def look(self, symbols: Sequence[Symbol]) -> list[Told]:
        """Fetch the corporate actions of these symbols. Blocks."""
        today = self._today()
        try:
            found = self._ask(symbols, today)
        except MarketDataError as error:
            words = f"dividends and splits that come are not known until they are told: {error}"
            return [MarketDataBroken(PLACE, words)] if self._said.is_new(str(error)) else []
        self._told |= dict.fromkeys(symbols, today)
        actions = tuple(each for each in found if isinstance(each, CorporateAction))
        broken = [each for each in found if isinstance(each, MarketDataBroken)]
        return [CorporateActionsArrived(tuple(symbols), actions, is_whole=not broken), *broken]


ASSETS_EVERY = timedelta(seconds=10)
ASSETS_AGAIN = timedelta(seconds=60)
"""The delay after a failed fetch."""

Fetch = Callable[[], Sequence[ListedAsset] | NoAnswer]


class AssetBook:
    """The last list; none before the first fetch. Any thread; never waits."""

    def __init__(self, assets: AssetList | None = None) -> None:
        self._list = assets

    def keep(self, assets: AssetList) -> None:
        self._list = assets

    def has(self, symbol: Symbol) -> bool | None:
        """Whether the broker trades the symbol; None before the first list."""
        known = self._list
        return None if known is None else symbol in known

    def search(self, text: str) -> AssetsFound:
        known = self._list
        return AssetsFound(text, known is not None, () if known is None else known.find(text))


class AssetWatch:
    """Fetch the list when a trading day begins. A failed fetch is retried; the old list stays.

    Parameters
    ----------
    fetch
        Blocks, and raises nothing.
    """

    def __init__(self, fetch: Fetch, calendar: Calendar, now: Callable[[], datetime]) -> None:
        self._fetch = fetch
        self._calendar = copy(calendar)  # a calendar caches its last answer, and the engine uses its own copy
        self._now = now
        self._day: date | None = None
        self.book = AssetBook()

    async def run(self, _hear: Callable[[Any], None], _show: Callable[[ConnectionStatus], None]) -> None:
        """Run until cancelled."""
        while True:
            has_it = self.has_todays() or await asyncio.to_thread(self.look)
            await asyncio.sleep((ASSETS_EVERY if has_it else ASSETS_AGAIN).total_seconds())

    def look(self) -> bool:
        """Fetch the list. Return whether it came. Blocks."""
        today, told = self._today(), self._fetch()
        if isinstance(told, NoAnswer):
            return False
        self.book.keep(AssetList(told))
        self._day = today
        return True

    def has_todays(self) -> bool:
        """Whether the current list is from this trading day."""
        return self._day == self._today()

    def _today(self) -> date:
        return self._calendar.trading_day(self._now())


def followed(state: TradingState) -> tuple[Symbol, ...]:
    """Return the followed symbols, the most important first, because the stream may have too little room for all.

    The order: held, working, proposed, followed by a strategy, in the settings, watched (MD-06).
    """
    held = {*(position.symbol for position in state.ledger.positions()), *(state.sightings.held_by_the_broker or ())}
    working = {order.request.symbol for order in state.ledger.working()}
    proposed = {proposal.symbol for proposal in state.stage.proposals()}
    traded = traded_symbols(state)
    known = {*traded, *state.alerts.symbols, *state.watchlists.symbols}
    urgent = [*sorted(held), *sorted(working), *sorted(proposed)]
    ranked = [*urgent, *(s for s in traded if state.orchestrator.runners.get(s)), *traded]
    return tuple(dict.fromkeys(s for s in (*ranked, *state.alerts.symbols, *state.watchlists.symbols) if s in known))


# ── charts ───────────────────────────────────────────────────────────────────────────────────────────────────────────
# Chart history, fetched in a separate thread when a symbol is viewed (MD-06).
#
# It is only drawn: nothing is decided by it or recorded. A failure is reported once, and retried while the symbol is
# viewed.

CHARTS = "history of charts"
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
            return MarketDataBroken(CHARTS, words) if self._said.is_new(str(error)) else None
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
