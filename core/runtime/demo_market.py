"""The seeded markets of the demo and their charts.

A separate thread generates it a day at a time, with pauses so that the desk stays responsive. The last sessions come
first; earlier ones follow.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from threading import Thread

from core.market.calendar import load_calendar
from core.market.synthetic import SLICE, lively_day, lively_whole_day, minutes_of, synthetic_day, synthetic_whole_day
from core.messages.inputs import BarArrived, CorporateActionsArrived, PastArrived
from core.model.bar import Bar
from core.model.lazy_dataclass import dataclass
from core.model.reference_data import ActionKind, CorporateAction, PastDay, PastDays
from core.model.session import HOME, Session
from core.model.values import Symbol
from core.runtime.feed import SliceTraded, Timed, bar_item, past_item, slice_item
from core.runtime.reference_data import SESSIONS, ChartBook
from core.views.results import ChartBar, ChartPast, day_of, hours_of

MONDAY = 0
ANNOUNCED = (
    CorporateAction(
        Symbol("XOM"), ActionKind.CASH_DIVIDEND, date(2026, 1, 7), Decimal("0.99"), payable=date(2026, 3, 10)
    ),
)
"""A dividend on the third day of the lively market, announced from the first; its exchange does not pay it."""
Day = Callable[[int, Symbol, Session], Sequence[Bar]]
"""Generates a day's bars of a seed."""


@dataclass(frozen=True, slots=True)
class DemoMarket:
    """One seeded market.

    Attributes
    ----------
    name
        The name recorded in the exchange's log when the account opens.
    day
        Generates the bars by which the exchange trades.
    whole_day
        Returns a session as one bar, of the same trades.
    lasts
        The length of each of those bars; None for minutes.
    """

    name: str
    day: Day
    whole_day: Callable[[int, Symbol, Session], Bar]
    lasts: timedelta | None = None

    def minutes(self, seed: int, symbol: Symbol, session: Session) -> Sequence[Bar]:
        """Return the minute bars that the engine receives."""
        bars = self.day(seed, symbol, session)
        return bars if self.lasts is None else tuple(minutes_of(bars))

    def until(self, seed: int, symbols: Iterable[str], sessions: Iterable[Session], until: datetime) -> Iterator[Bar]:
        """Yield the bars that the exchange has traded by `until`, in order of time: each that has begun by then."""
        for session in sessions:
            if session.open > until:
                return
            days = [self.day(seed, Symbol(symbol), session) for symbol in symbols]
            yield from sorted((b for day in days for b in day if b.start <= until), key=lambda b: (b.start, b.symbol))

    def told(
        self, seed: int, symbols: Iterable[Symbol], sessions: Iterable[Session], start: datetime, end: datetime
    ) -> tuple[Bar, ...]:
        """Return the minutes that began at `start` or later and ended by `end`, symbol by symbol."""
        inside = [session for session in sessions if session.open < end and session.close > start]
        minutes = (bar for symbol in symbols for session in inside for bar in self.minutes(seed, symbol, session))
        return tuple(bar for bar in minutes if start <= bar.start and bar.end <= end)

    def feed(
        self, seed: int, symbol: Symbol, sessions: Sequence[Session], before: Session | None = None
    ) -> Iterator[Timed]:
        """Yield the feed day by day, each generated on demand; `before` is the session before the first of them."""
        for session in sessions:
            bars = self.day(seed, symbol, session)
            if self.lasts is None:
                yield from (bar_item(BarArrived(bar, f"seed {seed}")) for bar in bars)
            else:
                over = before or weekday_before(session)
                close = PastDay(over.day, self.day(seed, symbol, over)[-1].close, None)
                yield past_item(PastArrived(PastDays(symbol, (close,))), session.open)
                announced = tuple(each for each in ANNOUNCED if each.symbol == symbol)
                yield past_item(CorporateActionsArrived((symbol,), announced), session.open)
                yield from _in_slices(bars, self.lasts, seed)
            before = session


def weekday_before(session: Session) -> Session:
    """Return the weekday before a session, for the first session of a calendar."""
    back = timedelta(days=3 if session.day.weekday() == MONDAY else 1)
    return replace(session, day=session.day - back, open=session.open - back, close=session.close - back)


def _in_slices(bars: Sequence[Bar], lasts: timedelta, seed: int) -> Iterator[Timed]:
    """Yield the slices, each minute right after its first slice."""
    minutes = {bar.start: bar for bar in minutes_of(bars)}
    for bar in bars:
        yield slice_item(SliceTraded(bar, lasts))
        if bar.start in minutes:
            yield bar_item(BarArrived(minutes[bar.start], f"seed {seed}"))


CALM = DemoMarket("calm", synthetic_day, synthetic_whole_day)
LIVELY = DemoMarket("lively", lively_day, lively_whole_day, SLICE)
MARKETS = {market.name: market for market in (CALM, LIVELY)}


DAYS = 126
"""Sessions: half a year."""
THEIR_SPAN = timedelta(days=2 * DAYS)
"""A span that contains at least `DAYS` sessions, with any holidays."""
PAUSE = 0.05
"""Seconds of wall time to pause after each day."""


class DemoCharts(ChartBook):
    """The chart history of one demo.

    Parameters
    ----------
    sessions
        The demo's sessions, from the first on.
    told
        The symbols whose minutes the desk receives; the chart of any other symbol has none of today.
    """

    def __init__(self, market: DemoMarket, seed: int, sessions: Sequence[Session], told: Sequence[Symbol] = ()) -> None:
        super().__init__()
        self._market = market
        self._seed = seed
        self._sessions = tuple(sessions)
        self._told = frozenset(told)
        self._earlier: tuple[Session, ...] = ()
        self._worker: Thread | None = None

    def of(self, symbol: Symbol, day: date, until: datetime) -> ChartPast | None:
        known = super().of(symbol, day, until)
        if known is None and (self._worker is None or not self._worker.is_alive()):
            self._worker = Thread(target=self._make, name="keyturn-charts", daemon=True)
            self._worker.start()
        return known

    def _make(self) -> None:
        """Generate the requested history; new requests come before more days of known symbols."""
        short: list[ChartPast] = []
        while (wanted := self.take_wanted()) or short:
            if wanted:
                made = [self.made(symbol, day, PAUSE) for symbol, day in wanted]
            else:
                made = [self.longer(short.pop(), PAUSE)]
            for past in made:
                self.keep(past)
            short += [past for past in made if len(past.days) < DAYS]

    def made(self, symbol: Symbol, day: date, pause: float = 0.0) -> ChartPast:
        """Generate the history up to a session: the last sessions by days and by hours, and the day's own minutes."""
        sessions = self._before(day)[-SESSIONS:]
        minutes = [self._minutes(symbol, session, pause) for session in sessions]
        today = next((session for session in self._sessions if session.day == day), None)
        is_told = today is not None and symbol in self._told
        return ChartPast(
            symbol,
            day,
            _days(sessions, minutes),
            hours_of(bar for bars in minutes for bar in bars),
            tuple(self._minutes(symbol, today, pause)) if today is not None and is_told else (),
            HOME.end_of(day),
        )

    def longer(self, past: ChartPast, pause: float = 0.0) -> ChartPast:
        """Return the history with as many sessions more, up to half a year."""
        sessions = self._before(past.day)[: -len(past.days)][-SESSIONS:]
        minutes = [self._minutes(past.symbol, session, pause) for session in sessions]
        return replace(past, days=(*_days(sessions, minutes), *past.days))

    def _minutes(self, symbol: Symbol, session: Session, pause: float) -> Sequence[Bar]:
        made = self._market.minutes(self._seed, symbol, session)
        time.sleep(pause)
        return made

    def _before(self, day: date) -> list[Session]:
        """Return the last sessions before that day, by the exchange's calendar also for days before the demo began."""
        first = self._sessions[0].day
        if not self._earlier:
            loaded = load_calendar(first - THEIR_SPAN, first - timedelta(days=1)).sessions()
            self._earlier = tuple(session for session in loaded if session.day < first)
        return [session for session in (*self._earlier, *self._sessions) if session.day < day][-DAYS:]


def _days(sessions: Sequence[Session], minutes: Sequence[Sequence[Bar]]) -> tuple[ChartBar, ...]:
    made = (day_of(HOME.start_of(session.day), bars) for session, bars in zip(sessions, minutes, strict=True))
    return tuple(day for day in made if day is not None)
