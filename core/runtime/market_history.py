"""Earlier days and the regime of a live desk, measured by separate threads (RK-08, RK-10, RK-16, RK-19).

Separate threads fetch them, as for the regime: at the start, for a new symbol, and once a trading day. A failure is
reported once and retried.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from core.market.calendar import CalendarRangeError
from core.market.normaliser import COMPLETE, Normaliser
from core.market.port import MarketDataError
from core.market.vix import NewestVix
from core.messages.inputs import BarArrived, MarketDataBroken, PastArrived, RegimeArrived
from core.model.account import ConnectionStatus
from core.model.bar import Bar
from core.model.reference_data import PastDay, PastDays
from core.model.session import XNYS, Calendar, Session
from core.model.sizing import DailyBar, MarketMeasure, NoMarket, NoVix, Regime
from core.model.text_sanitizer import SaidOnce
from core.model.values import Symbol
from core.risk.protections.volatility_halt import session_deviation
from core.risk.regime import market_of
from core.risk.sizing_history import DAYS
from core.settings.protections import VolatilityHaltSettings

PLACE = "history of days"
MOST_SESSIONS = 30
"""The maximum of sessions with minutes: a year would be about 100,000 bars a symbol."""
LAST_MINUTES = 120
"""Minutes of the last session with which the volatility halt's ring and the ranges continue."""
LOOKS_EVERY = timedelta(seconds=1)
AGAIN = timedelta(seconds=60)

Told = PastArrived | MarketDataBroken
Minutes = Callable[[Sequence[Symbol], datetime, datetime], Sequence[BarArrived | MarketDataBroken]]


def sessions_before(calendar: Calendar, today: date, many: int) -> list[Session]:
    """Return the last sessions before `today`, the oldest first."""
    found: list[Session] = []
    day = today
    for _ in range(3 * MOST_SESSIONS):
        day -= timedelta(days=1)
        try:
            session = calendar.session_on(day)
        except CalendarRangeError:
            break
        if isinstance(session, Session):
            found.append(session)
        if len(found) == many:
            break
    return found[::-1]


def complete_bars(
    minutes: Iterable[BarArrived | MarketDataBroken], calendar: Calendar, now: Callable[[], datetime]
) -> Iterator[Bar]:
    """Yield the complete bars, each once and in order."""
    normaliser = Normaliser(calendar)
    for minute in minutes:
        if isinstance(minute, BarArrived) and normaliser.judge(minute.bar, now()) is COMPLETE:
            normaliser.fold(minute.bar)
            yield minute.bar


class DailyWatch(ABC):
    """Ask something about each followed symbol once a trading day, in a thread; a failure is retried."""

    AGAIN = AGAIN

    def __init__(self, calendar: Calendar, now: Callable[[], datetime]) -> None:
        self._calendar = copy(calendar)  # a calendar caches its last answer, and the engine uses its own copy
        self._now = now
        self._wanted: tuple[Symbol, ...] = ()
        self._told: dict[Symbol, date] = {}
        self._said = SaidOnce()

    def follow(self, symbols: Sequence[Symbol]) -> None:
        """Replace the followed symbols. Any thread."""
        self._wanted = tuple(symbols)

    async def run(self, hear: Callable[[Any], None], _show: Callable[[ConnectionStatus], None]) -> None:
        """Run until cancelled."""
        while True:
            lacking = self._lacking()
            if lacking:
                for told in await asyncio.to_thread(self._question(lacking)):
                    hear(told)
            has_failed = set(lacking) & set(self._lacking())
            await asyncio.sleep((self.AGAIN if has_failed else LOOKS_EVERY).total_seconds())

    @abstractmethod
    def _question(self, symbols: tuple[Symbol, ...]) -> Callable[[], Sequence[Any]]:
        """Return what a thread asks about these symbols. Called in the loop; the question blocks."""

    def _today(self) -> date:
        return self._calendar.trading_day(self._now())

    def _lacking(self) -> tuple[Symbol, ...]:
        today = self._today()
        return tuple(symbol for symbol in self._wanted if self._told.get(symbol) != today)


class PastWatch(DailyWatch):
    """Fetch the history that measures with a long memory lack.

    Parameters
    ----------
    minutes, daily_bars
        The market's history; both block, and raise `MarketDataError`.
    terms
        The current settings of the volatility halt. Called in the loop only; the thread is given the result.
    """

    def __init__(
        self,
        minutes: Minutes,
        daily_bars: Callable[[Symbol], Sequence[DailyBar]],
        calendar: Calendar,
        now: Callable[[], datetime],
        terms: Callable[[], VolatilityHaltSettings],
    ) -> None:
        super().__init__(calendar, now)
        self._minutes = minutes
        self._daily_bars = daily_bars
        self._terms = terms

    def _question(self, symbols: tuple[Symbol, ...]) -> Callable[[], list[Told]]:
        return partial(self.look, symbols, self._terms())

    def look(self, symbols: Sequence[Symbol], terms: VolatilityHaltSettings) -> list[Told]:
        """Fetch the days before today's for these symbols. Blocks."""
        today = self._today()
        sessions = sessions_before(self._calendar, today, min(terms.days, MOST_SESSIONS) if terms.enabled else 1)
        try:
            minutes = self._told_minutes(symbols, sessions)
        except MarketDataError as error:
            return self._failed(str(error))
        told: list[Told] = []
        for symbol in symbols:
            try:
                days = self._daily_bars(symbol)
            except MarketDataError as error:
                told += self._failed(f"{symbol}: {error}")
                continue
            self._told[symbol] = today
            told.append(PastArrived(self._past(symbol, days, minutes.get(symbol, []), terms)))
        return told

    # ── implementation ───────────────────────────────────────────────────────────────────────────────────────────

    def _failed(self, reason: str) -> list[Told]:
        """Report each kind of failure once."""
        words = f"correlation, ranges and the volatility halt's median go on without them until they come: {reason}"
        return [MarketDataBroken(PLACE, words)] if self._said.is_new(reason) else []

    def _told_minutes(self, symbols: Sequence[Symbol], sessions: Sequence[Session]) -> dict[Symbol, list[Bar]]:
        """Return the complete bars of those sessions, each once and in order."""
        if not sessions:
            return {}
        found: dict[Symbol, list[Bar]] = {}
        minutes = self._minutes(symbols, sessions[0].open, sessions[-1].close)
        for bar in complete_bars(minutes, self._calendar, self._now):
            found.setdefault(bar.symbol, []).append(bar)
        return found

    def _past(
        self, symbol: Symbol, days: Iterable[DailyBar], minutes: Sequence[Bar], terms: VolatilityHaltSettings
    ) -> PastDays:
        told_days = {bar.day: bar for bar in days}
        by_day: dict[date, list[Bar]] = {}
        for bar in minutes:
            by_day.setdefault(self._calendar.trading_day(bar.start), []).append(bar)
        deviations = {day: session_deviation(day, bars, terms.at_least) for day, bars in by_day.items()}
        told = sorted(told_days.keys() | by_day.keys())[-DAYS:]
        last = by_day[max(by_day)][-LAST_MINUTES:] if by_day else []
        return PastDays(
            symbol, tuple(_past_day(day, told_days.get(day), deviations.get(day)) for day in told), tuple(last)
        )


def _past_day(day: date, told: DailyBar | None, deviation: Decimal | None) -> PastDay:
    return PastDay(day, None, deviation) if told is None else PastDay(day, told.close, deviation, told.volume)


SPY = Symbol("SPY")
NOT_ASKED = NoVix("regime.vix_url is empty; nobody is asked")
EVERY = timedelta(minutes=2)
"""Between two measurements: that of a value in the day. Closes younger than an hour are not fetched again."""


class RegimeWatch:
    """Ask the service for the VIX, and once an exchange day for the history of SPY.

    Parameters
    ----------
    vix
        None if the settings name no source.
    daily_bars
        SPY's sessions before today's; blocks, and raises `MarketDataError`.
    """

    def __init__(
        self, vix: NewestVix | None, daily_bars: Callable[[], Sequence[DailyBar]], now: Callable[[], datetime]
    ) -> None:
        self._vix = vix
        self._daily_bars = daily_bars
        self._now = now
        self._asked_on: date | None = None
        self._market: MarketMeasure | NoMarket = NoMarket("the daily bars were not asked for yet")

    async def run(self, hear: Callable[[RegimeArrived], None], _show: Callable[[ConnectionStatus], None]) -> None:
        """Run until cancelled."""
        while True:
            hear(RegimeArrived(await asyncio.to_thread(self.measure)))
            await asyncio.sleep(EVERY.total_seconds())

    def measure(self) -> Regime:
        """Measure the regime now. Blocks."""
        vix = self._vix.last().reading if self._vix is not None else NOT_ASKED
        today = XNYS.day_of(self._now())
        if self._asked_on != today:
            self._market = self._measured_market(today)
        return Regime(vix, self._market)

    def _measured_market(self, today: date) -> MarketMeasure | NoMarket:
        try:
            market = market_of(SPY, self._daily_bars())
        except MarketDataError as error:
            return NoMarket(str(error))
        if isinstance(market, MarketMeasure):
            self._asked_on = today
        return market
