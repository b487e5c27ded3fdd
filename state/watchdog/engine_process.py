"""The engine's process for its parent: start, standard error, signals, end, and waiting for them.

A pipe would make the engine wait for a stopped watchdog, and lose output when the watchdog dies.

The service manager's notifications: systemd datagrams on `NOTIFY_SOCKET` (sd_notify(3)), without a library.
Nothing here waits or raises: a missing or busy manager does not affect the process.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from state.files import AccountFolder
from state.running_engine import dumped_by, listens
from state.watchdog.presence import RESTART

AT_ONCE = 1 << 16
LARGEST = 1_000_000
"""Bytes after which the read part is cut off, with any line written at that very moment."""


class Said:
    """The output of one process, started with `descriptor` as its standard error."""

    def __init__(self) -> None:
        """Create the file. Raises OSError."""
        # Create an unnamed file in append mode, which also works after truncation.
        if hasattr(os, "memfd_create"):
            descriptor = os.memfd_create("engine-said")
        else:
            descriptor, name = tempfile.mkstemp()  # macOS
            os.unlink(name)
        fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_APPEND)
        self.descriptor = descriptor
        self._read_to = 0
        self._rest = b""

    def lines(self, *, is_over: bool = False) -> list[str]:
        """Return the new lines; with `is_over` also an incomplete one. Never raises disk errors."""
        content = self._rest
        try:
            while new := os.pread(self.descriptor, AT_ONCE, self._read_to):
                self._read_to += len(new)
                content += new
            if self._read_to > LARGEST:
                os.ftruncate(self.descriptor, 0)
                self._read_to = 0
        except OSError:
            is_over = True
        *whole, self._rest = content.split(b"\n")
        if is_over:
            whole, self._rest = [*whole, self._rest], b""
        return [words for line in whole if (words := line.decode(errors="replace").rstrip())]

    def close(self) -> None:
        os.close(self.descriptor)


NAMES = {number.value: number.name for number in signal.Signals}


class Child:
    """One process in its own group: a Ctrl+C at the terminal reaches only its parent, which then ends it."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        """Start the process. Raises OSError."""
        self.said = Said()
        try:
            self._process = subprocess.Popen(
                list(command),
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stderr=self.said.descriptor,
                process_group=0,
            )
        except OSError:
            self.said.close()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    def ended(self) -> int | None:
        """Return its exit status as `subprocess` has it; None while it runs."""
        return self._process.poll()

    def ask_for_threads(self, folder: AccountFolder | None) -> bool:
        """Request its stack traces; False if it never announced a handler."""
        if folder is None or not listens(folder, self.pid):
            return False
        self._process.send_signal(signal.SIGUSR2)
        self._process.send_signal(signal.SIGCONT)
        return True

    def threads(self, folder: AccountFolder) -> str:
        """Return its stack traces."""
        return dumped_by(folder, self.pid)

    def ask_to_leave(self) -> None:
        """Send SIGTERM, also to a stopped process."""
        self._process.send_signal(signal.SIGTERM)
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill the process and its children."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.kill()


def status_in_words(status: int) -> str:
    """Describe a status: `status 70`, `signal SIGKILL`."""
    return f"signal {NAMES.get(-status, -status)}" if status < 0 else f"status {status}"


LEAVE = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
NOHUP = (signal.SIGINT, signal.SIGHUP)
"""Left ignored if the parent process had them ignored."""


class Wakeups:
    """Signal handlers of the main thread, within this context; the previous ones are restored.

    Attributes
    ----------
    asked_by
        The signal that asked this process to leave, or None.
    asked_to_restart
        Whether a restart of the engine was requested.
    """

    def __init__(self) -> None:
        self.asked_by: signal.Signals | None = None
        self.asked_to_restart = False

    def __enter__(self) -> Self:
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if hasattr(os, "pipe2") else _pipe()
        self._fd_before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        ignored = {name for name in NOHUP if signal.getsignal(name) is signal.SIG_IGN}
        self._before = {name: signal.signal(name, self._hear) for name in {*LEAVE, RESTART, signal.SIGCHLD} - ignored}
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        for name, handler in self._before.items():
            signal.signal(name, handler)
        signal.set_wakeup_fd(self._fd_before)
        os.close(self._read)
        os.close(self._write)

    def wait(self, seconds: float) -> None:
        """Wait this long, or until any event."""
        if select.select([self._read], [], [], max(0.0, seconds))[0]:
            os.read(self._read, 4096)

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        if number in LEAVE:
            self.asked_by = self.asked_by or signal.Signals(number)
        elif number == RESTART:
            self.asked_to_restart = True


def _pipe() -> tuple[int, int]:
    """Create the pipe where there is no `pipe2` (macOS)."""
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    return ends


VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
"""Meant only for the process that the manager started; removed for its children."""
LONGEST_STATUS = 200


class NotifySocket:
    """The notifications of one process; nothing is sent without a manager.

    Attributes
    ----------
    watchdog_seconds
        The interval of watchdog messages: half of the manager's limit; None without one.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        named = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + named[1:] if named.startswith("@") else named
        self.watchdog_seconds = _half_of(environ)

    def ready(self, status: str) -> None:
        self._send(f"READY=1\nSTATUS={_line(status)}")

    def alive(self) -> None:
        self._send("WATCHDOG=1")

    def status(self, words: str) -> None:
        self._send(f"STATUS={_line(words)}")

    def waits(self, words: str, seconds: float) -> None:
        """Report that it does not start yet, and ask for so much time more."""
        self._send(f"EXTEND_TIMEOUT_USEC={int(seconds * 1_000_000)}\nSTATUS={_line(words)}")

    @property
    def has_manager(self) -> bool:
        return self._address.startswith(("/", "\0"))

    def stopping(self, words: str) -> None:
        self._send(f"STOPPING=1\nSTATUS={_line(words)}")

    def _send(self, message: str) -> None:
        if not self.has_manager:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto(message.encode(), self._address)


AGAIN = 75
"""Exit status after which a service manager starts again: EX_TEMPFAIL of sysexits.h."""
LOOKS_EVERY, EXTENDS_EVERY = 1.0, 10.0


def waited_for(folder: Path, notify: NotifySocket, say: Callable[[str], None], pause: Callable[[float], None]) -> bool:
    """Wait until the folder is there, write nothing, and return whether it was missing (SY-10).

    A home that is encrypted, or on another machine, may be mounted long after the service starts.
    """
    if _is_there(folder):
        return False
    words = f"waits for {folder}: it is not there yet; unlock or mount its home, or install the service again"
    say(words)
    waited = EXTENDS_EVERY
    while not _is_there(folder):
        if waited >= EXTENDS_EVERY:
            notify.waits(words, 3 * EXTENDS_EVERY)
            waited = 0.0
        pause(LOOKS_EVERY)
        waited += LOOKS_EVERY
    return True


def _is_there(folder: Path) -> bool:
    """Whether it is a folder that can be looked at: a mount without its connection raises."""
    try:
        return folder.is_dir()
    except OSError:
        return False


def without_notify(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for child processes, without the manager's variables."""
    return {name: value for name, value in environ.items() if name not in VARIABLES}


def _half_of(environ: Mapping[str, str]) -> float | None:
    """Return half of the manager's limit; None also if it expects another process."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    try:
        microseconds = int(environ.get("WATCHDOG_USEC", "0"))
    except ValueError:
        return None
    return microseconds / 2_000_000 if microseconds > 0 else None


def _line(text: str) -> str:
    """Return the text on one line: a second line would be another message."""
    return " ".join(text.split())[:LONGEST_STATUS]
