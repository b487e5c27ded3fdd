"""What the watchdog makes of what it sees: nothing, a word, or the reason for a restart. Times come in with a look.

A beat is a change of the heartbeat's time, whatever that time is: a clock that jumps makes no engine older or younger.
What cannot be judged is said once and restarts nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from state.heartbeat import Status
from state.watchdog.growth import Growth
from state.watchdog.limits import MEGABYTE, Limits


class Trouble(Enum):
    """Why an engine is restarted."""

    ENDED = "ended"
    """It died by itself."""
    NEVER_BEAT = "never_beat"
    SILENT = "silent"
    MEMORY = "memory"
    GROWTH = "growth"
    DATA = "data"
    ASKED = "asked"
    """Somebody wants another one: `keyturn engine restart`."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, and in words for people."""

    trouble: Trouble
    words: str


class RemarkCode(Enum):
    """What is said of a look that restarts nothing."""

    STOOD_STILL = "stood_still"
    ODD_FILE = "odd_file"
    MISSING = "missing"
    GARBAGE = "garbage"
    DISK = "disk"
    GROWTH = "growth"
    DATA = "data"


@dataclass(frozen=True, slots=True)
class Remark:
    code: RemarkCode
    words: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One look.

    Attributes
    ----------
    at
        Seconds of a clock that nobody sets.
    beat
        The heartbeat's own time, as a number that only has to differ; None where no file is there.
    odd
        What stands in the heartbeat's place and cannot be one, in words.
    status
        What the heartbeat says; None where it cannot be read.
    resident
        Bytes of memory; None where nobody says.
    """

    at: float
    beat: int | None = None
    odd: str | None = None
    status: Status | None = None
    resident: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said, and why the engine is restarted; None where it is not."""

    says: tuple[Remark, ...] = ()
    reason: Reason | None = None


class Judge:
    """Of one engine after the other. `begin` is called for each.

    Parameters
    ----------
    disk_refuses
        Asked of an engine that is silent: why its folder takes no file, in words; None where it does.
    """

    def __init__(self, limits: Limits, disk_refuses: Callable[[], str | None] = lambda: None) -> None:
        self.limits = limits
        self._disk_refuses = disk_refuses
        self._data_restart_at: float | None = None
        self.begin(0.0, 0)

    def begin(self, at: float, pid: int) -> None:
        """A new process."""
        self._pid = pid
        self._looked_at = self._alive_at = at
        self._began_at = at
        self._beat: int | None = None
        self.has_beaten = False
        self._growth = Growth(at)
        self._since: dict[Trouble, float] = {}
        self._said: set[RemarkCode] = set()
        self._says: list[Remark] = []

    def look(self, seen: Seen) -> Verdict:
        """What to say of this look, and whether the engine is restarted for it."""
        self._says = []
        self._notice_a_gap(seen)
        self._hear(seen)
        reason = self._silence(seen) or self._memory(seen) or self._growing(seen) or self._data(seen)
        return Verdict(tuple(self._says), reason)

    def _say(self, code: RemarkCode, words: str) -> None:
        """Once a process."""
        if code not in self._said:
            self._said.add(code)
            self._says.append(Remark(code, words))

    def _notice_a_gap(self, seen: Seen) -> None:
        """A watchdog that stood still saw no beat: the engine has the whole time once more (a laptop that slept)."""
        gap, self._looked_at = seen.at - self._looked_at, seen.at
        if gap > self.limits.gap_seconds:
            self._alive_at = seen.at
            self._since.clear()
            words = f"this watchdog stood still for {gap:.0f} s; the engine is given its time again"
            self._says.append(Remark(RemarkCode.STOOD_STILL, words))

    def _hear(self, seen: Seen) -> None:
        """Whether it beat since the last look. What cannot be seen is taken as a beat, and said."""
        if seen.odd is not None:
            self._say(RemarkCode.ODD_FILE, f"the heartbeat cannot be judged: {seen.odd}; move it away")
            self._alive_at = seen.at
            return
        self._said.discard(RemarkCode.ODD_FILE)
        is_first = self._beat is None
        is_new = seen.beat is not None and seen.beat != self._beat
        self._beat = self._beat if seen.beat is None else seen.beat
        is_its_own = seen.status is not None and seen.status.pid == self._pid
        if is_new and (is_its_own or not is_first):  # the first may be that of the engine before
            self._alive_at, self.has_beaten = seen.at, True
            self._said -= {RemarkCode.DISK, RemarkCode.MISSING}
        if seen.beat is None and self.has_beaten:
            self._say(RemarkCode.MISSING, "the heartbeat is gone; an engine that lives writes it again")
        elif seen.beat is not None and seen.status is None:
            self._say(RemarkCode.GARBAGE, "the heartbeat's words cannot be read; it is judged by its time alone")

    def _silence(self, seen: Seen) -> Reason | None:
        age = seen.at - self._alive_at
        if not self.has_beaten:
            if age <= self.limits.starting_seconds:
                return None
            return Reason(Trouble.NEVER_BEAT, f"no heartbeat {age:.0f} s after its start")
        if age <= self.limits.silent_seconds:
            return None
        if (why := self._disk_refuses()) is not None:
            self._say(
                RemarkCode.DISK,
                f"no heartbeat for {age:.0f} s, and the disk takes none: {why}; mend it, the engine may live",
            )
            return None
        return Reason(Trouble.SILENT, f"no heartbeat for {age:.0f} s")

    def _memory(self, seen: Seen) -> Reason | None:
        if seen.resident is None:
            return None
        if not self._holds(Trouble.MEMORY, seen.at, seen.resident > self.limits.memory_bytes):
            return None
        limit = self.limits.memory_bytes // MEGABYTE
        return Reason(Trouble.MEMORY, f"{seen.resident // MEGABYTE} MB of memory, limit {limit} MB")

    def _growing(self, seen: Seen) -> Reason | None:
        """Growth does not hurry: its restart waits until no session is open."""
        if seen.resident is None:
            return None
        self._growth.add(seen.at, seen.resident)
        a_day = self._growth.a_day()
        if a_day is None or a_day <= self.limits.growth_bytes_a_day:
            return None
        words = f"memory grows by {a_day / MEGABYTE:.1f} MB a day, limit {self.limits.growth_bytes_a_day // MEGABYTE}"
        if seen.status is not None and seen.status.data_silent_seconds is not None:
            self._say(RemarkCode.GROWTH, f"{words}; the restart waits for the close")
            return None
        return Reason(Trouble.GROWTH, words)

    def _data(self, seen: Seen) -> Reason | None:
        silent = seen.status.data_silent_seconds if seen.status is not None else None
        is_over = silent is not None and silent >= self.limits.data_silent_seconds
        if not self._holds(Trouble.DATA, seen.at, is_over):
            return None
        words = f"no market data for {silent} s in an open session"
        last = self._data_restart_at
        if last is not None and seen.at - last < self.limits.data_again_seconds:
            self._say(
                RemarkCode.DATA, f"{words}, also after a restart: look at the source; `keyturn doctor` says how it is"
            )
            return None
        self._data_restart_at = seen.at
        return Reason(Trouble.DATA, words)

    def _holds(self, trouble: Trouble, at: float, is_so: bool) -> bool:
        """Whether it has been so for long enough to be believed."""
        if not is_so:
            self._since.pop(trouble, None)
            return False
        return at - self._since.setdefault(trouble, at) >= self.limits.holds_seconds


class Restarts:
    """How often in how long."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._times: deque[float] = deque()

    def take(self, at: float) -> bool:
        """Whether one more restart is allowed now; it is counted then."""
        while self._times and at - self._times[0] > self._limits.within_seconds:
            self._times.popleft()
        if len(self._times) >= self._limits.restarts:
            return False
        self._times.append(at)
        return True
