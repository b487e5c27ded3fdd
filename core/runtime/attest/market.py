"""The synthetic market of an attestation: one session with a given number of messages.

Each symbol stays near its level, so an order trades at its intended price. One symbol falls through its stop when a
trial needs it; another gets no more data after some minutes. Everything follows from the seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random

from core.messages.inputs import BarArrived, QuoteArrived
from core.model.bar import ONE_MINUTE, Bar
from core.model.quote import Feed, Quote
from core.model.session import Session
from core.model.values import Quantity, Symbol
from core.model.venues import HOME
from core.runtime.feed import QUOTE, Timed, bar_item, merged
from core.runtime.stress_market import SYMBOLS, dollars
from core.runtime.stress_market import level_of as stress_level

OPEN = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
SESSION = Session(date(2026, 1, 5), OPEN, OPEN + timedelta(minutes=HOME.session_minutes))
HELD, STOPPED, OLD = SYMBOLS[4], SYMBOLS[5], SYMBOLS[6]
"""The symbol of which each exit sells a share; the one that falls through its stop; the one whose quotes go stale."""
HALTED = SYMBOLS[8]
BOUGHT = (SYMBOLS[7], *SYMBOLS[9:20])
"""Symbols of the trial entries, used in turn."""
QUOTED = SYMBOLS[:20]
UNLISTED = Symbol("ZZZZ")

TOLD_UNTIL = OPEN + timedelta(minutes=8)
"""The end of the data of `OLD`."""
FALL, FALLEN_FOR = Decimal("0.97"), timedelta(minutes=3)
WIDTH = 3
"""Cents by which a price moves to either side of its level."""
VOLUME, LOT = Quantity(Decimal(1_000_000)), Quantity(Decimal(100))
LEAST = len(QUOTED) * HOME.session_minutes
"""The minimum number of messages of a session: its bars."""

level_of = cache(stress_level)
"""The level of a symbol for a seed; cached because each quote asks for it."""


@dataclass(frozen=True, slots=True)
class Market:
    """A market from a seed with `many` messages; `STOPPED` falls through its stop at `falls_at`."""

    seed: int
    many: int
    falls_at: datetime

    def feed(self) -> Iterator[Timed]:
        """Yield every message of the session in order of time."""
        bars = (self._bars(symbol) for symbol in QUOTED)
        told = ((bar_item(BarArrived(bar, f"attest {self.seed}")) for bar in each) for each in bars)
        return merged([*told, self._quotes(), [self._last_of_the_old()]])

    def level(self, symbol: Symbol, at: datetime) -> int:
        """Return the level of a symbol, in cents."""
        level = level_of(self.seed, symbol)
        if symbol == STOPPED and self.falls_at <= at < self.falls_at + FALLEN_FOR:
            return round(level * FALL)
        return level

    def _bars(self, symbol: Symbol) -> Iterator[Bar]:
        chance = Random(f"{self.seed}:{symbol}:attest")
        start = OPEN
        while start < self._told_until(symbol):
            level = self.level(symbol, start)
            close = level + chance.randint(-WIDTH, WIDTH)
            high, low = max(level, close) + 1, min(level, close) - 1
            yield Bar(symbol, start, dollars(level), dollars(high), dollars(low), dollars(close), VOLUME)
            start += ONE_MINUTE

    def _quotes(self) -> Iterator[Timed]:
        """Yield quotes at even intervals over the session, the symbols in turn."""
        many = self.many - LEAST
        chance = Random(f"{self.seed}:attest")
        span = SESSION.close - SESSION.open
        for number in range(many):
            symbol = QUOTED[number % len(QUOTED)]
            at = OPEN + span * number / many
            if at >= self._told_until(symbol):
                symbol = BOUGHT[number % len(BOUGHT)]
            middle = self.level(symbol, at) + chance.randint(-WIDTH, WIDTH)
            yield self._quoted(symbol, at, middle)

    def _last_of_the_old(self) -> Timed:
        """Return a quote later than the last minute of `OLD`: from then on no price is derived for it."""
        return self._quoted(OLD, TOLD_UNTIL + 2 * ONE_MINUTE, level_of(self.seed, OLD))

    def _quoted(self, symbol: Symbol, at: datetime, middle: int) -> Timed:
        quote = Quote(symbol, at, dollars(middle - 1), LOT, dollars(middle + 1), LOT, Feed.RECORDED)
        return (at, QUOTE, QuoteArrived(quote))

    def _told_until(self, symbol: Symbol) -> datetime:
        return TOLD_UNTIL if symbol == OLD else SESSION.close
