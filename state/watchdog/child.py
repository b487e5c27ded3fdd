"""The engine's process for its parent: start, signal, end. Nothing here waits."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress

from state.folders import AccountFolder
from state.thread_dump import dumped_by, listens
from state.watchdog.said import Said

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
