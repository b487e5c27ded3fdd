"""Decide which minutes to request, and when: at the start, after a gap, and while polling.

All minutes that ended by `sure_until` were handed on or did not trade. While the stream is up only minutes up to its
reconnection are requested; while it is down, one request for all symbols follows each minute.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.market.alpaca.backoff import pause
from core.market.alpaca.timetable import SETTLE, Timetable, minute_of, settled
from core.model.bar import ONE_MINUTE
from core.model.session import XNYS

LOOK_BACK = 2 * ONE_MINUTE
"""Requested again each time: a thin symbol's bar may appear in history later than others."""
HELD_AT_MOST = timedelta(seconds=30)
"""Bars of the stream wait this long for earlier minutes; then they are handed on, and the gap is reported."""
HELD_IN_DOUBT = timedelta(seconds=5)
"""Shorter, if the stream skipped a minute: there may have been no trade in it."""
HELD_AT_THE_START = timedelta(seconds=120)
"""Without its first minutes a day's VWAP is wrong until the close, so the start waits longer."""


@dataclass(frozen=True, slots=True)
class MinuteSpan:
    """Minutes from `start` to before `end`, both on the minute."""

    start: datetime
    end: datetime

    def __str__(self) -> str:
        return f"{XNYS.local(self.start):%H:%M} to {XNYS.told(self.end)}"


class Backfill:
    """Known and missing minutes.

    Attributes
    ----------
    needed_until
        Start of the minute since which the stream is up; it delivers minutes that end later. None while it is down.
    """

    def __init__(self, timetable: Timetable, now: datetime) -> None:
        self._timetable = timetable
        self.sure_until = timetable.first_minute(now)
        self._covered_until = self.sure_until
        self.needed_until: datetime | None = None
        self._fails = 0
        self._not_before = now
        self._is_first, self._is_doubt = True, False

    # ── the stream ───────────────────────────────────────────────────────────────────────────────────────────────

    def stream_is_back(self, now: datetime) -> bool:
        """Note that the stream is up from `now` on. Return whether earlier minutes are missing."""
        self.needed_until, self._is_doubt = minute_of(now), False
        self._not_before = min(self._not_before, now)
        return self.is_behind(now)

    def stream_is_gone(self, sound_until: datetime) -> None:
        """Note that the stream is down, and delivered everything until then."""
        if self.needed_until is not None and self.sure_until >= self.needed_until:
            self.sure_until = max(self.sure_until, settled(sound_until))
        self.needed_until = None

    def stream_left_out(self, first: datetime, end: datetime) -> bool:
        """Note that the stream delivered a symbol's minute `end` without those from `first` on.

        Return whether to request them.

        Answered spans are known: a symbol that did not trade is not requested twice.
        """
        first = max(first, self._covered_until)
        if self.needed_until is None or self._missing_between(first, end) is None:
            return False
        if self.sure_until >= self.needed_until:
            self.sure_until, self._is_doubt = first, True
        self.sure_until = min(self.sure_until, first)
        self.needed_until = max(self.needed_until, end)
        return True

    # ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────

    def is_behind(self, now: datetime) -> bool:
        """Return whether a session minute is missing that the stream will not deliver."""
        return self._missing(self._target(now)) is not None

    def ask_at(self, now: datetime) -> datetime | None:
        """Return when to request next; None while the stream delivers everything."""
        target = self.needed_until
        if target is not None:
            return max(self._not_before, target + SETTLE) if self._missing(target) else None
        if self._missing(settled(now)):
            return max(self._not_before, now)
        return max(self._not_before, self._timetable.next_minute(max(self.sure_until, settled(now))) + SETTLE)

    def question(self, now: datetime) -> MinuteSpan | None:
        """Return the minutes to request now, with a short look-back; None if nothing is missing."""
        target = self._target(now)
        missing = self._missing(target)
        if missing is None:
            return None
        wanted = self._timetable.wanted(missing.start - LOOK_BACK, missing.end)
        return MinuteSpan(*wanted) if wanted else None

    def patience(self) -> timedelta:
        """Return how long the stream's bars wait for earlier ones."""
        if self._is_doubt:
            return HELD_IN_DOUBT
        return HELD_AT_THE_START if self._is_first else HELD_AT_MOST

    # ── the answer ───────────────────────────────────────────────────────────────────────────────────────────────

    def answered(self, span: MinuteSpan) -> None:
        """Everything in the span is known."""
        self.sure_until = self._covered_until = max(self.sure_until, span.end)
        self._fails, self._is_first, self._is_doubt = 0, False, False

    def failed(self, now: datetime, chance: float, at_least: timedelta = timedelta(0)) -> None:
        """Schedule another request after a failure."""
        self._fails += 1
        self._not_before = now + max(pause(self._fails, chance), at_least)

    def gave_up(self) -> MinuteSpan | None:
        """Skip the missing minutes, so that the stream can continue, and return the gap."""
        hole = self._missing(self.needed_until) if self.needed_until is not None else None
        if self.needed_until is not None:
            self.sure_until = self._covered_until = max(self.sure_until, self.needed_until)
        self._is_first = self._is_doubt = False
        return hole

    def _target(self, now: datetime) -> datetime:
        return settled(now) if self.needed_until is None else self.needed_until

    def _missing(self, until: datetime) -> MinuteSpan | None:
        return self._missing_between(self.sure_until, until)

    def _missing_between(self, start: datetime, until: datetime) -> MinuteSpan | None:
        wanted = self._timetable.wanted(start, until) if start < until else None
        return MinuteSpan(*wanted) if wanted else None
