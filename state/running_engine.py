"""The process of a running engine: its lock, and its stack traces when it hangs (SP-04, SY-02).

The file stays in place; only the lock on it counts. Its content names the holder for people and for `status`.

The handler is in C and needs no interpreter lock, so that a stuck engine still answers. The signal is sent only to a
process that announced its handler: any other would be killed by it.
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
from core.ports import OperatorError
from state.files import FOLDER_MODE, AccountFolder, Home, naming, open_private, write_all

PATIENCE_SECONDS = 0.2
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
    until = time.monotonic() + PATIENCE_SECONDS
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


LARGEST = 1_000_000
"""The maximum size of kept dumps in bytes; a start above it clears the file."""
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
