"""External observation of an engine: its account by the lock that it holds, its heartbeat, its memory."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

from state.files import open_private
from state.folders import AccountFolder, Home
from state.heartbeat import read
from state.lock import holder
from state.watchdog.judge import Seen

PROC = Path("/proc")
PROBE = ".watchdog"
PATIENCE = 5.0
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
                return Seen(at, resident=resident_of(self._pid))
            self.folder, self._is_found = held, True
        assert self.folder is not None
        beat, odd = _beat_of(self.folder.heartbeat)
        read_now = read(self.folder) if beat is not None else None
        return Seen(
            at,
            beat,
            odd,
            read_now[0] if read_now is not None else None,
            resident_of(self._pid),
        )

    def disk_refuses(self) -> str | None:
        """Return why the account's folder is not writable; None if it is. Asked only for a silent engine."""
        if self.folder is None:
            return None
        probe = self.folder.path / PROBE
        try:
            os.close(open_private(probe, os.O_WRONLY | os.O_CREAT))
            os.utime(probe)
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
        answer = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        return int(answer.stdout) * 1024
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
