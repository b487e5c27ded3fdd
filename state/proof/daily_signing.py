"""Sign each finished day automatically, in a separate process beside the running engine (SP-08).

`keyturn journal sign` runs once at a start and once after each day: it may wait for a keyring or an agent, and reads
and hashes the day while orders continue. A failure is reported, and the next run signs the missing days.
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

from state.journal_files import day_of

SETTLED = timedelta(minutes=10)
"""From a day's end until nothing more is written into it."""
LONGEST = 1800.0
"""Time-out in seconds: enough to sign a year, and it ends a prompt that is never answered."""
LEAST = 19
"""The lowest process priority."""


@dataclass(slots=True)
class DailySigning:
    """`program` signs the missing days; its last line of output gives the reason of a failure."""

    program: Sequence[str]
    environ: Mapping[str, str]
    now: Callable[[], datetime]
    longest: float = LONGEST
    _signed_on: date | None = field(init=False, default=None)
    _process: subprocess.Popen[str] | None = field(init=False, default=None)
    _thread: threading.Thread | None = field(init=False, default=None)
    _faults: SimpleQueue[str] = field(init=False, default_factory=SimpleQueue)

    def look(self) -> str | None:
        """Start a run if a day has ended; never waits. Return the failure of the last run, once."""
        day = day_of(self.now() - SETTLED)
        if day != self._signed_on:
            self._signed_on = day
            self._begin()
        try:
            return self._faults.get_nowait()
        except Empty:
            return None

    def close(self) -> None:
        """Terminate a run in progress; the next one repeats an interrupted head."""
        if self._process is not None:
            self._process.terminate()

    def settle(self) -> None:
        """Wait until the current run has ended."""
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
