"""Wait without polling: until a time-out, the end of a child, or a signal to leave."""

from __future__ import annotations

import os
import select
import signal
from types import FrameType, TracebackType
from typing import Self

from state.watchdog.presence import RESTART

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
