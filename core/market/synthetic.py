"""A seeded market for the demo: minutes similar to SPY's, with dips for the desk to trade.

No state is kept from day to day. A day's bars depend on seed, symbol and day alone, so a restart can begin at any day
and sees the same market, and the stream may continue for ever. Prices walk around the day's own VWAP, dip below it once
or twice in the morning, and come back; some dips go through a stop 0.3 % below the entry first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from random import Random

from core.model.bar import ONE_MINUTE, Bar
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
DAYS_KEPT = 32
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
    dips = _dips(chance)
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


def _dips(chance: Random) -> tuple[Dip, ...]:
    count = 2 if chance.random() < TWO_DIPS_SHARE else 1
    return tuple(_dip(chance, window) for window in MORNING_DIPS[:count])


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
