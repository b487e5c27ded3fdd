"""The kernel's bars: recorded bars as arrays of integers, read from the feed that the engine would play (AN-08).

A bar that the engine would not show to a strategy is left out; one that the kernel cannot hold exactly is named.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import numpy as np

from core.market.normaliser import Complete, Normaliser, Outside
from core.messages.inputs import BarArrived
from core.model.bar import ONE_MINUTE, Bar
from core.model.lazy_dataclass import dataclass
from core.model.session import XNYS, Calendar, Session
from core.model.values import Symbol
from core.research.kernel.layout import BAR_SIZE, DAY, MINUTE, NOON, PRICE_UNITS, SESSION_SIZE, Integers

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
A_MICROSECOND = timedelta(microseconds=1)
MIDDAY = time(12)
HALF_DAY = 12 * 60 * MINUTE
LEAST_PRICE = 2 * PRICE_UNITS
"""Below a USD the tick is smaller; a price that could come there is not modelled."""
MOST_PRICE = 100_000 * PRICE_UNITS
MOST_VOLUME = 10**12
SETTLING = 6
"""Sessions after the last bar, for what settles later."""

Item = tuple[datetime, int, object]
"""As in a feed: the time at which the exchange receives something, its rank, and what it is."""


@dataclass(frozen=True, slots=True)
class KernelBars:
    """The bars of one symbol.

    Attributes
    ----------
    columns
        A row for each figure, in the order of `layout`: times in microseconds, prices and volumes in their units.
    clock
        A row for each figure of the sessions; those of settings are empty here.
    sessions
        Every session from the first one of the recording to the one of the last bar, then those that settle later.
    days
        How many of them have, or could have, a bar.
    begun_in
        The number of the session on whose day the recording begins; -1 if it begins on another day.
    faults
        What the kernel cannot hold, by name; empty if it can hold all of it.
    """

    symbol: Symbol
    columns: Integers
    clock: Integers
    sessions: tuple[Session, ...]
    days: int
    begun_in: int
    is_daily: bool
    faults: tuple[str, ...] = ()

    def __len__(self) -> int:
        return int(self.columns.shape[1])


def microseconds(at: datetime) -> int:
    """Return a time as the kernel counts it."""
    return (at - EPOCH) // A_MICROSECOND


def moment(at: int) -> datetime:
    """Return the time that the kernel counted."""
    return EPOCH + at * A_MICROSECOND


def days_of(bars: KernelBars, times: Integers) -> list[int]:
    """Return the number of the session on whose day each time is."""
    midnights = bars.clock[NOON] - HALF_DAY
    numbers: list[int] = (np.searchsorted(midnights, times, side="right") - 1).tolist()
    return numbers


def bars_of(feeds: Sequence[Iterable[Item]], calendar: Calendar, *, is_daily: bool) -> KernelBars:
    """Read the bars of a recording; what cannot be held is named in `faults`."""
    if len(feeds) != 1:
        return _nothing(is_daily, "feeds: more than one file of bars, quotes or daily figures")
    normaliser, faults, unheld = Normaliser(calendar), list[str](), ""
    figures, days = array("q"), array("i")
    begins: datetime | None = None
    last: Bar | None = None
    for at, _, item in feeds[0]:
        if not isinstance(item, BarArrived):
            faults.append(f"feeds: a {type(item).__name__}")
            break
        begins, bar = begins or at, item.bar
        judgement = normaliser.judge(bar, item.heard_at)
        if isinstance(judgement, Complete):
            normaliser.fold(bar)
            last = bar
            row, fault = _row(item)
            unheld = unheld or fault
            figures.extend(row)
            days.append(calendar.trading_day(bar.start).toordinal())
        elif not isinstance(judgement, Outside) or is_daily:
            faults.append(f"bars: {item.place}: {judgement.reason}")
            break
    if last is None or begins is None:
        return _nothing(is_daily, *faults, "bars: none is of a session")
    sessions = _sessions(calendar, begins, last.start)
    clock = clock_of(sessions)
    numbers = np.searchsorted(clock[DAY], days)
    faults += [unheld] if unheld else []
    if is_daily and numbers[-1] + 1 != len(days):
        faults.append("bars: a session without its daily bar")
    table = np.array(figures, dtype=np.int64).reshape(len(days), -1)
    columns = np.ascontiguousarray(np.column_stack((table, numbers)).T)
    first = calendar.trading_day(begins)
    begun_in = next((number for number, session in enumerate(sessions) if session.day == first), -1)
    return KernelBars(last.symbol, columns, clock, sessions, int(numbers[-1]) + 1, begun_in, is_daily, tuple(faults))


def _nothing(is_daily: bool, *faults: str) -> KernelBars:
    return KernelBars(Symbol(""), np.zeros((BAR_SIZE, 0), np.int64), clock_of(()), (), 0, -1, is_daily, faults)


def clock_of(sessions: Sequence[Session]) -> Integers:
    """Return the rows of sessions that depend on no setting."""
    clock = np.zeros((SESSION_SIZE, len(sessions)), np.int64)
    for number, session in enumerate(sessions):
        monday = session.day - timedelta(days=session.day.weekday())
        noon = XNYS.at(session.day, MIDDAY)
        times = microseconds(session.close), session.day.toordinal(), monday.toordinal(), microseconds(noon)
        clock[: NOON + 1, number] = times
    return clock


def _sessions(calendar: Calendar, first: datetime, last: datetime) -> tuple[Session, ...]:
    found = calendar.session_at(first)
    sessions = [found if isinstance(found, Session) else calendar.next_session(first)]
    while sessions[-1].open <= last:
        sessions.append(calendar.next_session(sessions[-1].open))
    for _ in range(SETTLING):
        sessions.append(calendar.next_session(sessions[-1].open))
    return tuple(sessions)


def _row(item: BarArrived) -> tuple[Iterable[int], str]:
    """Return the figures of a bar in their units, and why they cannot be held exactly, empty if they can."""
    bar, lasts = item.bar, item.lasts or ONE_MINUTE
    prices = (bar.open, bar.high, bar.low, bar.close)
    opened, high, low, close = units = tuple(int(price * PRICE_UNITS) for price in prices)
    volume, fault = int(bar.volume), ""
    held = (Decimal(unit) / PRICE_UNITS for unit in units)
    if volume != bar.volume or any(unit != price for unit, price in zip(held, prices, strict=True)):
        fault = "more than four decimals in a price, or a part of a share in a volume"
    elif not low >= LEAST_PRICE or high > MOST_PRICE or volume > MOST_VOLUME:
        fault = f"a price under 2 or over 100000 USD, or a volume over {MOST_VOLUME}"
    times = microseconds(bar.start), microseconds(bar.start + lasts)
    row = (*times, opened, high, low, close, volume, microseconds(item.heard_at))
    return row, f"bars: {bar.start:%Y-%m-%d %H:%M}: {fault}" if fault else ""
