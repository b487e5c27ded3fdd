"""Moves of each symbol from its bars: the average true range of its minutes, and its daily closes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TypeAlias

from core.model.bar import Bar
from core.model.past_days import PastDays
from core.model.values import ZERO, Fraction, Price, Symbol
from core.risk.size_factors.base import Likeness
from core.risk.size_factors.correlation import correlation

LONG_WEEKEND = timedelta(days=5)
"""After a longer gap the symbol was not followed, and the move over the gap does not count."""
Held: TypeAlias = tuple[tuple[Symbol, bool], ...]
"""Symbols of the positions, and whether each is long."""
DAYS = 61
"""Number of closes kept: sixty daily returns."""


@dataclass(slots=True)
class Moves:
    """Moves of one symbol.

    Attributes
    ----------
    day
        The trading day of its last bar.
    average
        True range in USD: a plain average over the first bars, then with Wilder's smoothing.
    closes
        Of the days before `day`, oldest first.
    """

    day: date
    close: Price
    bars: int = 0
    average: Decimal = ZERO
    closes: list[tuple[date, Price]] = field(default_factory=list)


@dataclass(slots=True)
class RangesState:
    by_symbol: dict[Symbol, Moves] = field(default_factory=dict)


class Ranges:
    def __init__(self, trading_day: Callable[[datetime], date]) -> None:
        self.trading_day = trading_day
        self.state = RangesState()
        self._likeness: dict[tuple[Symbol, Symbol], tuple[Fraction | None, int]] = {}
        self._rows: dict[Symbol, tuple[tuple[Held, int], tuple[Likeness, ...]]] = {}

    def take(self, bar: Bar, over: int) -> None:
        """Add a minute; its true range starts at the close before, over a night or a weekend too."""
        moves, day = self.state.by_symbol.get(bar.symbol), self.trading_day(bar.start)
        high, low = bar.high, bar.low
        if moves is None:
            moves = self.state.by_symbol[bar.symbol] = Moves(day, bar.close)
        else:
            before = moves.close
            if day != moves.day:
                before = before if day - moves.day <= LONG_WEEKEND else bar.close
                moves.closes.append((moves.day, moves.close))
                del moves.closes[:-DAYS]
                moves.day = day
                self._forget_likenesses()
            high, low = (before if before > high else high), (before if before < low else low)
        moves.close = bar.close
        moves.bars += 1
        count = moves.bars if moves.bars < over else over
        moves.average += (high - low - moves.average) / count

    def take_history(self, symbol: Symbol, bars: Iterable[Bar], over: int) -> None:
        """Take past bars up to the first live one; they replace the known ones if they are more."""
        past = Ranges(self.trading_day)
        for bar in bars:
            past.take(bar, over)
        told, known = past.state.by_symbol.get(symbol), self.state.by_symbol.get(symbol)
        if told is None:
            return
        if known is not None:
            told.closes = sorted({**dict(told.closes), **dict(known.closes)}.items())[-DAYS:]
        if known is not None and known.bars > told.bars:
            known.closes = told.closes
        else:
            self.state.by_symbol[symbol] = told
        self._forget_likenesses()

    def take_past(self, past: PastDays, over: int) -> None:
        """Take closes of the days before today's, and the last day's final minutes if today had too few for a range."""
        closes = {each.day: each.close for each in past.days if each.close is not None}
        heard = Ranges(self.trading_day)
        for bar in past.minutes:
            heard.take(bar, over)
        told, known = heard.state.by_symbol.get(past.symbol), self.state.by_symbol.get(past.symbol)
        if told is None and closes:
            told = Moves(max(closes), closes[max(closes)])
        if told is None:
            return
        if known is None or known.day < told.day or (known.day == told.day and known.bars < told.bars):
            moves = self.state.by_symbol[past.symbol] = told
        else:
            moves = known
            if known.bars < over <= told.bars and known.day - told.day <= LONG_WEEKEND:
                moves.average = (told.average * (over - known.bars) + known.average * known.bars) / over
                moves.bars = over
        kept = {} if known is None else dict(known.closes)
        every = {**kept, **closes}
        moves.closes = sorted((day, close) for day, close in every.items() if day < moves.day)[-DAYS:]
        self._forget_likenesses()

    def atr(self, symbol: Symbol, over: int) -> Price | None:
        """Return the average true range, USD; None before it has that many bars."""
        moves = self.state.by_symbol.get(symbol)
        return Price(moves.average) if moves is not None and moves.bars >= over else None

    def likenesses(self, symbol: Symbol, held: Held, days: int) -> tuple[Likeness, ...]:
        """Return the correlation with each other held symbol, each over at least `days` days.

        Returns the same tuple while nothing changed, because every view reads it for each symbol.
        """
        asked = (held, days)
        if (known := self._rows.get(symbol)) is None or known[0] != asked:
            rows = tuple(self._row(symbol, other, days, is_long=long) for other, long in held if other != symbol)
            known = self._rows[symbol] = (asked, rows)
        return known[1]

    def _row(self, symbol: Symbol, other: Symbol, least: int, *, is_long: bool) -> Likeness:
        correlation, days = self.likeness(symbol, other)
        return Likeness(other, is_long, (correlation or Fraction(ZERO)) if days >= least else None, days)

    def _forget_likenesses(self) -> None:
        self._likeness.clear()
        self._rows.clear()

    def likeness(self, first: Symbol, second: Symbol) -> tuple[Fraction | None, int]:
        """Return the correlation of daily returns on the days that both have, and the number of those."""
        pair = (first, second) if first < second else (second, first)
        if pair not in self._likeness:
            self._likeness[pair] = self._measured(*pair)
        return self._likeness[pair]

    def _measured(self, first: Symbol, second: Symbol) -> tuple[Fraction | None, int]:
        closes = [dict(m.closes) if (m := self.state.by_symbol.get(s)) else {} for s in (first, second)]
        days = sorted(closes[0].keys() & closes[1].keys())
        returns = [_returns([known[day] for day in days]) for known in closes]
        return correlation(*returns), len(returns[0])


def _returns(closes: list[Price]) -> list[Decimal]:
    return [after / before - 1 for before, after in pairwise(closes)]
