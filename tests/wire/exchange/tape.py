"""Where the loopback's prices come from: bars and quotes that a test wrote down, or a seeded market.

A bar is known to the matching engine from its minute's start and told to clients at its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Protocol

from core.market.synthetic import synthetic_day
from core.model.bar import ONE_MINUTE, Bar, Quote
from core.model.session import Calendar, Session
from core.model.values import Symbol


class Tape(Protocol):
    symbols: tuple[Symbol, ...]

    def bars(self, symbol: Symbol, start: datetime, end: datetime) -> list[Bar]:
        """Those whose minutes begin from `start` to before `end`, in order."""
        ...

    def quotes(self, after: datetime, until: datetime) -> list[Quote]:
        """Recorded quotes later than `after`, up to and including `until`, in order."""
        ...


class WrittenTape:
    """What a test gives; more may be added while the exchange runs."""

    def __init__(self, bars: Iterable[Bar], quotes: Iterable[Quote], symbols: Sequence[str]) -> None:
        self._bars = sorted(bars, key=lambda bar: bar.start)
        self._quotes = sorted(quotes, key=lambda quote: quote.at)
        named = [*symbols, *(bar.symbol for bar in self._bars), *(quote.symbol for quote in self._quotes)]
        self.symbols = tuple(dict.fromkeys(Symbol(name) for name in named))

    def add(self, happening: Bar | Quote) -> None:
        if happening.symbol not in self.symbols:
            self.symbols += (happening.symbol,)
        if isinstance(happening, Bar):
            self._bars = sorted([*self._bars, happening], key=lambda bar: bar.start)
        else:
            self._quotes = sorted([*self._quotes, happening], key=lambda quote: quote.at)

    def bars(self, symbol: Symbol, start: datetime, end: datetime) -> list[Bar]:
        return [bar for bar in self._bars if bar.symbol == symbol and start <= bar.start < end]

    def quotes(self, after: datetime, until: datetime) -> list[Quote]:
        return [quote for quote in self._quotes if after < quote.at <= until]


REMEMBERED = timedelta(days=60)


class SeededTape:
    """A market without end, made day by day from its seed; its quotes are the matching engine's own.

    It remembers two months, and nothing before `since`: a question about years is not worth the seconds that they
    take to make.
    """

    def __init__(self, seed: int, symbols: Sequence[str], calendar: Calendar, since: date = date.min) -> None:
        self.symbols = tuple(Symbol(name) for name in symbols)
        self._seed = seed
        self._calendar = calendar
        self._since = since

    def bars(self, symbol: Symbol, start: datetime, end: datetime) -> list[Bar]:
        if symbol not in self.symbols:
            return []
        last = self._calendar.trading_day(end)
        day = max(self._calendar.trading_day(start), last - REMEMBERED, self._since)
        found: list[Bar] = []
        while day <= last:
            found += [bar for bar in self._day(symbol, day) if start <= bar.start < end]
            day += timedelta(days=1)
        return found

    def quotes(self, after: datetime, until: datetime) -> list[Quote]:
        return []

    def _day(self, symbol: Symbol, day: date) -> list[Bar]:
        session = self._calendar.session_on(day)
        return a_day(self._seed, symbol, session) if isinstance(session, Session) else []


@lru_cache(maxsize=512)
def a_day(seed: int, symbol: Symbol, session: Session) -> list[Bar]:
    """Made once, for every exchange of this process."""
    return synthetic_day(seed, symbol, session)


def happenings(tape: Tape, after: datetime, until: datetime) -> Iterator[tuple[datetime, Bar | Quote]]:
    """Ends of bars, beginnings of bars and quotes, in order of time; at equal times in this order."""
    found: list[tuple[datetime, int, Bar | Quote]] = []
    for symbol in tape.symbols:
        for bar in tape.bars(symbol, after - 2 * ONE_MINUTE, until + ONE_MINUTE):
            found += [(bar.end, 0, bar)] if after < bar.end <= until else []
            found += [(bar.start, 1, bar)] if after < bar.start <= until else []
    found += [(quote.at, 2, quote) for quote in tape.quotes(after, until)]
    found.sort(key=lambda item: item[:2])
    return ((at, happening) for at, _, happening in found)
