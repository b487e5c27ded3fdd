"""The file of a unit: ours by its mark, in the place where the manager looks. Another's is never written over."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from core.files.regular_file import bytes_of
from core.ports import OperatorError
from state.files import replace_file

LARGEST = 100_000
HEAD_LINES = 3
"""Among the first lines of a file of ours stands its mark."""


class UnitState(Enum):
    """Of a unit's file."""

    MISSING = "missing"
    AS_WRITTEN = "as written"
    DIFFERS = "differs"
    """Ours, and not what would be written now: another release wrote it, or somebody changed it."""
    OF_ANOTHER = "of another"


@dataclass(frozen=True, slots=True)
class UnitFile:
    """What should stand where, and the mark by which it is known as ours."""

    path: Path
    text: str
    mark: str

    def state(self) -> UnitState:
        if not os.path.lexists(self.path):
            return UnitState.MISSING
        try:
            content = bytes_of(self.path, LARGEST).decode(errors="replace")
        except OSError:
            return UnitState.OF_ANOTHER
        if self.path.is_symlink() or self.mark not in content.splitlines()[:HEAD_LINES]:
            return UnitState.OF_ANOTHER
        return UnitState.AS_WRITTEN if content == self.text else UnitState.DIFFERS

    def write(self) -> UnitState:
        """Write it where it is missing or ours; returns what was there. Raises `OperatorError`, OSError."""
        before = self.state()
        self._refuse_anothers(before)
        if before is not UnitState.AS_WRITTEN:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self.path, self.text.encode())
        return before

    def remove(self) -> UnitState:
        """Remove it where it is ours; returns what was there. Raises `OperatorError`, OSError."""
        before = self.state()
        self._refuse_anothers(before)
        if before is not UnitState.MISSING:
            self.path.unlink()
        return before

    def _refuse_anothers(self, found: UnitState) -> None:
        if found is UnitState.OF_ANOTHER:
            raise OperatorError(f"{self.path} was not written by Keyturn; move it away first")
