"""Each minute and the newest quote of each symbol, once and in order; the cache of past bars.

Cache of past bars by symbol and hour, so that overlapping requests reuse parts.
Only a finished hour with a settled last bar is kept; it expires, because bars may be revised (MD-04). Times are
arguments; nothing here makes a request.

A quote that is crossed or lacks a price on one side is handed on once, so that the normaliser reports it; while it
stays so it is only counted. An older quote never follows a newer one, from either source.

The stream is pushed and history is requested, so after a gap the newest minute arrives before the missing ones. While a
gap is being filled, the stream's bars are held back; then both are handed on, sorted. A minute that comes after a later
one of its symbol was handed on is too late to be a bar, because strategies have moved on; it is reported and counted
(MD-02, MD-03).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from core.market.alpaca.failure import Counts, Seen
from core.market.alpaca.parsing import read_quote
from core.market.calendar import CalendarRangeError
from core.market.normaliser import HIGHEST_PRICE
from core.messages.inputs import BarArrived, MarketDataBroken, QuoteArrived
from core.model.bar import ONE_MINUTE, Bar, Feed, NoQuote, Quote
from core.model.lazy_dataclass import dataclass
from core.model.session import XNYS, Calendar, NoSession, Session
from core.model.values import ZERO, Symbol

SETTLE = timedelta(seconds=3)
"""From a minute's end until its bar is requested: history has it a moment later than the stream."""
NO_TIME = datetime.min.replace(tzinfo=UTC)


def minute_of(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def settled(now: datetime) -> datetime:
    """Return the time by which ended minutes can be requested."""
    return minute_of(now - SETTLE)


class Timetable:
    """Calendar queries for polling."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar

    def is_open(self, at: datetime) -> bool:
        return not isinstance(self._session_at(at), NoSession)

    def opened(self, at: datetime) -> datetime:
        """Return when the session open at `at` began; the beginning of time without one."""
        session = self._session_at(at)
        return session.open if isinstance(session, Session) else NO_TIME

    def first_minute(self, now: datetime) -> datetime:
        """Return the first minute that a desk needs if it starts now: the day's open once it has passed, or this
        minute.
        """
        session = self._day_of(now)
        return session.open if session is not None and session.open <= now else minute_of(now)

    def wanted(self, start: datetime, end: datetime) -> tuple[datetime, datetime] | None:
        """Return the part of the span in the session of the day of `end`; None if there is none.

        Minutes of an earlier day are not requested any more, because no strategy trades on them.
        """
        session = self._day_of(end)
        if session is None:
            return None
        first, last = max(start, session.open), min(end, session.close)
        return (first, last) if first < last else None

    def next_minute(self, after: datetime) -> datetime:
        """Return the end of the first session minute that ends after `after`."""
        end = minute_of(after) + ONE_MINUTE
        if self.is_open(end - ONE_MINUTE):
            return end
        try:
            return self._calendar.next_session(end - ONE_MINUTE).open + ONE_MINUTE
        except CalendarRangeError:
            return end

    def _day_of(self, at: datetime) -> Session | None:
        day = self._calendar.trading_day(at)
        try:
            session = self._calendar.session_on(day)
        except CalendarRangeError:
            return Session(day, minute_of(at) - timedelta(hours=1), minute_of(at) + timedelta(hours=1))
        return session if isinstance(session, Session) else None

    def _session_at(self, at: datetime) -> Session | NoSession:
        try:
            return self._calendar.session_at(at)
        except CalendarRangeError:
            return Session(self._calendar.trading_day(at), NO_TIME, at + ONE_MINUTE)


HOUR = timedelta(hours=1)
TIME_TO_LIVE = timedelta(hours=1)
MOST_HOURS = 20_000
"""A symbol's year has 2,000; beyond the limit the oldest are dropped."""


@dataclass(frozen=True, slots=True)
class _Hour:
    bars: tuple[BarArrived, ...]
    kept_at: datetime


class BarCache:
    """Thread-safe."""

    def __init__(self, time_to_live: timedelta = TIME_TO_LIVE, most: int = MOST_HOURS) -> None:
        self._time_to_live = time_to_live
        self._most = most
        self._hours: dict[tuple[Symbol, datetime], _Hour] = {}
        self._lock = threading.Lock()

    def missing(
        self, symbol: Symbol, start: datetime, end: datetime, now: datetime
    ) -> tuple[datetime, datetime] | None:
        """Return the span to request, from the first unknown hour to the last; None if all is known."""
        unknown = [hour for hour in hours_of(start, end) if self._known(symbol, hour, now) is None]
        return (unknown[0], min(unknown[-1] + HOUR, max(end, unknown[-1]))) if unknown else None

    def keep(self, symbol: Symbol, start: datetime, end: datetime, bars: Iterable[BarArrived], now: datetime) -> None:
        """Store the answer from `start` (on the hour) to `end`: whole finished hours are kept."""
        by_hour: dict[datetime, list[BarArrived]] = {}
        for arrived in bars:
            by_hour.setdefault(_hour_of(arrived.bar.start), []).append(arrived)
        with self._lock:
            for hour in hours_of(start, end):
                if hour >= start and hour + HOUR <= min(end, settled(now)):
                    self._hours.pop((symbol, hour), None)
                    self._hours[symbol, hour] = _Hour(tuple(by_hour.get(hour, ())), now)
            while len(self._hours) > self._most:
                del self._hours[next(iter(self._hours))]

    def bars(self, symbol: Symbol, start: datetime, end: datetime, now: datetime) -> list[BarArrived]:
        """Return the known bars from `start` to before `end`."""
        known = [self._known(symbol, hour, now) for hour in hours_of(start, end)]
        return [bar for hour in known if hour is not None for bar in hour if start <= bar.bar.start < end]

    def _known(self, symbol: Symbol, hour: datetime, now: datetime) -> Sequence[BarArrived] | None:
        with self._lock:
            known = self._hours.get((symbol, hour))
            if known is not None and now - known.kept_at >= self._time_to_live:
                del self._hours[symbol, hour]
                return None
            return None if known is None else known.bars


def hours_of(start: datetime, end: datetime) -> list[datetime]:
    """Return the starts of the hours that the span touches."""
    first = _hour_of(start)
    count = -(-(end - first) // HOUR) if start < end else 0
    return [first + HOUR * n for n in range(count)]


def _hour_of(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


QUOTE_AHEAD = timedelta(seconds=2)
"""Allowed lag of this machine's clock: a quote within it counts as of now. One further ahead is refused."""
PLACE = "Alpaca's stream"

Sighting = QuoteArrived | MarketDataBroken


class Quotes:
    """Quotes since the last hand-over, and those handed on."""

    def __init__(self, feed: Feed, counts: Counts) -> None:
        self._feed = feed
        self._counts = counts
        self._waiting: dict[Symbol, object] = {}
        self._newest: dict[Symbol, datetime] = {}
        self._troubled: set[Symbol] = set()

    def put(self, symbol: Symbol, raw: object) -> bool:
        """Store a quote of the stream, unparsed. Return whether it is the first one waiting."""
        if symbol in self._waiting:
            self._counts.see(Seen.CONFLATED)
        is_first = not self._waiting
        self._waiting[symbol] = raw
        return is_first

    def take(self, now: datetime) -> list[Sighting]:
        """Return the waiting quotes, parsed."""
        waiting, self._waiting = self._waiting, {}
        return self.found((read_quote(symbol, raw, PLACE, self._feed) for symbol, raw in waiting.items()), now)

    def found(self, sightings: Iterable[Sighting], now: datetime) -> list[Sighting]:
        """Return those of the parsed (or unreadable) quotes that are handed on."""
        return [kept for sighting in sightings for kept in self._judge(sighting, now)]

    def _judge(self, sighting: Sighting, now: datetime) -> list[Sighting]:
        if isinstance(sighting, MarketDataBroken):
            self._counts.see(Seen.BROKEN)
            return [sighting]
        quote = sighting.quote
        symbol = quote.symbol
        if now < quote.at:
            self._counts.see(Seen.AHEAD)
        if quote.at - now <= QUOTE_AHEAD:  # a time further ahead is not comparable with others
            if quote.at < self._newest.get(symbol, quote.at):
                self._counts.see(Seen.OLDER)
                return []
            self._newest[symbol] = quote.at
            quote = not_ahead(quote, now)
            if is_sound(quote):
                self._troubled.discard(symbol)
                self._counts.see(Seen.QUOTES)
                return [QuoteArrived(quote)]
        self._counts.see(Seen.BAD_QUOTES)
        if symbol in self._troubled:
            return []
        self._troubled.add(symbol)
        return [QuoteArrived(quote)]


def is_sound(quote: Quote) -> bool:
    """Return whether its prices are not crossed and its sizes are plausible."""
    return ZERO < quote.bid <= quote.ask < HIGHEST_PRICE and min(quote.bid_size, quote.ask_size) >= ZERO


def not_ahead(quote: Quote, now: datetime) -> Quote:
    """Limit the time of a quote slightly ahead of this machine's clock to now."""
    return replace(quote, at=min(quote.at, now)) if quote.at - now <= QUOTE_AHEAD else quote


def quote_of(found: Iterable[Sighting], symbol: Symbol, now: datetime) -> Quote | NoQuote:
    """Return the first quote of the symbol that has a usable price."""
    for sighting in found:
        if isinstance(sighting, MarketDataBroken):
            return NoQuote(sighting.reason)
        quote = not_ahead(sighting.quote, now)
        if quote.at > now:
            return NoQuote(f"{symbol}: the quote's time is ahead of this machine's clock; check the clock")
        if is_sound(quote):
            return quote
        return NoQuote(f"{symbol}: bid {quote.bid}, ask {quote.ask} make no market")
    return NoQuote(f"Alpaca has no quote of {symbol}")


Minute = BarArrived | MarketDataBroken

AHEAD = ONE_MINUTE
"""Allowed lag of this machine's clock behind the exchange's: a bar is held until its minute has ended here too."""
REMEMBERED = 60
"""Bars per symbol kept to tell repeats, revisions and missed minutes apart."""
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Handed:
    """A bar that was handed on, and whether the stream delivered it (first or again)."""

    bar: Bar
    is_pushed: bool


class Minutes:
    """Bars handed on for each symbol, and waiting ones.

    Parameters
    ----------
    known
        Start of the last bar of each symbol in the desk's journal: nothing up to it is delivered again.
    """

    def __init__(self, known: Mapping[Symbol, datetime], counts: Counts) -> None:
        self._last = dict(known)
        self._recent: dict[Symbol, dict[datetime, _Handed]] = {}
        self._counts = counts
        self._said: dict[MarketDataBroken, None] = {}
        self._kept: list[BarArrived] = []
        self._early: list[BarArrived] = []
        self.filling_since: datetime | None = None

    # ── the stream ───────────────────────────────────────────────────────────────────────────────────────────────

    def push(self, arrived: BarArrived, now: datetime) -> list[Minute]:
        """Take a bar of the stream; return the minutes to hand on now."""
        bar = arrived.bar
        if bar.end > now:
            return self._ahead(arrived, now)
        if self.filling_since is not None:
            self._kept.append(arrived)
            return []
        return self._hand_on(arrived, is_pushed=True)

    def due(self) -> datetime | None:
        """Return when the next early bar may be handed on."""
        return min((arrived.bar.end for arrived in self._early), default=None)

    def release(self, now: datetime) -> list[Minute]:
        """Return early bars whose minute has ended."""
        ended = [arrived for arrived in self._early if arrived.bar.end <= now]
        self._early = [arrived for arrived in self._early if arrived.bar.end > now]
        return [minute for arrived in _in_order(ended) for minute in self.push(arrived, now)]

    def known_until(self, symbol: Symbol) -> datetime:
        """Return the end of the symbol's last bar handed on or waiting; the beginning of time without any."""
        waiting = [kept.bar.end for kept in self._kept if kept.bar.symbol == symbol]
        last = self._last.get(symbol, _NEVER)
        return max([last if last is _NEVER else last + ONE_MINUTE, *waiting])

    # ── a gap ────────────────────────────────────────────────────────────────────────────────────────────────────

    def begin_fill(self, now: datetime) -> None:
        """Start to fill a gap: the stream's bars wait for earlier ones."""
        self.filling_since = now

    def end_fill(self, now: datetime, found: Iterable[Minute] = ()) -> list[Minute]:
        """End the filled (or abandoned) gap: return the found and the waiting bars, in order."""
        self.filling_since = None
        kept, self._kept = self._kept, []
        return self._merge(found, kept, now)

    def asked(self, found: Iterable[Minute], now: datetime) -> list[Minute]:
        """Return the new minutes of a poll. A poll looks back, so most of it was seen before."""
        return self._merge(found, [], now)

    def _merge(self, found: Iterable[Minute], kept: list[BarArrived], now: datetime) -> list[Minute]:
        found = list(found)
        bars = [minute for minute in found if isinstance(minute, BarArrived)]
        asked_for = [arrived for arrived in bars if arrived.bar.end <= now]
        broken = [minute for minute in found if isinstance(minute, MarketDataBroken)]
        early = [minute for arrived in bars if arrived.bar.end > now for minute in self._ahead(arrived, now)]
        result: list[Minute] = [m for m in (*broken, *early) if isinstance(m, MarketDataBroken) and self._is_news(m)]
        pushed = {id(arrived) for arrived in kept}
        for arrived in _in_order([*asked_for, *kept]):
            result += self._hand_on(arrived, is_pushed=id(arrived) in pushed)
        return result

    def _ahead(self, arrived: BarArrived, now: datetime) -> list[Minute]:
        """Hold a minute that has not ended here, or report one that is too far ahead."""
        self._counts.see(Seen.AHEAD)
        if arrived.bar.end - now > AHEAD:
            return [_too_far_ahead(arrived, now)]
        self._early.append(arrived)
        return []

    # ── duplicates ───────────────────────────────────────────────────────────────────────────────────────────────

    def _hand_on(self, arrived: BarArrived, *, is_pushed: bool) -> list[Minute]:
        bar = arrived.bar
        if bar.start > self._last.get(bar.symbol, _NEVER):
            self._last[bar.symbol] = bar.start
            self._remember(bar, is_pushed=is_pushed)
            self._counts.see(Seen.BARS)
            return [arrived]
        before = self._recent.get(bar.symbol, {}).get(bar.start)
        if before is not None:
            return self._again(arrived, before, is_pushed=is_pushed)
        # Report a late bar once. A bar older than any handed on here is known from the journal.
        recent = self._recent.get(bar.symbol)
        if not recent or bar.start < next(iter(recent)):
            self._counts.see(Seen.REPEATED)
            return []
        self._remember(bar, is_pushed=is_pushed)
        self._counts.see(Seen.LATE)
        last = self._last[bar.symbol]
        return [MarketDataBroken(arrived.place, f"late: it came after the bar of {XNYS.told(last)}; it is left out")]

    def _again(self, arrived: BarArrived, before: _Handed, *, is_pushed: bool) -> list[Minute]:
        """Handle a minute handed on before: normal if stream and poll overlap, reported if the stream repeats it."""
        bar, old = arrived.bar, before.bar
        is_odd, before.is_pushed = is_pushed and before.is_pushed, before.is_pushed or is_pushed
        self._counts.see(Seen.REPEATED if bar == old else Seen.REVISED)
        if not is_odd:
            return []
        if bar == old:
            return [MarketDataBroken(arrived.place, "repeated: the same bar came before")]
        reason = f"revised: close {old.close} is now {bar.close}, volume {old.volume} is now {bar.volume}"
        return [MarketDataBroken(arrived.place, f"{reason}; the desk keeps the bar that it acted on")]

    def _is_news(self, broken: MarketDataBroken) -> bool:
        """Return whether it was not reported yet: a request looks back, so an unreadable bar is found again."""
        if broken in self._said:
            return False
        self._counts.see(Seen.BROKEN)
        self._said[broken] = None
        if len(self._said) > REMEMBERED:
            del self._said[next(iter(self._said))]
        return True

    def _remember(self, bar: Bar, *, is_pushed: bool) -> None:
        recent = self._recent.setdefault(bar.symbol, {})
        recent[bar.start] = _Handed(bar, is_pushed)
        if len(recent) > REMEMBERED:
            del recent[next(iter(recent))]


def _in_order(bars: list[BarArrived]) -> list[BarArrived]:
    """Sort by minute; within it in order of arrival, requested ones first."""
    return sorted(bars, key=lambda arrived: arrived.bar.start)


def _too_far_ahead(arrived: BarArrived, now: datetime) -> MarketDataBroken:
    seconds = (arrived.bar.end - now).total_seconds()
    return MarketDataBroken(
        arrived.place, f"from the future: its minute ends in {seconds:.0f} s by this machine's clock; set the clock"
    )
