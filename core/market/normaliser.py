"""Validate bars and quotes before strategies see them, and keep each symbol's day so far (MD-01, MD-03, MD-06).

A bar is complete, quarantined, or outside of the regular session. A judgement does not change `MarketState`; `fold`
takes a bar that was judged complete, so that a rebuild from the journal has the same result.

Bounded: the course has one close per five minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from core.facts import BarClosed, MarketDataQuarantined, SessionsAnnounced, TradingHalted, TradingResumed
from core.market.calendar import CalendarRangeError
from core.model.bar import ONE_MINUTE, Bar, Quote, TradingHalt
from core.model.lazy_dataclass import dataclass
from core.model.session import Calendar, NoSession
from core.model.values import ZERO, Price, Quantity, Symbol

MINUTE = "%Y-%m-%d %H:%M"
HIGHEST_PRICE = Decimal(10_000_000)
"""USD; a price at or above it counts as broken. It also excludes infinity."""
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Complete:
    """Fit for strategies."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Withheld from strategies, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Outside:
    """A sound minute outside of the regular session, with the reason. Counted, not shown to strategies."""

    reason: str


Judgement = Complete | Quarantined | Outside

COMPLETE = Complete()


@dataclass(slots=True)
class MarketState:
    """The market state in the journal: a fold of its bars and quarantines.

    Attributes
    ----------
    last_starts
        Start of the last complete bar of each symbol, UTC.
    complete, quarantined
        How many there were.
    halted
        Symbols halted by their exchange, as reported.
    """

    last_starts: dict[Symbol, datetime] = field(default_factory=dict)
    complete: int = 0
    quarantined: int = 0
    halted: dict[Symbol, TradingHalt] = field(default_factory=dict)


class Normaliser:
    """Judges bars by the calendar, the clock of the inbox, the bars before, and their own prices.

    `outside` counts bars of the extended hours. It is an observation: no record holds such a bar, so it starts at zero
    again.
    """

    name = "market"

    def __init__(self, calendar: Calendar, state: MarketState | None = None) -> None:
        self.calendar = calendar
        self.state = state or MarketState()
        self.outside = 0
        self._open = self._close = _NEVER
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            BarClosed: self._bar_closed,
            MarketDataQuarantined: self._quarantined,
            TradingHalted: self._halted,
            TradingResumed: self._resumed,
            SessionsAnnounced: self._announced,
        }

    def restore(self, state: MarketState) -> None:
        self.state = state

    def judge(self, bar: Bar, at: datetime) -> Judgement:
        """Judge a bar at `at`, the time of the inbox (UTC). A good bar costs only comparisons."""
        start = bar.start
        low = bar.low
        high = bar.high
        try:
            if (
                self._open <= start < self._close
                and start > self.state.last_starts.get(bar.symbol, _NEVER)
                and not (start.second or start.microsecond)
                and start + ONE_MINUTE <= at
                and ZERO < low <= bar.open <= high < HIGHEST_PRICE
                and low <= bar.close <= high
                and bar.volume >= ZERO
            ):
                return COMPLETE
            return self._explain(bar, at)
        except TypeError:
            return Quarantined("its time has no zone")
        except InvalidOperation:
            return Quarantined("a figure is not a number")

    def fold(self, bar: Bar) -> None:
        """Fold a complete bar into the state."""
        state = self.state
        state.last_starts[bar.symbol] = bar.start
        state.complete += 1

    def _bar_closed(self, _at: datetime, fact: BarClosed) -> None:
        self.fold(fact.bar)

    def _quarantined(self, _at: datetime, _fact: MarketDataQuarantined) -> None:
        self.state.quarantined += 1

    def _halted(self, _at: datetime, fact: TradingHalted) -> None:
        self.state.halted[fact.halt.symbol] = fact.halt

    def _announced(self, _at: datetime, _fact: SessionsAnnounced) -> None:
        self._open = self._close = _NEVER  # the known session may have moved

    def _resumed(self, _at: datetime, fact: TradingResumed) -> None:
        self.state.halted.pop(fact.symbol, None)

    def judge_quote(self, quote: Quote, at: datetime) -> Complete | Quarantined:
        """Judge a quote: it needs two positive prices that are not crossed, and a time that is not in the future."""
        try:
            sizes = quote.bid_size >= ZERO and quote.ask_size >= ZERO
            if ZERO < quote.bid <= quote.ask < HIGHEST_PRICE and quote.at <= at and sizes:
                return COMPLETE
            if quote.at > at:
                ahead = _seconds(quote.at - at)
                return Quarantined(f"from the future: {ahead} ahead of the desk; check this machine's clock")
            if quote.bid > quote.ask:
                return Quarantined(f"crossed: bid {quote.bid} over ask {quote.ask}")
            if not sizes:
                return Quarantined(f"a size below zero: bid {quote.bid_size}, ask {quote.ask_size}")
            return Quarantined(f"bid {quote.bid}, ask {quote.ask}: a price is not above zero, or too high to be one")
        except TypeError:
            return Quarantined("its time has no zone")
        except InvalidOperation:
            return Quarantined("a figure is not a number")

    def _explain(self, bar: Bar, at: datetime) -> Judgement:
        """Judge on the slow path: another session than the last one, or a fault."""
        start, told = bar.start, self.calendar.venue.told
        try:
            session = self.calendar.session_at(start)
        except CalendarRangeError as error:
            return Quarantined(str(error))
        if isinstance(session, NoSession):
            self.outside += 1
            return Outside(session.reason)
        self._open, self._close = session.open, session.close
        if start.second or start.microsecond:
            return Quarantined(f"starts at {told(start, '%H:%M:%S.%f')}, not on a whole minute")
        if start + ONE_MINUTE > at:
            after = _seconds(start + ONE_MINUTE - at)
            return Quarantined(f"from the future: it ends {after} after it arrived; check this machine's clock")
        last = self.state.last_starts.get(bar.symbol, _NEVER)
        if start == last:
            return Quarantined(f"repeats or revises the minute {told(start, MINUTE)}, which is closed")
        if start < last:
            return Quarantined(f"late: {told(start, MINUTE)} after {told(last, MINUTE)}")
        return _price_trouble(bar) or COMPLETE


def _price_trouble(bar: Bar) -> Quarantined | None:
    if not bar.low > ZERO:
        return Quarantined(f"low {bar.low} is not above zero")
    if bar.high >= HIGHEST_PRICE:
        return Quarantined(f"high {bar.high} is too high to be a price")
    if bar.high < bar.low:
        return Quarantined(f"high {bar.high} is under low {bar.low}")
    for name, price in (("open", bar.open), ("close", bar.close)):
        if not bar.low <= price <= bar.high:
            return Quarantined(f"{name} {price} is not within {bar.low} to {bar.high}")
    if bar.volume < ZERO:
        return Quarantined(f"volume {bar.volume} is negative")
    return None


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():g} s"


A_PART = 300
"""Seconds."""


@dataclass(slots=True)
class DayFigures:
    """The figures of one symbol.

    Attributes
    ----------
    until
        The end of its session, UTC.
    before
        The close of the session before, USD; None if unknown.
    last, last_at
        The close of the newest minute, and its end, UTC.
    volume
        Shares of the received minutes.
    """

    day: date
    until: datetime
    before: Price | None = None
    last: Price | None = None
    last_at: datetime | None = None
    volume: Quantity = field(default_factory=lambda: Quantity(ZERO))
    _weighted: Decimal = ZERO
    _first: datetime | None = None
    _parts: dict[int, tuple[datetime, Price]] = field(default_factory=dict)
    _course: tuple[Price, ...] | None = None

    @property
    def course(self) -> tuple[Price, ...]:
        """The last close of each five minutes with a bar, oldest first."""
        if self._course is None:
            self._course = tuple(close for _, (_, close) in sorted(self._parts.items()))
        return self._course

    @property
    def vwap(self) -> Price | None:
        """The typical prices of the received minutes, weighted by volume, USD; None without volume."""
        return Price(self._weighted / (3 * self.volume)) if self.volume else None

    def take(self, bar: Bar) -> None:
        """Add the next minute; one that is not newer than the newest is not counted again."""
        if self.last_at is not None and bar.end <= self.last_at:
            return
        self._first = self._first or bar.start
        self.last, self.last_at = bar.close, bar.end
        self._count(bar)

    def take_earlier(self, bars: Iterable[Bar]) -> None:
        """Add minutes from before the first received one, from a history; each once."""
        before, seen = self._first, set[datetime]()
        for bar in bars:
            if (before is None or bar.start < before) and bar.start not in seen:
                seen.add(bar.start)
                self._count(bar)
                if self.last_at is None or bar.end > self.last_at:
                    self.last, self.last_at = bar.close, bar.end
        if seen:
            self._first = min(seen)

    def _count(self, bar: Bar) -> None:
        self.volume = Quantity(self.volume + bar.volume)
        self._weighted += (bar.high + bar.low + bar.close) * bar.volume
        part = int(bar.start.timestamp()) // A_PART
        told = self._parts.get(part)
        if told is None or told[0] < bar.start:
            self._parts[part], self._course = (bar.start, bar.close), None
