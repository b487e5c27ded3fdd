"""The desk's time: this machine's clock while it agrees with the broker's, and never ahead of it for long (EX-23).

A jump of the machine's clock is not followed. The desk's time then runs on a monotonic clock until the broker reports
its time. A machine that slept is one that jumped; its time is right where elapsed time counts sleep. If this machine's
clock agrees with the broker's, it is followed again, and the desk's time catches up in one step; otherwise the desk
follows the broker's clock. Time that ran ahead stands still until it is right.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from core.messages.inputs import ClockRead
from core.model.lazy_dataclass import dataclass

AGAIN = 10.0
"""Seconds between two reports that the desk's time still runs ahead."""
NEAR = 2.0
"""Seconds by which two clocks may differ (EX-23)."""
FAR = 3600.0
"""Seconds by which the broker's clock may be ahead of the desk's time and be followed at once.

A larger lead needs a second reading that agrees: the desk's time never goes back.
"""
FURTHEST = 31 * 86_400.0
"""Seconds; a larger lead is never accepted as a clock reading."""
TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison with the broker's clock, in seconds.

    Attributes
    ----------
    ahead
        The lead of this machine's clock over the broker's; negative if it is behind.
    is_near
        Whether both clocks and the desk's time agree, within the uncertainty of the request's duration.
    step
        How far the desk's time moved forward.
    """

    ahead: Decimal
    is_near: bool
    step: Decimal


class ClockGuard:
    """Guard the desk's time. Any thread may read it.

    Parameters
    ----------
    now
        The machine's clock, UTC.
    steady
        A monotonic clock, in seconds, that goes on while the machine sleeps.
    awake
        One that stands still while it sleeps: the difference tells of a sleep. None tells of none.
    start
        The lower bound of the desk's time: the time of its last record.
    limit
        A deviation of the machine's clock from the monotonic clock counts as a jump from this many seconds on.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        steady: Callable[[], float],
        start: datetime,
        limit: float = NEAR,
        awake: Callable[[], float] | None = None,
    ) -> None:
        self.now, self.steady, self.awake = now, steady, awake or steady
        self.limit = limit
        self._lock = threading.Lock()
        self._wall, self._at, self._awake = now(), steady(), self.awake()
        self._start = start
        self._time = max(self._wall, start)
        self._anchor: tuple[datetime, float] | None = None
        self._far: tuple[datetime, float] | None = None
        self._jumped = 0.0
        self._is_news = False
        self._told_at = self._at - AGAIN

    def read(self) -> datetime:
        """Return the desk's time."""
        with self._lock:
            return self._read()

    def doubt(self) -> None:
        """Continue from the last record's time: the broker's clock could not be asked at the start."""
        with self._lock:
            self._time, self._anchor, self._is_news = self._start, (self._start, self.steady()), True

    def hear(self, broker_time: datetime, asked: float, answered: float) -> Comparison:
        """Compare with the broker's clock, read between two readings of the monotonic clock."""
        with self._lock:
            before = self._read()
            uncertain = max(answered - asked, 0.0) / 2
            true = broker_time + timedelta(seconds=self._at - asked - uncertain)
            ahead = (self._wall - true).total_seconds()
            is_near = abs(ahead) <= NEAR + uncertain
            if is_near:
                self._anchor = self._far = None
            elif self._may_be_followed(true, before):
                self._anchor = (true, self._at)
            step = (self._read() - before).total_seconds()
            is_near &= self._time - self._right() < timedelta(seconds=NEAR)
            return Comparison(_seconds(ahead), is_near, _seconds(step))

    def _may_be_followed(self, true: datetime, desk_time: datetime) -> bool:
        """Whether to follow the broker's clock.

        A large lead may be a wrong answer, so a second reading must agree with it.
        """
        ahead = (true - desk_time).total_seconds()
        if ahead <= FAR:
            self._far = None
            return True
        before, self._far = self._far, (true, self._at)
        if before is None or ahead > FURTHEST:
            return False
        return abs((true - before[0]).total_seconds() - (self._at - before[1])) <= NEAR

    def news(self) -> ClockRead | None:
        """Return a jump since the last call, or that the desk's time still runs ahead; None if neither."""
        with self._lock:
            jumped, self._jumped = self._jumped, 0.0
            ahead = (self._time - self._right()).total_seconds()
            is_due = ahead >= self.limit and self._at - self._told_at >= AGAIN
            if not jumped and not is_due and not self._is_news:
                return None
            self._told_at, self._is_news = self._at, False
            return ClockRead(_seconds(jumped), _seconds(max(ahead, 0.0)))

    def _read(self) -> datetime:
        wall, at, awake = self.now(), self.steady(), self.awake()
        passed = max(at - self._at, 0.0)
        step, slept = (wall - self._wall).total_seconds() - passed, passed - max(awake - self._awake, 0.0)
        if abs(step) >= self.limit:
            self._anchor = self._anchor or (self._time, self._at)
        furthest = max(step, slept, self._jumped, key=abs)
        self._jumped = furthest if abs(furthest) >= self.limit else self._jumped
        self._wall, self._at, self._awake = wall, max(at, self._at), awake
        self._time = max(self._time, self._right())
        return self._time

    def _right(self) -> datetime:
        if self._anchor is None:
            return self._wall
        time, at = self._anchor
        return time + timedelta(seconds=self._at - at)


def _seconds(seconds: float) -> Decimal:
    return Decimal(str(seconds)).quantize(TENTH)
