"""An ssh process: its start, its messages on standard error, and its end."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from console.client.ssh_command import VARIABLE, end_in_words
from core.model.harmless_text import harmless
from core.ports import OperatorError

ENDS = 1.0
"""Time-out in seconds for each step of the end: exit, terminate, read the last line."""
LONGEST_LINE = 4096
SHOWN = 200
"""The maximum length of its last line on the desk."""


class SshProcess:
    """An ssh process with pipes for input and output. Raises `OperatorError` if it cannot be started.

    Parameters
    ----------
    may_ask
        It may use the terminal, for a password. Start such a process under `ctrl_c_ignored`.
    hear
        Called with each line of its standard error, made harmless, in a separate thread.
    """

    def __init__(self, command: list[str], *, may_ask: bool, hear: Callable[[str], None]) -> None:
        self._hear = hear
        self._last = ""
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=not may_ask,
            )
        except OSError as error:
            why = error.strerror or error
            raise OperatorError(f"{command[0]} cannot be started: {why}; install ssh, or fix {VARIABLE}") from None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.input, self.output = self._process.stdin, self._process.stdout
        self._listener = threading.Thread(target=self._listen, name="ssh words", daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def _listen(self) -> None:
        assert self._process.stderr is not None
        with suppress(OSError, ValueError), self._process.stderr as said:
            while line := said.readline(LONGEST_LINE):
                if words := harmless(line.decode(errors="replace").strip()):
                    self._last = words[:SHOWN]
                    self._hear(words)

    def end(self) -> None:
        """Close its pipes, and end it if it does not exit. It has exited when this returns."""
        for pipe in (self.input, self.output):
            with suppress(OSError):
                pipe.close()
        for more in (self._process.terminate, self._process.kill):
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(ENDS)
                return
            more()
        self._process.wait()

    def last_words(self, destination: str) -> str:
        """Return the reason of its end; a running process is ended."""
        self.end()
        self._listener.join(ENDS)  # a shared ssh connection in the background may keep the pipe open
        return end_in_words(destination, self._process.returncode, self._last)


@contextmanager
def ctrl_c_ignored() -> Iterator[None]:
    """Ignore SIGINT in this process, and in processes started meanwhile; for the main thread alone.

    ssh keeps it ignored, and Ctrl+C still ends its password prompt. A second Ctrl+C cannot leave an ssh behind.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
