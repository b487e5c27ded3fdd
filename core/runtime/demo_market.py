"""The seeded markets of the demo: a calm one and a lively one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.market.lively import SLICE, lively_day, minutes_of
from core.market.synthetic import synthetic_day
from core.messages.inputs import BarArrived, CorporateActionsArrived, PastArrived
from core.model.bar import Bar
from core.model.corporate_action import ActionKind, CorporateAction
from core.model.past_days import PastDay, PastDays
from core.model.session import Session
from core.model.values import Symbol
from core.runtime.feed import SliceTraded, Timed, bar_item, past_item, slice_item

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
    lasts
        The length of each of those bars; None for minutes.
    """

    name: str
    day: Day
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


CALM, LIVELY = DemoMarket("calm", synthetic_day), DemoMarket("lively", lively_day, SLICE)
MARKETS = {market.name: market for market in (CALM, LIVELY)}
