"""Which minutes are still to be asked for, and when: the same question at the start, after a gap, and while polling.

All minutes that ended by `sure_until` were handed on or did not trade. While the stream is up nothing has to be asked
for beyond the minute in which it came back; while it is not, one request for all symbols follows each minute.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.market.alpaca.backoff import pause
from core.market.alpaca.timetable import SETTLE, Timetable, minute_of, settled
from core.model.bar import ONE_MINUTE
from core.model.venues import XNYS

LOOK_BACK = 2 * ONE_MINUTE
"""Asked for again each time: a thin symbol's bar may come to history after the others'."""
HELD_AT_MOST = timedelta(seconds=30)
"""Bars of the stream wait that long for the minutes before them; then they go on, and the hole is named."""
HELD_IN_DOUBT = timedelta(seconds=5)
"""Where the stream left a minute out, it may only be that nobody traded in it."""
HELD_AT_THE_START = timedelta(seconds=120)
"""Without its first minutes a day's VWAP is wrong until the close: the start waits longer."""


@dataclass(frozen=True, slots=True)
class MinuteSpan:
    """Minutes from `start` to before `end`, both on the minute."""

    start: datetime
    end: datetime

    def __str__(self) -> str:
        return f"{XNYS.local(self.start):%H:%M} to {XNYS.told(self.end)}"


class Backfill:
    """What is known, and what is missing.

    Attributes
    ----------
    needed_until
        The stream stands since the minute that begins here; it brings what ended later. None while it does not stand.
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
        """It stands from `now` on. Whether minutes before it are missing."""
        self.needed_until, self._is_doubt = minute_of(now), False
        self._not_before = min(self._not_before, now)
        return self.is_behind(now)

    def stream_is_gone(self, sound_until: datetime) -> None:
        """It stood, and brought everything until then."""
        if self.needed_until is not None and self.sure_until >= self.needed_until:
            self.sure_until = max(self.sure_until, settled(sound_until))
        self.needed_until = None

    def stream_left_out(self, first: datetime, end: datetime) -> bool:
        """It stands, and brought a symbol's minute `end` without those from `first` on. Whether to ask for them.

        What an answer covered is known: a symbol that did not trade is not asked for twice.
        """
        first = max(first, self._covered_until)
        if self.needed_until is None or self._missing_between(first, end) is None:
            return False
        if self.sure_until >= self.needed_until:
            self.sure_until, self._is_doubt = first, True
        self.sure_until = min(self.sure_until, first)
        self.needed_until = max(self.needed_until, end)
        return True

    # ── the question ─────────────────────────────────────────────────────────────────────────────────────────────

    def is_behind(self, now: datetime) -> bool:
        """Whether a session minute is missing that the stream will not bring."""
        return self._missing(self._target(now)) is not None

    def ask_at(self, now: datetime) -> datetime | None:
        """When to ask next; None while the stream brings everything."""
        target = self.needed_until
        if target is not None:
            return max(self._not_before, target + SETTLE) if self._missing(target) else None
        if self._missing(settled(now)):
            return max(self._not_before, now)
        return max(self._not_before, self._timetable.next_minute(max(self.sure_until, settled(now))) + SETTLE)

    def question(self, now: datetime) -> MinuteSpan | None:
        """What to ask for now, looking back a little; None where nothing is missing."""
        target = self._target(now)
        missing = self._missing(target)
        if missing is None:
            return None
        wanted = self._timetable.wanted(missing.start - LOOK_BACK, missing.end)
        return MinuteSpan(*wanted) if wanted else None

    def patience(self) -> timedelta:
        """How long the stream's bars wait for those before them."""
        if self._is_doubt:
            return HELD_IN_DOUBT
        return HELD_AT_THE_START if self._is_first else HELD_AT_MOST

    # ── the answer ───────────────────────────────────────────────────────────────────────────────────────────────

    def answered(self, span: MinuteSpan) -> None:
        """Everything in the span is known."""
        self.sure_until = self._covered_until = max(self.sure_until, span.end)
        self._fails, self._is_first, self._is_doubt = 0, False, False

    def failed(self, now: datetime, chance: float, at_least: timedelta = timedelta(0)) -> None:
        """No answer: asked again later."""
        self._fails += 1
        self._not_before = now + max(pause(self._fails, chance), at_least)

    def gave_up(self) -> MinuteSpan | None:
        """What is missing is left out, so that the stream can go on; the hole."""
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
