"""Seeded markets for the demo, and the names of their shares.

A seeded market for the demo: minutes similar to SPY's, with dips for the desk to trade.
No state is kept from day to day. A day's bars depend on seed, symbol and day alone, so a restart can begin at any day
and sees the same market, and the stream may continue for ever. Prices walk around the day's own VWAP, dip below it once
or twice in the morning, and come back; some dips go through a stop 0.3 % below the entry first.

A seeded market that never rests, for the demo: every share rises and falls all day, a few minutes at a time.
It is made in slices of ten seconds, by which the simulated exchange trades; the engine receives their minutes. As in
`synthetic.py` a day depends on seed, symbol and day alone. Moves follow each other, up or down by half a percent or so,
on more volume than the pauses between them, and the price is drawn back to the day's start. So something always dips,
breaks out or runs, without any meaning.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from math import exp
from random import Random

from core.model.bar import ONE_MINUTE, Bar
from core.model.lazy_dataclass import dataclass
from core.model.reference_data import AssetList, ListedAsset
from core.model.session import Session
from core.model.values import Price, Quantity, Symbol

SPY = "SPY"
SPY_LEVEL = 500.0
"""USD; other symbols have separate levels, 40 to 400."""
CYCLES = ((9, 0.006), (31, 0.015), (127, 0.03), (503, 0.05))
"""Cycles of the price level: period in days, and amplitude as a part of the price."""
DAILY_NOISE = 0.002
PULL = 0.06
"""Part of its distance to VWAP by which a minute's price returns."""
MINUTE_NOISE = 0.00018
QUIET_NOISE = 0.00006
"""Standard deviations of a minute's close, as parts of the price; the quiet one is for the bottom of a dip."""
WICK = 0.00012
DEEP_SHARE = 0.3
"""Share of the dips that go through the stop."""
SHALLOW = (0.0042, 0.0055)
DEEP = (0.0078, 0.0095)
"""Depth of a dip below VWAP, as parts of the price."""
MORNING_DIPS = ((33, 52), (78, 96))
"""Minutes after the open in which the first and the second dip begin; all reach their bottom from 10:05 to 11:25."""
TWO_DIPS_SHARE = 0.5
DAYS_KEPT = 4
"""A demo, its exchange and a replayed day use the same ones."""


@dataclass(frozen=True, slots=True)
class Dip:
    """A fall below VWAP: minutes after the open at which it begins, reaches the bottom, leaves it, and ends."""

    begins: int
    is_down: int
    lets_go: int
    is_over: int
    depth: float

    def at(self, minute: int) -> float:
        """Return the depth below VWAP in this minute, as a part of it; 0 outside of the dip."""
        if not self.begins < minute < self.is_over:
            return 0.0
        if minute < self.is_down:
            return self.depth * (minute - self.begins) / (self.is_down - self.begins)
        if minute <= self.lets_go:
            return self.depth
        return self.depth * (self.is_over - minute) / (self.is_over - self.lets_go)


def synthetic_sessions(seed: int, symbol: Symbol, sessions: Iterable[Session]) -> Iterator[Bar]:
    """Yield the bars of the sessions, one day after the other, each built on demand."""
    for session in sessions:
        yield from synthetic_day(seed, symbol, session)


@lru_cache(maxsize=DAYS_KEPT)
def synthetic_day(seed: int, symbol: Symbol, session: Session) -> tuple[Bar, ...]:
    """Build one bar per minute of the session."""
    chance = Random(f"{seed}:{symbol}:{session.day.isoformat()}")
    minutes = (session.close - session.open) // ONE_MINUTE
    count = 2 if chance.random() < TWO_DIPS_SHARE else 1
    dips = tuple(_dip(chance, window) for window in MORNING_DIPS[:count])
    last = round(level_of(seed, symbol, session.day) * 100)
    lean = chance.uniform(-0.0006, 0.0010)
    busyness = chance.uniform(0.8, 1.3)
    distance = 0.0
    weighted, traded = float(last), 1.0
    bars: list[Bar] = []
    for minute in range(minutes):
        vwap = weighted / traded
        fall = sum(dip.at(minute) for dip in dips)
        noise = QUIET_NOISE if fall else MINUTE_NOISE
        distance += PULL * (lean * minute / minutes - distance) + chance.gauss(0.0, noise)
        opened = last + chance.choice((-1, 0, 0, 0, 1))
        close = round(vwap * (1.0 + (distance * 0.3 if fall else distance) - fall))
        high = max(opened, close) + round(abs(chance.gauss(0.0, WICK)) * close)
        low = min(opened, close) - round(abs(chance.gauss(0.0, WICK)) * close)
        volume = _volume(chance, minute / minutes, busyness, is_falling=fall > 0)
        bars.append(
            Bar(
                symbol,
                session.open + minute * ONE_MINUTE,
                _dollars(opened),
                _dollars(high),
                _dollars(low),
                _dollars(close),
                Quantity(Decimal(volume)),
            )
        )
        weighted += (high + low + close) / 3 * volume
        traded += volume
        last = close
    return tuple(bars)


def level_of(seed: int, symbol: Symbol, day: date, about: float | None = None) -> float:
    """Return the price at the open, USD: slow cycles with phases from the seed, plus daily noise.

    The cycles are around `about`, or around the symbol's own level if that is None.
    """
    chance = Random(f"{seed}:{symbol}:level")
    own = SPY_LEVEL if symbol == SPY else chance.uniform(40.0, 400.0)
    base = own if about is None else about
    number = day.toordinal()
    swing = sum(part * math.sin(2 * math.pi * (number / period + chance.random())) for period, part in CYCLES)
    return base * (1.0 + swing + Random(f"{seed}:{symbol}:{number}:gap").gauss(0.0, DAILY_NOISE))


def _dip(chance: Random, window: tuple[int, int]) -> Dip:
    depth = chance.uniform(*(DEEP if chance.random() < DEEP_SHARE else SHALLOW))
    begins = chance.randint(*window)
    is_down = begins + chance.randint(5, 10)
    lets_go = is_down + chance.randint(2, 4)
    return Dip(begins, is_down, lets_go, lets_go + chance.randint(6, 12), depth)


def _volume(chance: Random, part: float, busyness: float, *, is_falling: bool) -> int:
    """Return the shares in a minute: most at the open and the close, more in a fall, in lots of a hundred."""
    smile = 0.5 + 2.0 * (2.0 * part - 1.0) ** 2
    lots = 900 * busyness * smile * chance.lognormvariate(0.0, 0.35) * (1.4 if is_falling else 1.0)
    return 100 * max(1, round(lots))


def _dollars(cents: int) -> Price:
    return Price(Decimal(cents).scaleb(-2))


SLICE = timedelta(seconds=10)
SLICES = ONE_MINUTE // SLICE
LEVELS = {
    "SPY": 500.0,
    "QQQ": 430.0,
    "IWM": 200.0,
    "AAPL": 190.0,
    "MSFT": 410.0,
    "IBM": 180.0,
    "XOM": 110.0,
    "BAC": 38.0,
}
"""USD, about their prices in 2024; any other share has a separate level."""
MOVE_MINUTES, PAUSE_MINUTES = (3, 8), (1, 3)
"""Shortest and longest duration of a move and of the pause after it."""
MOVE_SIZE = (0.003, 0.008)
"""Of the price."""
LIVELY_PULL = 60.0
"""Increase of the probability that a move leads back, for each hundredth that the price is away."""
NOISE = 0.00011
"""Standard deviation of a slice's close, as a part of the price; a minute's is about 0.03 %, as SPY's."""
LIVELY_WICK = 0.00006
LOTS = 60
"""Of a hundred shares, in a quiet slice."""
MOVE_VOLUME = 2.2
LIVELY_DAYS_KEPT = 16
"""The opening uses each more than once."""


@dataclass(frozen=True, slots=True)
class Move:
    """A price change of `size`, as a part of the price, over the day's slices from `begins` to before `ends`."""

    begins: int
    ends: int
    size: float


@lru_cache(maxsize=LIVELY_DAYS_KEPT)
def lively_day(seed: int, symbol: Symbol, session: Session) -> tuple[Bar, ...]:
    """Build the slices of a session."""
    return tuple(
        _bar_of(symbol, session.open + number * SLICE, cents, lots)
        for number, (cents, lots) in enumerate(_lively_slices(seed, symbol, session))
    )


def lively_whole_day(seed: int, symbol: Symbol, session: Session) -> Bar:
    """Return the session as one bar, of the same slices: a fifth of the work."""
    slices = [*_lively_slices(seed, symbol, session)]
    (opened, *_), _ = slices[0]
    (*_, close), _ = slices[-1]
    high, low = max(cents[1] for cents, _ in slices), min(cents[2] for cents, _ in slices)
    return _bar_of(symbol, session.open, (opened, high, low, close), sum(max(1, round(lots)) for _, lots in slices))


def _bar_of(symbol: Symbol, start: datetime, cents: Cents, lots: float) -> Bar:
    opened, high, low, close = map(_dollars, cents)
    return Bar(symbol, start, opened, high, low, close, _shares(lots))


Cents = tuple[int, int, int, int]
"""Open, high, low and close."""


def _lively_slices(seed: int, symbol: Symbol, session: Session) -> Iterator[tuple[Cents, float]]:
    """Yield the prices of each slice and its volume in lots."""
    chance = Random(f"{seed}:{symbol}:{session.day.isoformat()}:lively")
    count = (session.close - session.open) // SLICE
    level = level_of(seed, symbol, session.day, LEVELS.get(symbol)) * 100
    away, last = 0.0, round(level)
    move = _next_move(chance, 0, away)
    for number in range(count):
        if number >= move.ends:
            move = _next_move(chance, move.ends, away)
        moves_now = number >= move.begins
        away += chance.gauss(0.0, NOISE) + (move.size / (move.ends - move.begins) if moves_now else 0.0)
        close = max(1, round(level * exp(away)))
        high = max(last, close) + round(abs(chance.gauss(0.0, LIVELY_WICK)) * close)
        low = max(1, min(last, close) - round(abs(chance.gauss(0.0, LIVELY_WICK)) * close))
        lots = LOTS * chance.lognormvariate(0.0, 0.35) * (MOVE_VOLUME if moves_now else 1.0)
        yield (last, high, low, close), lots
        last = close


def whole_day(bars: Sequence[Bar]) -> Bar:
    """Return one bar of a session's bars."""
    return Bar(
        bars[0].symbol,
        bars[0].start,
        bars[0].open,
        max(bar.high for bar in bars),
        min(bar.low for bar in bars),
        bars[-1].close,
        Quantity(sum((bar.volume for bar in bars), Decimal(0))),
    )


def synthetic_whole_day(seed: int, symbol: Symbol, session: Session) -> Bar:
    return whole_day(synthetic_day(seed, symbol, session))


def minutes_of(slices: Sequence[Bar]) -> Iterator[Bar]:
    """Yield the minutes of the slices, in order."""
    for first in range(0, len(slices) - SLICES + 1, SLICES):
        part = slices[first : first + SLICES]
        yield whole_day(part)


def _next_move(chance: Random, after: int, away: float) -> Move:
    """Draw the next move after a pause; the further the price is from the day's start, the likelier it leads back."""
    begins = after + chance.randint(*PAUSE_MINUTES) * SLICES
    ends = begins + chance.randint(*MOVE_MINUTES) * SLICES
    leads_up = chance.random() < 0.5 - LIVELY_PULL * away
    size = chance.uniform(*MOVE_SIZE)
    return Move(begins, ends, size if leads_up else -size)


def _shares(lots: float) -> Quantity:
    return Quantity(Decimal(100 * max(1, round(lots))))


ARCA, NASDAQ, NYSE = "ARCA", "NASDAQ", "NYSE"
NAMES = {
    "SPY": ("SPDR S&P 500 ETF Trust", ARCA),
    "QQQ": ("Invesco QQQ Trust, Series 1", NASDAQ),
    "IWM": ("iShares Russell 2000 ETF", ARCA),
    "AAPL": ("Apple Inc. Common Stock", NASDAQ),
    "MSFT": ("Microsoft Corporation Common Stock", NASDAQ),
    "IBM": ("International Business Machines Corporation", NYSE),
    "XOM": ("Exxon Mobil Corporation", NYSE),
    "BAC": ("Bank of America Corporation", NYSE),
}


def listed_in_the_demo(symbols: Iterable[str]) -> AssetList:
    """Return the traded shares; one without a name here is listed by its symbol."""
    return AssetList(_listed(symbol) for symbol in symbols)


def _listed(symbol: str) -> ListedAsset:
    name, exchange = NAMES.get(symbol, (symbol, ""))
    return ListedAsset(Symbol(symbol), name, exchange, is_shortable=True, is_fractionable=True)
