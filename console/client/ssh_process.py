"""One ssh as a process of this machine: how it is started, what it says beside the stream, how it ends."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress

from console.client.ssh_command import VARIABLE, end_in_words
from core.model.harmless_text import harmless
from core.ports import OperatorError

ENDS = 1.0
"""Seconds that ssh has for each step of its end: to go by itself, to go when told, to have its last line read."""
LONGEST_LINE = 4096
SHOWN = 200
"""Characters of its last line that the desk shows."""


class SshProcess:
    """Its input and output are pipes of bytes. Raises `OperatorError` where it cannot be started.

    Parameters
    ----------
    may_ask
        It has the terminal beside its pipes, for a password. Such a one is started in the main thread.
    hear
        Called with each line that it says on stderr, made harmless, in a thread of its own.
    """

    def __init__(self, command: list[str], *, may_ask: bool, hear: Callable[[str], None]) -> None:
        self._hear = hear
        self._last = ""
        try:
            with _ctrl_c_is_not_for_it() if may_ask else nullcontext():
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
            raise OperatorError(f"{command[0]} cannot be started: {why}; install ssh, or mend {VARIABLE}") from None
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
        """Its input has ended; where it does not go by itself it is ended. It is gone when this returns."""
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
        """Why it ended; it is ended here where it still runs."""
        self.end()
        self._listener.join(ENDS)  # what ssh leaves behind to share its connection may hold the pipe open
        return end_in_words(destination, self._process.returncode, self._last)


@contextmanager
def _ctrl_c_is_not_for_it() -> Iterator[None]:
    """A process started here ignores SIGINT, as ssh leaves it; the terminal's own ends a password's prompt still."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
