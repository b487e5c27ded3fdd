"""A symbol with too volatile minutes is halted for a while; if the market's symbol is, everything is (RK-08)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from statistics import median

from core.model.bar import Bar
from core.model.kept_rows import KeptRows
from core.model.lazy_dataclass import dataclass
from core.model.reference_data import PastDay
from core.model.values import ZERO, Price, Symbol, percent
from core.risk.protections.protection import EVERYTHING, BarProtection, Lock, Locks, Measure, Scope
from core.settings.protections import VolatilityHaltSettings

PARTS = Decimal(10_000_000)
"""Parts per unit in which returns are counted, rounded towards zero."""
LARGEST = int(10 * PARTS)
"""A larger return is capped to this one: it exceeds any limit, and the sums of a day's squares stay below 2 to the 63.
"""
FINEST = Decimal("1E-10")
"""Limits are rounded up to it, so that a measure equal to its limit is not over it because of a root's rounding."""
LONG_WEEKEND = timedelta(days=5)


@dataclass(slots=True)
class Sums:
    """Count, sum and sum of squares of returns, in parts."""

    count: int = 0
    total: int = 0
    squares: int = 0

    @property
    def spread(self) -> int:
        """Their variance, times `pairs`."""
        return self.count * self.squares - self.total * self.total

    @property
    def pairs(self) -> int:
        return self.count * (self.count - 1)

    @property
    def deviation(self) -> Decimal:
        """Their sample standard deviation; zero for fewer than two."""
        return (Decimal(self.spread) / self.pairs).sqrt() / PARTS if self.pairs else ZERO


@dataclass(slots=True)
class Watched:
    """One watched symbol.

    `days` holds the standard deviation of each session that counts for the median, oldest first. Up to `told_until`
    they are the broker's own sessions.
    """

    day: date
    close: Price
    returns: list[int] = field(default_factory=list)
    recent: Sums = field(default_factory=Sums)
    of_day: Sums = field(default_factory=Sums)
    days: list[Decimal] = field(default_factory=list)
    told_until: date = date.min

    def add(self, close: Price, most: int) -> None:
        """Add the return to `close`; drop the oldest recent ones beyond `most`."""
        figure = int((close - self.close) * PARTS // self.close)
        figure = figure if figure < LARGEST else LARGEST
        square = figure * figure
        self.close = close
        recent, of_day, returns = self.recent, self.of_day, self.returns
        returns.append(figure)
        recent.count += 1
        recent.total += figure
        recent.squares += square
        of_day.count += 1
        of_day.total += figure
        of_day.squares += square
        while recent.count > most:
            old = returns.pop(0)
            recent.count -= 1
            recent.total -= old
            recent.squares -= old * old

    def go_on_from(self, before: list[int], most: int) -> None:
        """Prepend the returns of the session before."""
        of_today = self.returns[len(self.returns) - min(self.of_day.count, len(self.returns)) :]
        self.returns = [*before, *of_today][-most:]
        self.recent = Sums(len(self.returns), sum(self.returns), sum(figure * figure for figure in self.returns))

    def turn_page(self, day: date, terms: VolatilityHaltSettings) -> None:
        """Finish a session: it counts for the median if it had enough returns."""
        if self.of_day.count >= terms.at_least and self.day > self.told_until:
            self.days.append(self.of_day.deviation)
            del self.days[: -terms.days]
        self.of_day = Sums()
        if day - self.day > LONG_WEEKEND:
            self.returns, self.recent = [], Sums()
        self.day = day


@dataclass(slots=True)
class VolatilityHaltState:
    symbols: dict[Symbol, Watched] = field(default_factory=dict)
    locks: Locks = field(default_factory=Locks)


class VolatilityHalt(BarProtection):
    """A symbol with too volatile minutes is halted for a while; if the market's symbol is, everything is (RK-08).

    Shuts the symbol's entries, by the market's own symbol all; ends its time after the last volatile minute, or by a
    typed override.

    The measure is the sample standard deviation (n - 1) of a symbol's last one-minute returns, close to close.

    - There is no return from one session to the next. The ring continues over that gap, so that the measure works from
    a
      session's first minutes; after a gap longer than a long weekend it starts again.
    - A minute without a trade has no bar: the next bar's move counts as one return, so that a pause of trading hides
      nothing.
    - The median is that of the standard deviations of whole sessions, each of all its one-minute returns: of the last
      sessions with enough returns that this desk saw, or that the broker's history has, without the current one. With
      fewer of them, or if it is zero, only the fixed limit counts.
    - A halt keeps its length: volatile minutes during it do not prolong it, and the first one after it that is still
    over
      the limit starts another.
    - Past bars given to a late start fill ring and median as if received live; they halt nothing. If the desk was off,
    the
      median is that of the broker's own sessions.

    Returns are whole numbers of a ten-millionth, and so are their sums and those of their squares: subtraction is
    exact. Nothing drifts, and a bar has a constant cost.
    """

    name = "volatility_halt"

    def __init__(self, terms: Callable[[], VolatilityHaltSettings]) -> None:
        self.terms = terms
        self.state = VolatilityHaltState()
        self._ceilings: dict[Symbol, tuple[int, int]] = {}
        self._measures = KeptRows[Measure]()
        self._judge_by(terms())

    @property
    def locks(self) -> Locks:
        return self.state.locks

    def restore(self, state: VolatilityHaltState) -> None:
        self.state = state
        self._ceilings = {}

    def _judge_by(self, terms: VolatilityHaltSettings) -> None:
        """Cache the terms that every bar needs, and drop the ceilings derived from them."""
        self._judged_by, self._most, self._at_least = terms, terms.returns, terms.at_least
        self._ceilings = {}

    def take_bar(self, bar: Bar, day: date) -> bool:
        terms, watched = self.terms(), self.state.symbols.get(bar.symbol)
        if terms is not self._judged_by:
            self._judge_by(terms)
        if watched is None:
            self.state.symbols[bar.symbol] = Watched(day, bar.close)
            return False
        if watched.day != day:
            self._turn_page(bar.symbol, watched, day, terms)
            watched.close = bar.close
            return False
        watched.add(bar.close, self._most)
        recent = watched.recent
        if recent.count < self._at_least:
            return False
        known = self._ceilings.get(bar.symbol)
        ceiling = known[1] if known is not None and known[0] == recent.count else self._ceiling(bar.symbol, terms)
        if recent.spread <= ceiling:
            return False
        return self._halt(bar, watched, terms)

    def take_history(self, symbol: Symbol, bars: Iterable[tuple[date, Bar]]) -> None:
        """Take past bars up to the first live one; longer known sessions stay."""
        terms, past = self.terms(), None
        for day, bar in bars:
            if past is None:
                past = Watched(day, bar.close)
            elif past.day != day:
                past.turn_page(day, terms)
                past.close = bar.close
            else:
                past.add(bar.close, terms.returns)
        if past is None:
            return
        known = self.state.symbols.get(symbol)
        if known is not None and len(known.days) > len(past.days):
            past.days, past.told_until = known.days, known.told_until
        self.state.symbols[symbol] = past
        self._ceilings.pop(symbol, None)

    def take_past(self, symbol: Symbol, days: Iterable[PastDay], minutes: Iterable[tuple[date, Bar]]) -> None:
        """Take the sessions before today's and the last one's final minutes; they fill the median if no more are known.

        The ring continues from those minutes if today has not filled it yet.
        """
        terms, told = self.terms(), None
        for day, bar in minutes:
            if told is None:
                told = Watched(day, bar.close)
            else:
                told.add(bar.close, terms.returns)
        known = self.state.symbols.get(symbol)
        if known is None or (told is not None and known.day <= told.day):
            if told is None:
                return
            told.of_day = Sums()
            if known is not None:
                told.days, told.told_until = known.days, known.told_until
            watched = self.state.symbols[symbol] = told
        else:
            watched = known
            if told is not None and known.day - told.day <= LONG_WEEKEND:
                watched.go_on_from(told.returns, terms.returns)
        found = [(each.day, each.deviation) for each in days if each.deviation is not None]
        if found and len(found) >= len(watched.days):
            watched.days = [deviation for _, deviation in found][-terms.days :]
            watched.told_until = found[-1][0]
        self._ceilings.pop(symbol, None)

    def _turn_page(self, symbol: Symbol, watched: Watched, day: date, terms: VolatilityHaltSettings) -> None:
        watched.turn_page(day, terms)
        self._ceilings.pop(symbol, None)

    def _ceiling(self, symbol: Symbol, terms: VolatilityHaltSettings) -> int:
        """Return the highest `spread` for the current number of returns; cached, because that number rarely changes."""
        recent = self.state.symbols[symbol].recent
        limit, _ = limit_of(self.state.symbols[symbol].days, terms)
        ceiling = int((limit * PARTS) ** 2 * recent.pairs)
        self._ceilings[symbol] = recent.count, ceiling
        return ceiling

    def _halt(self, bar: Bar, watched: Watched, terms: VolatilityHaltSettings) -> bool:
        scope, at = scope_of(bar.symbol, terms), bar.end
        if self.locks.on(scope, at) is not None:
            return False
        measure, (limit, source) = watched.recent.deviation, limit_of(watched.days, terms)
        reason = (
            f"{watched.recent.count} one-minute returns of {bar.symbol} deviate by {percent(measure, 3)}, "
            f"the limit is {percent(limit, 3)}{source}"
        )
        self.locks.shut(Lock(scope, at, at + timedelta(minutes=terms.stop_minutes), measure, limit, reason))
        return True

    def measures(self, at: datetime) -> Iterator[Measure]:
        terms = self.terms()
        if terms.market not in self.state.symbols:
            yield Measure(EVERYTHING, None, terms.limit, f"no bar of {terms.market} yet: the market is not measured")
        measure = self._measures.begin(measure_of)
        for symbol, watched in self.state.symbols.items():
            recent, days = watched.recent, tuple(watched.days)
            yield measure(
                symbol, count=recent.count, total=recent.total, squares=recent.squares, days=days, terms=terms
            )


def measure_of(
    symbol: Symbol, *, count: int, total: int, squares: int, days: tuple[Decimal, ...], terms: VolatilityHaltSettings
) -> Measure:
    """Return the measure of a symbol with these sums of its last returns, in parts, and the deviations of `days`."""
    limit, _ = limit_of(days, terms)
    figure = Sums(count, total, squares).deviation if count >= terms.at_least else None
    words = (
        f"standard deviation of {count} one-minute returns of {symbol}"
        if figure is not None
        else f"{count} one-minute returns of {symbol}, {terms.at_least} are needed"
    )
    return Measure(scope_of(symbol, terms), figure, limit, f"{words}; {_of_median(days, terms)}")


def session_deviation(day: date, bars: Iterable[Bar], at_least: int) -> Decimal | None:
    """The deviation of a whole session's one-minute returns, for the median; None for fewer than `at_least`."""
    watched: Watched | None = None
    for bar in bars:
        if watched is None:
            watched = Watched(day, bar.close)
        else:
            watched.add(bar.close, at_least)
    return watched.of_day.deviation if watched is not None and watched.of_day.count >= at_least else None


def scope_of(symbol: Symbol, terms: VolatilityHaltSettings) -> Scope:
    return EVERYTHING if symbol == terms.market else Scope(symbol)


def limit_of(days: Sequence[Decimal], terms: VolatilityHaltSettings) -> tuple[Decimal, str]:
    """Return the lower of the two limits, with a text if it is the median's."""
    usual = median(days) if len(days) >= terms.days else ZERO
    limit = (terms.times_median * usual).quantize(FINEST, ROUND_CEILING)
    if usual and limit < terms.limit:
        return limit, f", {terms.times_median} × the median of {terms.days} sessions"
    return terms.limit, ""


def _of_median(days: Sequence[Decimal], terms: VolatilityHaltSettings) -> str:
    if len(days) < terms.days:
        return f"the median has {len(days)} of {terms.days} sessions"
    return f"the median of {terms.days} sessions is {percent(median(days), 3)}"
