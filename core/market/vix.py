"""The VIX with a shared cache: a close younger than an hour is not fetched again by any process (RK-19).

A value in the day lasts two minutes. A failure keeps the last known value, with the time of its measurement. The next
attempt follows after a while.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Protocol

from core.model.lazy_dataclass import dataclass
from core.model.session import XNYS
from core.model.sizing import NoVix, VixReading
from core.risk.regime import is_of_regular_hours


class VixError(Exception):
    """The source gave no credible answer; the message has the reason."""


class VixSource(Protocol):
    def newest(self) -> VixReading | None:
        """Return the newest reading; None if it has none. Blocks for at most its time-outs. Raises `VixError`."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """The shared cache of a home's processes.

    Attributes
    ----------
    reading
        The last reading.
    fetched_at
        When it was fetched from the source, UTC.
    failed_at, failure
        Time and reason of the last failed request since then.
    """

    reading: VixReading | NoVix
    fetched_at: datetime | None = None
    failed_at: datetime | None = None
    failure: str = ""


class NewestVix(Protocol):
    def last(self) -> Kept:
        """Return the last VIX, and why there is no newer one. Never raises; may block."""
        ...


class VixMemory(Protocol):
    """One file for all processes."""

    def load(self) -> Kept:
        """Return the last saved state; `NoVix` if there is no credible one."""
        ...

    def save(self, kept: Kept) -> None:
        """Replace it, whole. Only while holding the turn. Raises OSError."""
        ...

    def turn(self) -> AbstractContextManager[bool]:
        """Yield whether this process may fetch; at most one has the turn, until it is done or dead. Raises OSError."""
        ...


FRESH_FOR = timedelta(hours=1)
QUOTE_FRESH_FOR = timedelta(minutes=2)
"""Our choice: a delayed value is 15 minutes old already, and 200 requests a session do not burden its server."""
QUOTED_FROM, QUOTED_UNTIL = time(3), time(17)
"""On weekdays, when the VIX is calculated and for as long as it comes late; at other times it is asked for hourly."""
LEAST_OF_A_CLOSE = Decimal("0.5")
"""A value under half of the last close is not believed, one under half of the value before once the next confirms it.

From 2008 to 2026 the lowest of a day was 0.59 of the close before, on 2020-03-24, but for one wrong figure of the
source's own (0.44 on 2008-10-10). A high value is believed up to the largest possible one: it only lowers sizes.
"""
CLOSE_COUNTS_FOR = timedelta(days=7)
"""An older close refuses no value. Our choice, as for the market's daily bars."""
TIMEOUT = timedelta(minutes=5)
"""Pause after a failure. Our choice: a public server is not hammered."""
SATURDAY = 5
NEVER = datetime.min.replace(tzinfo=UTC)


class VixService:
    """Blocks; called in threads.

    Parameters
    ----------
    now
        This machine's clock, UTC.
    lasts
        How long an answer is not asked for again, by that clock.
    """

    def __init__(
        self,
        source: VixSource,
        memory: VixMemory,
        now: Callable[[], datetime],
        lasts: Callable[[datetime], timedelta] = lambda _now: FRESH_FOR,
    ) -> None:
        self._source = source
        self._memory = memory
        self._now = now
        self._lasts = lasts
        self._kept = Kept(NoVix("the VIX was not measured yet"))
        self._doubted: VixReading | None = None
        """A value in the day that a later one must confirm."""

    def last(self) -> Kept:
        """Return the last VIX, and why there is no newer one. Never raises."""
        self._remember()
        if self._is_settled():
            return self._kept
        try:
            with self._memory.turn() as is_ours:
                if not is_ours:
                    return replace(self._kept, failure="another process asks for it now")
                self._remember()
                self._ask_unless_settled()
                self._memory.save(self._kept)
        except OSError as error:  # only this process remembers it
            self._ask_unless_settled()
            return replace(self._kept, failure=f"the VIX cannot be kept: {error.strerror or error}")
        return self._kept

    def _remember(self) -> None:
        """Load the newer state of another process; keep the own one if the file is missing."""
        found = self._memory.load()
        if _last_asked(found) > _last_asked(self._kept) or _last_asked(self._kept) == NEVER:
            self._kept = found

    def _is_settled(self) -> bool:
        """Return whether no request is due.

        A time in the future, after the clock was set back, does not count as fresh.
        """
        now, kept = self._now(), self._kept
        if kept.fetched_at is not None and timedelta(0) <= now - kept.fetched_at < self._lasts(now):
            return True
        return kept.failed_at is not None and timedelta(0) <= now - kept.failed_at < TIMEOUT

    def _ask_unless_settled(self) -> None:
        if self._is_settled():
            return
        now = self._now()
        try:
            found = self._newest()
        except VixError as error:
            known = self._kept.reading
            last = known if isinstance(known, VixReading) else NoVix(str(error))
            self._kept = Kept(last, self._kept.fetched_at, failed_at=now, failure=str(error))
            return
        self._kept = Kept(found, fetched_at=now)

    def _newest(self) -> VixReading:
        """Fetch the newest reading. Raises `VixError` if it is of the future, or of a time before the known one."""
        found = self._source.newest()
        if found is None:
            raise VixError("the source of the VIX has no day")
        now = self._now()
        today = XNYS.day_of(now)
        if found.measured_on > today:
            raise VixError(f"the source of the VIX ends {found.when}, and today is {today}")
        if found.measured_at is not None and found.measured_at > now:
            raise VixError(f"the source of the VIX ends {found.when}, and it is {XNYS.told(now)}; check the clock")
        known = self._kept.reading
        if isinstance(known, VixReading) and found.place < known.place:
            raise VixError(f"the source of the VIX ends {found.when}, before what is known")
        if isinstance(known, VixReading) and not self._is_credible(found, known):
            raise VixError(
                f"{found.value} of {found.when} is under half of {known.value} before; a later value must confirm it"
            )
        return found

    def _is_credible(self, found: VixReading, known: VixReading) -> bool:
        """Return whether a value in the day is no fall to under half of the one before, or a later one confirms it."""
        is_fall = found.measured_at is not None and found.value < LEAST_OF_A_CLOSE * known.value
        doubted, self._doubted = self._doubted, found if is_fall else None
        return not is_fall or (doubted is not None and doubted.place < found.place)


class VixInTheDay:
    """The value in the day where it is newer than the last close and credible, else the last close."""

    def __init__(self, closes: NewestVix, quotes: NewestVix) -> None:
        self._closes = closes
        self._quotes = quotes

    def last(self) -> Kept:
        closes, quotes = self._closes.last(), self._quotes.last()
        reading, why_not = in_the_day(closes.reading, quotes.reading)
        told = ("", reading.reason if isinstance(reading, NoVix) else "")
        failures = [each for each in (closes.failure, quotes.failure, why_not) if each not in told]
        return replace(closes, reading=reading, failure="; ".join(failures))


def in_the_day(close: VixReading | NoVix, quote: VixReading | NoVix) -> tuple[VixReading | NoVix, str]:
    """Return the reading that counts, and why a newer value in the day does not.

    What is thin or odd never raises a size: outside regular hours a value counts only over the last close, and one
    under half of that close never does.
    """
    if isinstance(quote, NoVix):
        return close, ""
    if isinstance(close, NoVix):
        return quote, ""
    if quote.measured_on <= close.measured_on:
        return close, ""
    is_recent = quote.measured_on - close.measured_on <= CLOSE_COUNTS_FOR
    if is_recent and quote.value < LEAST_OF_A_CLOSE * close.value:
        return close, f"{quote.value} of {quote.when} is under half of the close {close.value} and is not believed"
    if quote.value <= close.value and not is_of_regular_hours(quote):
        return close, ""
    return replace(quote, closes=close.closes), ""


def quote_lasts(now: datetime) -> timedelta:
    """Return how long a value in the day is not asked for again."""
    local = XNYS.local(now)
    is_quoted = local.weekday() < SATURDAY and QUOTED_FROM <= local.time() < QUOTED_UNTIL
    return QUOTE_FRESH_FOR if is_quoted else FRESH_FOR


def _last_asked(kept: Kept) -> datetime:
    return max((at for at in (kept.fetched_at, kept.failed_at) if at is not None), default=NEVER)
