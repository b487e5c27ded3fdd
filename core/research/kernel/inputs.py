"""The kernel's bars: recorded bars as arrays of integers, read from the feed that the engine would play (AN-08).

A bar that the engine would not show to a strategy is left out; one that the kernel cannot hold exactly is named.
"""

from __future__ import annotations

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
from core.research.kernel.layout import BAR_SIZE, MINUTE, NOON, PRICE_UNITS, SESSION_SIZE, Integers

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
    normaliser, kept, faults = Normaliser(calendar), list[BarArrived](), list[str]()
    for _, _, item in feeds[0]:
        if not isinstance(item, BarArrived):
            faults.append(f"feeds: a {type(item).__name__}")
            break
        judgement = normaliser.judge(item.bar, item.heard_at)
        if isinstance(judgement, Complete):
            normaliser.fold(item.bar)
            kept.append(item)
        elif not isinstance(judgement, Outside) or is_daily:
            faults.append(f"bars: {item.place}: {judgement.reason}")
            break
    if not kept:
        return _nothing(is_daily, *faults, "bars: none is of a session")
    begins = next(at for at, _, item in feeds[0] if isinstance(item, BarArrived))
    sessions = _sessions(calendar, begins, kept[-1].bar.start)
    numbers = {session.day: number for number, session in enumerate(sessions)}
    rows = [_row(item, numbers[calendar.trading_day(item.bar.start)]) for item in kept]
    for item, row in zip(kept, rows, strict=True):
        if fault := _fault(item.bar, row):
            faults.append(fault)
            break
    days = rows[-1][8] + 1
    if is_daily and days != len(rows):
        faults.append("bars: a session without its daily bar")
    columns = np.ascontiguousarray(np.array(rows, dtype=np.int64).T)
    begun_in = numbers.get(calendar.trading_day(begins), -1)
    return KernelBars(
        kept[0].bar.symbol, columns, clock_of(sessions), sessions, days, begun_in, is_daily, tuple(faults)
    )


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


def _row(item: BarArrived, session: int) -> tuple[int, ...]:
    bar, lasts = item.bar, item.lasts or ONE_MINUTE
    prices = (bar.open, bar.high, bar.low, bar.close)
    return (
        microseconds(bar.start),
        microseconds(bar.start + lasts),
        *(int(price * PRICE_UNITS) for price in prices),
        int(bar.volume),
        microseconds(item.heard_at),
        session,
    )


def _fault(bar: Bar, row: tuple[int, ...]) -> str | None:
    """Return why a bar cannot be held exactly; None if it can."""
    exact = (*(Decimal(price) / PRICE_UNITS for price in row[2:6]), Decimal(row[6]))
    if exact != (bar.open, bar.high, bar.low, bar.close, bar.volume):
        return f"bars: {bar.start:%Y-%m-%d %H:%M}: more than four decimals in a price, or a part of a share in a volume"
    if not row[4] >= LEAST_PRICE or row[3] > MOST_PRICE or row[6] > MOST_VOLUME:
        return f"bars: {bar.start:%Y-%m-%d %H:%M}: a price under 2 or over 100000 USD, or a volume over {MOST_VOLUME}"
    return None
