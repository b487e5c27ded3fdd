"""A seeded market that never rests, for the demo: every share rises and falls all day, a few minutes at a time.

It is made in slices of ten seconds, by which the simulated exchange trades; the engine receives their minutes. As in
`synthetic.py` a day depends on seed, symbol and day alone. Moves follow each other, up or down by half a percent or so,
on more volume than the pauses between them, and the price is drawn back to the day's start. So something always dips,
breaks out or runs, without any meaning.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from math import exp
from random import Random

from core.market.synthetic import level_of
from core.model.bar import ONE_MINUTE, Bar
from core.model.session import Session
from core.model.values import Price, Quantity, Symbol

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
PULL = 60.0
"""Increase of the probability that a move leads back, for each hundredth that the price is away."""
NOISE = 0.00011
"""Standard deviation of a slice's close, as a part of the price; a minute's is about 0.03 %, as SPY's."""
WICK = 0.00006
LOTS = 60
"""Of a hundred shares, in a quiet slice."""
MOVE_VOLUME = 2.2
DAYS_KEPT = 16
"""The opening uses each more than once."""


@dataclass(frozen=True, slots=True)
class Move:
    """A price change of `size`, as a part of the price, over the day's slices from `begins` to before `ends`."""

    begins: int
    ends: int
    size: float


@lru_cache(maxsize=DAYS_KEPT)
def lively_day(seed: int, symbol: Symbol, session: Session) -> tuple[Bar, ...]:
    """Build the slices of a session."""
    chance = Random(f"{seed}:{symbol}:{session.day.isoformat()}:lively")
    count = (session.close - session.open) // SLICE
    level = level_of(seed, symbol, session.day, LEVELS.get(symbol)) * 100
    away, last, slices = 0.0, round(level), list[Bar]()
    move = _next_move(chance, 0, away)
    for number in range(count):
        if number >= move.ends:
            move = _next_move(chance, move.ends, away)
        moves_now = number >= move.begins
        away += chance.gauss(0.0, NOISE) + (move.size / (move.ends - move.begins) if moves_now else 0.0)
        close = max(1, round(level * exp(away)))
        high = max(last, close) + round(abs(chance.gauss(0.0, WICK)) * close)
        low = max(1, min(last, close) - round(abs(chance.gauss(0.0, WICK)) * close))
        lots = LOTS * chance.lognormvariate(0.0, 0.35) * (MOVE_VOLUME if moves_now else 1.0)
        at = session.open + number * SLICE
        opened, highest, lowest, closed = (_dollars(cents) for cents in (last, high, low, close))
        slices.append(Bar(symbol, at, opened, highest, lowest, closed, _shares(lots)))
        last = close
    return tuple(slices)


def minutes_of(slices: Sequence[Bar]) -> Iterator[Bar]:
    """Yield the minutes of the slices, in order."""
    for first in range(0, len(slices) - SLICES + 1, SLICES):
        part = slices[first : first + SLICES]
        high, low = max(bar.high for bar in part), min(bar.low for bar in part)
        volume = Quantity(sum((bar.volume for bar in part), Decimal(0)))
        yield Bar(part[0].symbol, part[0].start, part[0].open, high, low, part[-1].close, volume)


def _next_move(chance: Random, after: int, away: float) -> Move:
    """Draw the next move after a pause; the further the price is from the day's start, the likelier it leads back."""
    begins = after + chance.randint(*PAUSE_MINUTES) * SLICES
    ends = begins + chance.randint(*MOVE_MINUTES) * SLICES
    leads_up = chance.random() < 0.5 - PULL * away
    size = chance.uniform(*MOVE_SIZE)
    return Move(begins, ends, size if leads_up else -size)


def _shares(lots: float) -> Quantity:
    return Quantity(Decimal(100 * max(1, round(lots))))


def _dollars(cents: int) -> Price:
    return Price(Decimal(cents).scaleb(-2))
