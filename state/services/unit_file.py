"""The unit's file at the manager's place, identified as ours by a mark. A foreign file is never overwritten."""

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
"""The number of first lines that contain the mark."""


class UnitState(Enum):
    """The state of a unit's file."""

    MISSING = "missing"
    AS_WRITTEN = "as written"
    DIFFERS = "differs"
    """Ours, but different from the current definition: written by another release, or edited."""
    OF_ANOTHER = "of another"


@dataclass(frozen=True, slots=True)
class UnitFile:
    """The path and text of a unit, and the mark that identifies our file."""

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
        """Write the file if missing or ours; return its previous state. Raises `OperatorError`, OSError."""
        before = self.state()
        self._refuse_anothers(before)
        if before is not UnitState.AS_WRITTEN:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self.path, self.text.encode())
        return before

    def remove(self) -> UnitState:
        """Remove the file if ours; return its previous state. Raises `OperatorError`, OSError."""
        before = self.state()
        self._refuse_anothers(before)
        if before is not UnitState.MISSING:
            self.path.unlink()
        return before

    def _refuse_anothers(self, found: UnitState) -> None:
        if found is UnitState.OF_ANOTHER:
            raise OperatorError(f"{self.path} was not written by Keyturn; move it away first")
