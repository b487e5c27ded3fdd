"""Watch the settings file under a running engine, and read it after a change (RK-13)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from core.messages.commands import SettingsFault, SettingsFileSeen, SettingsSource
from core.ports import OperatorError
from core.settings.settings import Settings

EVERY_SECONDS = 1.0
"""Seconds between two checks: a file must be unchanged between two of them, or it is still being written."""

Mark = tuple[int, int, int] | None
"""The identity of a file's content without reading it; None without a file."""
Marks = tuple[Mark, ...]
"""The marks of the settings file, and of the other settings files beside it."""


@dataclass(slots=True)
class SettingsWatch:
    """The first check always reads the file: it may have changed since the engine got its settings.

    Parameters
    ----------
    load
        Returns the settings with the profile, environment and command line of the start. Raises OperatorError.
    now
        A monotonic clock, seconds.
    left_out
        The `--set` options of the last start that this one lacks, if nothing else differs; reported while the file is
        unchanged since the start.
    sources
        The sources above the file, now or at the last start.
    beside
        Further files that `load` reads, if they exist.
    """

    path: Path
    load: Callable[[], Settings]
    now: Callable[[], float] = time.monotonic
    left_out: tuple[str, ...] = ()
    sources: tuple[SettingsSource, ...] = ()
    beside: tuple[Path, ...] = ()
    _looked_at: float | None = None
    _last: Marks = ()
    _read: list[Marks] = field(default_factory=list)
    _was_there: bool = False

    def look(self) -> SettingsFileSeen | None:
        """Return the settings after each possible change of the file."""
        at = self.now()
        if self._looked_at is not None and at - self._looked_at < EVERY_SECONDS:
            return None
        is_first, self._looked_at = self._looked_at is None, at
        marks, before = tuple(map(_mark, (self.path, *self.beside))), self._last
        self._last = marks
        if (marks != before and not is_first) or self._read == [marks]:
            return None
        self._read, mark = [marks], marks[0]
        self._was_there = self._was_there or (is_first and mark is not None)
        if mark is None and self._was_there:
            return SettingsFileSeen(SettingsFault(f"{self.path.name} is missing"))
        try:
            return SettingsFileSeen(self.load(), self.left_out if is_first else (), self.sources)
        except OperatorError as error:
            return SettingsFileSeen(SettingsFault(str(error)))


def _mark(path: Path) -> Mark:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
