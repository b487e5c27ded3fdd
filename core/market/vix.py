"""The VIX with a shared cache: a value younger than an hour is not fetched again by any process (RK-19).

A failure keeps the last known value, with the day it was measured on; the next attempt follows after a while.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from core.model.lazy_dataclass import dataclass
from core.model.session import XNYS
from core.model.sizing import DailyValue, NoVix, VixReading
from core.risk.regime import last_reading


class VixError(Exception):
    """The source gave no credible answer; the message has the reason."""


class VixSource(Protocol):
    def history(self) -> Sequence[DailyValue]:
        """Return every close, in order of time; blocks for at most its time-outs. Raises `VixError`."""
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
TIMEOUT = timedelta(minutes=5)
"""Pause after a failure. Our choice: a public server is not hammered."""
NEVER = datetime.min.replace(tzinfo=UTC)


class VixService:
    """Blocks; called in threads.

    Parameters
    ----------
    now
        This machine's clock, UTC.
    """

    def __init__(self, source: VixSource, memory: VixMemory, now: Callable[[], datetime]) -> None:
        self._source = source
        self._memory = memory
        self._now = now
        self._kept = Kept(NoVix("the VIX was not measured yet"))

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
        if kept.fetched_at is not None and timedelta(0) <= now - kept.fetched_at < FRESH_FOR:
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
        """Fetch the newest reading. Raises `VixError` if the history is in the future, or ends before the known one."""
        found = last_reading(self._source.history())
        if found is None:
            raise VixError("the source of the VIX has no day")
        today = XNYS.day_of(self._now())
        if found.measured_on > today:
            raise VixError(f"the source of the VIX ends {found.measured_on}, and today is {today}")
        known = self._kept.reading
        if isinstance(known, VixReading) and found.measured_on < known.measured_on:
            raise VixError(f"the source of the VIX ends {found.measured_on}, before what is known")
        return found


def _last_asked(kept: Kept) -> datetime:
    return max((at for at in (kept.fetched_at, kept.failed_at) if at is not None), default=NEVER)
