"""Evaluate the health of an engine by what is seen of it: ok, a remark, or the reason for a restart.

The lowest reading of each hour counts. Each hour is compared with the same hour of every other day of the last seven
that the same process saw, the difference is divided by the days between them, and the median of all these slopes is the
growth (the seasonal Kendall slope estimator: Hirsch, Slack and Smith 1982). A single step, such as a late import, moves
the median little; a leak moves all of it. The first hour of a process is warm-up and left out. There is no result
before three days of hours with 24 slopes between them; restarts in between do not begin anew.

A large leak need not wait for that: what a process gained in its first day, from its second hour on, if each hour was
higher than the one before.

A beat is any change of the heartbeat's time: a jump of the clock does not change the engine's age. An observation that
cannot be evaluated is reported once and restarts nothing.
"""

from __future__ import annotations

import os
import stat
import subprocess
from collections import deque
from collections.abc import Callable
from enum import Enum
from itertools import pairwise
from pathlib import Path
from statistics import median

from core.model.lazy_dataclass import dataclass
from state.files import AccountFolder, Home, open_private, write_all
from state.running_engine import Status, holder, read_heartbeat
from state.watchdog.presence import MEGABYTE, Limits

HOUR = 3600.0
HOURS_A_DAY = 24
WARM_UP_HOURS = 1
FEWEST_HOURS = 3 * HOURS_A_DAY
FEWEST_SLOPES = 24
FIRST_HOURS = 3
KEPT_HOURS = 7 * HOURS_A_DAY


class Growth:
    """The growth of one process after the other. Times are of any monotonic clock."""

    def __init__(self, began_at: float) -> None:
        self._first_at = began_at
        self._runs: list[dict[int, int]] = []
        """Of each process the lowest reading by hour, counted from the first one's start."""
        self._slopes: list[float] = []
        self.begin(began_at)

    def begin(self, at: float) -> None:
        """Start with the next process; what was measured before still counts."""
        self._began_at = at
        self._hour = -1
        self._slopes = []
        self._rise: int | None = None
        self._runs.append({})

    def add(self, at: float, resident: int) -> None:
        """Add a reading."""
        of_process, hour = int((at - self._began_at) // HOUR), int((at - self._first_at) // HOUR)
        if hour > self._hour:
            self._hour = hour
            self._drop(hour - KEPT_HOURS)
            self._slopes = [slope for run in self._runs for slope in _slopes(run)]
            self._rise = _rise(list(self._runs[-1].values()))
        if of_process >= WARM_UP_HOURS:
            lowest = self._runs[-1]
            lowest[hour] = min(resident, lowest.get(hour, resident))

    def a_day(self) -> float | None:
        """Bytes a day over the complete hours; None while there are too few."""
        spans = (max(run) - min(run) + (run is not self._runs[-1]) for run in self._runs if run)
        is_enough = len(self._slopes) >= FEWEST_SLOPES and sum(spans) >= FEWEST_HOURS
        return median(self._slopes) if is_enough else None

    def rise(self) -> int | None:
        """Bytes gained since the process's second hour if every complete hour since was higher; else 0.

        None of too few hours, and after its first day.
        """
        return self._rise

    def _drop(self, before: int) -> None:
        kept = [{hour: lowest for hour, lowest in run.items() if hour >= before} for run in self._runs]
        self._runs = [*(run for run in kept[:-1] if run), kept[-1]]


def _slopes(hours: dict[int, int]) -> list[float]:
    return [
        (hours[later] - lowest) / days
        for hour, lowest in hours.items()
        for days in range(1, KEPT_HOURS // HOURS_A_DAY)
        if (later := hour + days * HOURS_A_DAY) in hours
    ]


def _rise(lowest: list[int]) -> int | None:
    if not FIRST_HOURS < len(lowest) < HOURS_A_DAY:
        return None
    return lowest[-1] - lowest[0] if all(a < b for a, b in pairwise(lowest)) else 0


class Trouble(Enum):
    """The reason for a restart."""

    ENDED = "ended"
    """It ended without a request."""
    NEVER_BEAT = "never_beat"
    SILENT = "silent"
    MEMORY = "memory"
    GROWTH = "growth"
    DATA = "data"
    DISK = "disk"
    """Its journal failed, and the disk is writable again."""
    ASKED = "asked"
    """Requested by `keyturn engine restart`."""


@dataclass(frozen=True, slots=True)
class Reason:
    """The reason, and its text for people."""

    trouble: Trouble
    words: str


class RemarkCode(Enum):
    """A remark without a restart."""

    STOOD_STILL = "stood_still"
    ODD_FILE = "odd_file"
    MISSING = "missing"
    GARBAGE = "garbage"
    DISK = "disk"
    LOST_DISK = "lost_disk"
    GROWTH = "growth"
    DATA = "data"
    CPU = "cpu"


@dataclass(frozen=True, slots=True)
class Remark:
    code: RemarkCode
    words: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One observation.

    Attributes
    ----------
    at
        Monotonic time in seconds.
    beat
        The heartbeat's modification time, as a number to compare; None without a file.
    odd
        A description of another file at the heartbeat's path.
    status
        The heartbeat's content; None if it cannot be read.
    resident
        Resident memory in bytes; None if unknown.
    cpu
        Seconds of processor time since the process began; None if unknown.
    """

    at: float
    beat: int | None = None
    odd: str | None = None
    status: Status | None = None
    resident: int | None = None
    cpu: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The remarks of an observation, and the reason for a restart, or None."""

    says: tuple[Remark, ...] = ()
    reason: Reason | None = None


class Judge:
    """Evaluates one engine after the other. `begin` is called for each.

    Parameters
    ----------
    disk_refuses
        Called for an engine that is silent or whose journal failed: returns why its folder is not writable, or None.
    """

    def __init__(self, limits: Limits, disk_refuses: Callable[[], str | None] = lambda: None) -> None:
        self.limits = limits
        self._disk_refuses = disk_refuses
        self._data_restart_at: float | None = None
        self._disk_restart_at: float | None = None
        self._growth, self._has_grown = Growth(0.0), True
        self.begin(0.0, 0)
        self._has_grown = True  # the clock of the first process is another

    def begin(self, at: float, pid: int) -> None:
        """Start with a new process. Memory's growth is measured on over it, unless it was the reason."""
        self._pid = pid
        self._looked_at = self._alive_at = at
        self._began_at = at
        self._beat: int | None = None
        self.has_beaten = False
        if self._has_grown:
            self._growth, self._has_grown = Growth(at), False
        else:
            self._growth.begin(at)
        self._since: dict[Trouble, float] = {}
        self._cpu_from: tuple[float, float] | None = None
        """When the current window of processor time began, and the reading then."""
        self._said: set[RemarkCode] = set()
        self._says: list[Remark] = []

    def look(self, seen: Seen) -> Verdict:
        """Return the remarks on this observation, and whether to restart the engine."""
        self._says = []
        self._notice_a_gap(seen)
        self._hear(seen)
        self._busy(seen)
        reason = (
            self._silence(seen) or self._memory(seen) or self._growing(seen) or self._data(seen) or self._disk(seen)
        )
        return Verdict(tuple(self._says), reason)

    def _say(self, code: RemarkCode, words: str) -> None:
        """Add a remark, once per process."""
        if code not in self._said:
            self._said.add(code)
            self._says.append(Remark(code, words))

    def _notice_a_gap(self, seen: Seen) -> None:
        """Reset the engine's time limit if the watchdog itself stood still, such as on a sleeping laptop."""
        gap, self._looked_at = seen.at - self._looked_at, seen.at
        if gap > self.limits.gap_seconds:
            self._alive_at = seen.at
            self._since.clear()
            self._cpu_from = None
            words = f"this watchdog stood still for {gap:.0f} s; the engine is given its time again"
            self._says.append(Remark(RemarkCode.STOOD_STILL, words))

    def _hear(self, seen: Seen) -> None:
        """Note whether the engine beat since the last observation.

        If that is unknown, it counts as a beat, with a remark.
        """
        if seen.odd is not None:
            self._say(RemarkCode.ODD_FILE, f"the heartbeat cannot be judged: {seen.odd}; move it away")
            self._alive_at = seen.at
            return
        self._said.discard(RemarkCode.ODD_FILE)
        is_first = self._beat is None
        is_new = seen.beat is not None and seen.beat != self._beat
        self._beat = self._beat if seen.beat is None else seen.beat
        is_its_own = seen.status is not None and seen.status.pid == self._pid
        if is_new and (is_its_own or not is_first):  # the first one may be the previous engine's
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
                f"no heartbeat for {age:.0f} s, and the disk takes none: {why}; fix it, the engine may live",
            )
            return None
        return Reason(Trouble.SILENT, f"no heartbeat for {age:.0f} s")

    def _busy(self, seen: Seen) -> None:
        """Remark on a window with too much processor time. A restart would not help an engine that still beats."""
        if seen.cpu is None or not self.has_beaten:
            return
        if self._cpu_from is None or seen.cpu < self._cpu_from[1]:
            self._cpu_from = seen.at, seen.cpu
        seconds, used = seen.at - self._cpu_from[0], seen.cpu - self._cpu_from[1]
        if seconds < self.limits.cpu_seconds:
            return
        self._cpu_from = seen.at, seen.cpu
        if used / seconds > self.limits.cpu_share:
            words = f"{used / seconds:.0%} of a core for {seconds / 60:.0f} minutes, limit {self.limits.cpu_share:.0%}"
            self._say(RemarkCode.CPU, f"the engine uses {words}; `keyturn engine logs --summary` shows what repeats")
        else:
            self._said.discard(RemarkCode.CPU)

    def _memory(self, seen: Seen) -> Reason | None:
        if seen.resident is None:
            return None
        if not self._holds(Trouble.MEMORY, seen.at, seen.resident > self.limits.memory_bytes):
            return None
        limit = self.limits.memory_bytes // MEGABYTE
        return Reason(Trouble.MEMORY, f"{seen.resident // MEGABYTE} MB of memory, limit {limit} MB")

    def _growing(self, seen: Seen) -> Reason | None:
        """Check the growth. It is not urgent: the restart waits until no session is open."""
        if seen.resident is None:
            return None
        self._growth.add(seen.at, seen.resident)
        a_day, rise, limit = self._growth.a_day(), self._growth.rise(), self.limits.growth_bytes_a_day
        if a_day is not None and a_day > limit:
            words = f"memory grows by {a_day / MEGABYTE:.1f} MB a day, limit {limit // MEGABYTE}"
        elif rise is not None and rise > limit * self.limits.days_at_once:
            words = f"memory grew by {rise // MEGABYTE} MB in its first hours, limit {limit // MEGABYTE} a day"
        else:
            return None
        self._has_grown = True
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

    def _disk(self, seen: Seen) -> Reason | None:
        """Find an engine whose journal failed on a disk that is writable again: only a restart lets it record (SP-06).

        A disk that fails again within the time of the restarts' limit is left to a person.
        """
        is_lost = seen.status is not None and seen.status.pid == self._pid and seen.status.is_disk_lost
        if not self._holds(Trouble.DISK, seen.at, is_lost and self._disk_refuses() is None):
            return None
        words = "the journal failed, and the disk is writable again"
        last = self._disk_restart_at
        if last is not None and seen.at - last < self.limits.within_seconds:
            self._say(RemarkCode.LOST_DISK, f"{words}, as before: look at the disk, then `keyturn engine restart`")
            return None
        self._disk_restart_at = seen.at
        return Reason(Trouble.DISK, words)

    def _holds(self, trouble: Trouble, at: float, is_so: bool) -> bool:
        """Whether the condition has held for long enough."""
        if not is_so:
            self._since.pop(trouble, None)
            return False
        return at - self._since.setdefault(trouble, at) >= self.limits.holds_seconds


class Restarts:
    """The limit of restarts within a period."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._times: deque[float] = deque()

    def take(self, at: float) -> bool:
        """Whether one more restart is allowed now; if so, it is counted."""
        while self._times and at - self._times[0] > self._limits.within_seconds:
            self._times.popleft()
        if len(self._times) >= self._limits.restarts:
            return False
        self._times.append(at)
        return True


PROC = Path("/proc")
PROBE = ".watchdog"
ROOM = 1_000_000
"""Bytes: hundreds of orders."""
TIMEOUT = 5.0
"""Time-out of `ps` in seconds, on a system without /proc."""


class EngineSigns:
    """Observes the current engine process.

    Attributes
    ----------
    folder
        The account whose lock it holds; None until it holds one.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._pid = 0
        self._is_found = False
        self.folder: AccountFolder | None = None

    def begin(self, pid: int) -> None:
        """Observe another process, possibly of another account."""
        self._pid = pid
        self._is_found = False

    def look(self, at: float) -> Seen:
        """Observe the engine. `at` is passed on."""
        if not self._is_found:
            held = next((f for f in self._home.accounts() if holder(f) == self._pid), None)
            if held is None:
                return Seen(at, resident=resident_of(self._pid), cpu=cpu_of(self._pid))
            self.folder, self._is_found = held, True
        assert self.folder is not None
        beat, odd = _beat_of(self.folder.heartbeat)
        read_now = read_heartbeat(self.folder) if beat is not None else None
        return Seen(
            at,
            beat,
            odd,
            read_now[0] if read_now is not None else None,
            resident_of(self._pid),
            cpu_of(self._pid),
        )

    def disk_refuses(self) -> str | None:
        """Return why the account's folder is not writable, or has no room for `ROOM` bytes; None if it is."""
        if self.folder is None:
            return None
        probe = self.folder.path / PROBE
        try:
            descriptor = open_private(probe, os.O_WRONLY | os.O_CREAT)
            try:
                write_all(descriptor, bytes(ROOM))
                os.utime(probe)
            finally:
                os.close(descriptor)
                probe.unlink()
        except OSError as error:
            return error.strerror or str(error)
        return None


def _beat_of(path: Path) -> tuple[int | None, str | None]:
    """Return the heartbeat's modification time, or a description of another file there; neither without a file."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None, None
    except OSError as error:
        return None, error.strerror or str(error)
    if stat.S_ISREG(found.st_mode):
        return found.st_mtime_ns, None
    kind = "a link" if stat.S_ISLNK(found.st_mode) else "a folder" if stat.S_ISDIR(found.st_mode) else "no regular file"
    return None, f"{path} is {kind}"


def resident_of(pid: int) -> int | None:
    """Return the resident memory of a process in bytes; None if unknown."""
    try:
        pages = (PROC / str(pid) / "statm").read_text().split()[1]
    except (OSError, IndexError):
        return None if PROC.is_dir() else _resident_by_ps(pid)
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _resident_by_ps(pid: int) -> int | None:
    """Return the resident memory by `ps`, for macOS, which reports kilobytes."""
    try:
        return int(_ps(pid, "rss")) * 1024
    except ValueError:
        return None


def cpu_of(pid: int) -> float | None:
    """Return the seconds of processor time that a process used; None if unknown."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime and stime of proc(5)
    except (OSError, IndexError, ValueError):
        return None if PROC.is_dir() else _cpu_by_ps(pid)


def _cpu_by_ps(pid: int) -> float | None:
    """Return the processor time by `ps`, for macOS, which reports `[HOURS:]MINUTES:SECONDS`."""
    try:
        *larger, seconds = (float(part) for part in _ps(pid, "time").split(":"))
    except ValueError:
        return None
    minutes, hours, *_ = *reversed(larger), 0.0, 0.0
    return seconds + 60 * minutes + 3600 * hours


def _ps(pid: int, field: str) -> str:
    """Return a field of a process by `ps`; empty if it has none."""
    command = ["ps", "-o", f"{field}=", "-p", str(pid)]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""
