"""Sees that the settings file was changed under a running engine, and reads what it says now (RK-13)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from core.messages.commands import SettingsFault, SettingsFileSeen, SettingsSource
from core.ports import OperatorError
from core.settings.settings import Settings

EVERY_SECONDS = 1.0
"""Between two looks: a file must be the same at two of them, or it is still being written."""

Mark = tuple[int, int, int] | None
"""What tells one content of a file from another without reading it; None where there is no file."""
Marks = tuple[Mark, ...]
"""Of the settings file, and of those beside it that are settings too."""


@dataclass(slots=True)
class SettingsWatch:
    """The first look reads the file in any case: it may have changed since the engine was given its settings.

    Parameters
    ----------
    load
        The settings with the profile, the environment and the command line as at the start. Raises OperatorError.
    now
        A monotonic clock, seconds.
    left_out
        The `--set` of last time that this start was not given, where nothing else differs from what held; said for as
        long as the file is as it was at the start.
    sources
        What goes over the file now, or did last time.
    beside
        Further files that `load` reads; whether they are there is their own matter.
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
        """What the file says, once whenever that may be another than before."""
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
