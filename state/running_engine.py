"""Which engine runs on a folder, and its heartbeat: the status for `status` and the watchdog (SP-04, SY-02).

The heartbeat is a small file, and its age. It is rewritten only after a change; otherwise only its modification time
moves. It is never synced: nothing depends on it.

The lock's file stays in place; only the lock counts. Its content names the holder for people and for `status`.

The handler that dumps the threads is in C and needs no interpreter lock, so that a stuck engine still answers. The
signal is sent only to a process that announced its handler: any other would be killed by it.
"""

from __future__ import annotations

import faulthandler
import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from core.files.regular_file import bytes_of, open_regular
from core.model.lazy_dataclass import dataclass
from core.ports import OperatorError
from state.files import FOLDER_MODE, AccountFolder, Home, naming, open_private, replace_file, write_all

LARGEST = 1_000_000
"""The maximum size of a heartbeat in bytes, with a line for each position."""
SILENCE_STEP = 30
"""Seconds: silence is rounded to these steps, so that an idle engine does not rewrite the file."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """One thing that blocks entries: its cause, why, and what alone it blocks; empty if it blocks every entry."""

    by: str
    why: str
    only: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """The status of the engine.

    Attributes
    ----------
    state
        `trading`, `halted`, `killed`, `read-only` …: the word on the status line.
    orders_sent
        The number since the trading day began.
    uncovered
        Shares without a known stop, as text: `SPY 2.5 no stop`.
    uncovered_kinds
        The reason of each of these: `no_stop`, `at_limit`, `in_doubt`.
    unattended
        Positions whose exits are sent without a key, and until when: `SPY until 16:00 London`.
    desks, key
        The users of the attached desks, and the one with control: `eve on pts/3`; empty if there is none.
    data_silent_seconds
        Seconds of an open session without a bar or a quote, in steps of `SILENCE_STEP`; None while no session is open,
        and from older engines without this field.
    is_disk_lost
        Whether the journal failed: the engine records and sends nothing more, and only a restart ends that (SP-06).
    agents
        The digest of the tables of agents in force; empty from older engines.
    blocked
        Everything that blocks entries; empty from older engines.
    equity, day_change
        USD with two decimals, as the broker told them last at `equity_at`; None while unknown.
    has_frictions
        Whether the simulated exchange has slippage, partial fills, rejections, halts or interest.
    """

    state: str
    pid: int
    mode: str
    positions: int
    orders_working: int
    orders_sent: int
    proposals_waiting: int
    journal_sequence: int
    account: str
    uncovered: tuple[str, ...] = ()
    unattended: tuple[str, ...] = ()
    uncovered_kinds: tuple[str, ...] = ()
    data_silent_seconds: int | None = None
    desks: tuple[str, ...] = ()
    key: str = ""
    is_disk_lost: bool = False
    equity: str | None = None
    equity_at: str | None = None
    day_change: str | None = None
    agents: str = ""
    blocked: tuple[Blocked, ...] = ()
    has_frictions: bool = False


class Heartbeat:
    """The heartbeat of the engine that holds the account."""

    def __init__(self, folder: AccountFolder) -> None:
        self._path = folder.heartbeat
        self._written: Status | None = None

    def beat(self, status: Status) -> None:
        """Write the status if it changed, and update the time. Raises OSError."""
        if status == self._written:
            try:
                os.utime(self._path)
            except FileNotFoundError:
                pass
            else:
                return
        content = orjson.dumps(status, option=orjson.OPT_APPEND_NEWLINE)
        try:
            replace_file(self._path, content, durable=False)
        except OSError:
            # Overwrite the file in place on a full disk; a reader may see it incomplete.
            descriptor = open_private(self._path, os.O_WRONLY)
            try:
                with naming(self._path):
                    write_all(descriptor, content)
                    os.ftruncate(descriptor, len(content))
            finally:
                os.close(descriptor)
        self._written = status


def read_heartbeat(folder: AccountFolder, now: float | None = None) -> tuple[Status, float] | None:
    """Return the last status and its age in seconds (at `now`, seconds since 1970), or None if it cannot be read.

    The age of a heartbeat from the future is its distance from now: a running engine uses the clock that is read here.
    """
    from pydantic import TypeAdapter, ValidationError  # not needed by a desk that starts

    try:
        content = bytes_of(folder.heartbeat, LARGEST)
        beaten = folder.heartbeat.stat().st_mtime
        status = TypeAdapter(Status).validate_json(content, strict=True)
    except (OSError, ValidationError):
        return None
    return status, abs((time.time() if now is None else now) - beaten)


TIMEOUT_SECONDS = 0.2
"""Seconds to retry: `status` takes the lock for microseconds to find the holder."""


class AlreadyRunningError(OperatorError):
    """Another engine holds this account; `pid` is its process, None if not yet written."""

    def __init__(self, account: str, pid: int | None) -> None:
        self.pid = pid
        named = "another process" if pid is None else f"process {pid}"
        way_out = "end it first: `keyturn engine stop`, or q at its desk"
        super().__init__(f"an engine already runs on account {account!r} ({named}); {way_out}")


class EngineLock:
    """Held from `acquire` to `release`, or to the end of the process.

    Attributes
    ----------
    notes
        Descriptions of an interrupted restore or reset that was finished on locking.
    """

    def __init__(self, folder: AccountFolder) -> None:
        self.notes: tuple[str, ...] = ()
        self._folder = folder
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock, or raise `AlreadyRunningError` with the holder.

        Only the holder may finish an interrupted restore or reset, and does so here.
        """
        from state.folder_swap import finish

        descriptor = open_private(self._folder.lock, os.O_RDWR | os.O_CREAT)
        if not _locked_in_time(descriptor):
            pid = _pid_in(descriptor)
            os.close(descriptor)
            raise AlreadyRunningError(self._folder.name, pid)
        self._descriptor = descriptor
        started = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            with naming(self._folder.lock):
                os.ftruncate(descriptor, 0)
                write_all(descriptor, orjson.dumps({"pid": os.getpid(), "started": started}) + b"\n")
            self.notes = finish(self._folder)
        except OSError:
            self.release()
            raise

    def release(self) -> None:
        if self._descriptor is None:
            return
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)
        self._descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.release()


UNKNOWN_PID = 0
"""The lock is held by a process that has not written its number yet."""


def holder(folder: AccountFolder) -> int | None:
    """Return the process number of this account's running engine (`UNKNOWN_PID` just after its start), or None.

    A missing, special or unreadable lock file has no holder: a running engine has created its own.
    """
    return holder_of(folder.lock)


def holder_of(lock: Path) -> int | None:
    """Return the holder of any lock file that names it."""
    try:
        descriptor = open_regular(lock)
    except OSError:
        return None
    try:
        if _locked(descriptor, fcntl.LOCK_SH):
            return None
        return _pid_in(descriptor) or UNKNOWN_PID
    finally:
        os.close(descriptor)


def last_account(home: Home) -> AccountFolder | None:
    """Return the account whose engine runs or ran last (newest heartbeat); None if none ever ran.

    A lock file proves a run as well as a heartbeat does, and no file is opened: the account is found even if something
    else is in the heartbeat's place.
    """
    ran = [folder for folder in home.accounts() if os.path.lexists(folder.heartbeat) or os.path.lexists(folder.lock)]
    running = [folder for folder in ran if holder(folder) is not None]
    return max(running or ran, key=_last_beat, default=None)


def _last_beat(folder: AccountFolder) -> float:
    try:
        return folder.heartbeat.lstat().st_mtime
    except OSError:
        return 0.0


def _locked_in_time(descriptor: int) -> bool:
    until = time.monotonic() + TIMEOUT_SECONDS
    while not _locked(descriptor, fcntl.LOCK_EX):
        if time.monotonic() >= until:
            return False
        time.sleep(0.01)
    return True


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pid_in(descriptor: int) -> int | None:
    try:
        pid = orjson.loads(os.pread(descriptor, 4096, 0))["pid"]
    except (ValueError, KeyError, TypeError):
        return None
    return pid if isinstance(pid, int) else None


LISTENS = "listens-to-SIGUSR2"
"""The end of the line by which a process announces its handler; part of the file's protocol."""


@contextmanager
def thread_dumps(folder: AccountFolder) -> Iterator[None]:
    """Within this context SIGUSR2 writes every thread's stack into the account's `logs/threads.txt`.

    If the file cannot be opened, there are no dumps, and nothing else changes.
    """
    try:
        descriptor = _opened(folder)
    except OSError:
        yield
        return
    try:
        faulthandler.register(signal.SIGUSR2, file=descriptor, all_threads=True)
        try:
            yield
        finally:
            faulthandler.unregister(signal.SIGUSR2)
    finally:
        os.close(descriptor)


def _opened(folder: AccountFolder) -> int:
    folder.logs.mkdir(mode=FOLDER_MODE, exist_ok=True)
    descriptor = open_private(folder.threads, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        if os.fstat(descriptor).st_size > LARGEST:
            os.ftruncate(descriptor, 0)
        if not listens(folder, os.getpid()):
            write_all(descriptor, f"{_opening(os.getpid())}\n".encode())
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def listens(folder: AccountFolder, pid: int) -> bool:
    """Whether the process announced its handler. A reused process number counts for the last process with it."""
    said = [line for line in _text(folder.threads).splitlines() if line.endswith(LISTENS)]
    return bool(said) and said[-1] == _opening(pid)


def dumped_by(folder: AccountFolder, pid: int) -> str:
    """Return the dumps of the process since its announcement; empty if there are none."""
    _, is_there, text = _text(folder.threads).rpartition(f"{_opening(pid)}\n")
    return text if is_there else ""


def _opening(pid: int) -> str:
    return f"process {pid} {LISTENS}"


def _text(path: Path) -> str:
    with suppress(OSError):
        return bytes_of(path, 2 * LARGEST).decode(errors="replace")
    return ""
