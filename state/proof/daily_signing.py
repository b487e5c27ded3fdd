"""Each day that is over is signed without being asked, beside a running engine and never in it (SP-08).

`keyturn journal sign` runs as a process of its own, once at a start and once after each day: it waits for a keyring or
an agent, reads the day and hashes it while orders go on. What goes wrong is said, and the next run signs what is owed.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from queue import Empty, SimpleQueue

from state.journal_segments import day_of

SETTLED = timedelta(minutes=10)
"""After its end nothing more is written into a day."""
LONGEST = 1800.0
"""Seconds: a year is signed in less, and a question that nobody answers ends."""
LEAST = 19
"""As nice as a process can be."""


@dataclass(slots=True)
class DailySigning:
    """`program` signs what is owed; it says in its last line why it could not."""

    program: Sequence[str]
    environ: Mapping[str, str]
    now: Callable[[], datetime]
    longest: float = LONGEST
    _signed_on: date | None = field(init=False, default=None)
    _process: subprocess.Popen[str] | None = field(init=False, default=None)
    _thread: threading.Thread | None = field(init=False, default=None)
    _faults: SimpleQueue[str] = field(init=False, default_factory=SimpleQueue)

    def look(self) -> str | None:
        """Begins where a day has ended; never waits. What went wrong with the last one, once."""
        day = day_of(self.now() - SETTLED)
        if day != self._signed_on:
            self._signed_on = day
            self._begin()
        try:
            return self._faults.get_nowait()
        except Empty:
            return None

    def close(self) -> None:
        """A head that is cut short by it is signed again the next time."""
        if self._process is not None:
            self._process.terminate()

    def settle(self) -> None:
        """Wait until what was begun is over."""
        if self._thread is not None:
            self._thread.join()

    def _begin(self) -> None:
        try:
            self._thread = threading.Thread(target=self._sign, daemon=True, name="sign")
            self._thread.start()
        except RuntimeError as error:
            self._fail(str(error))

    def _sign(self) -> None:
        try:
            self._process = subprocess.Popen(
                self.program,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )
        except OSError as error:
            self._fail(error.strerror or str(error))
            return
        with self._process as process:
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, process.pid, LEAST)
            try:
                _, told = process.communicate(timeout=self.longest)
            except subprocess.TimeoutExpired:
                process.kill()
                self._fail(f"it did not end in {self.longest / 60:g} minutes")
                return
        if process.returncode:
            self._fail(next(reversed(told.strip().splitlines()), f"it ended with {process.returncode}"))

    def _fail(self, why: str) -> None:
        self._faults.put(f"the days that are over were not signed: {why.removeprefix('keyturn: ')}")
