"""State that holds while the journal's disk fails and nothing can be recorded (SP-06).

No fact carries it, so a rebuild does not know it. It ends with this run; the part that must outlive the run is in the
kill switch's file. The trading status reads it beside its own state.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True)
class DiskFailure:
    """State of the journal's disk.

    Attributes
    ----------
    trouble, since
        Why nothing can be written, and since when; None while writing works.
    killed_by, killed_at, naked_at
        A kill that could not be written; when NAKED was typed with it.
    """

    trouble: str | None = None
    since: datetime | None = None
    killed_by: str | None = None
    killed_at: datetime | None = None
    naked_at: datetime | None = None

    def lose(self, trouble: str, at: datetime) -> None:
        """Record that the disk fails; nothing is sent until a restart."""
        self.trouble, self.since = trouble, self.since or at

    def kill(self, by: str, at: datetime, *, naked: bool) -> None:
        """Record a kill; the first time stays."""
        self.killed_by, self.killed_at = by, self.killed_at or at
        if naked:
            self.naked_at = at

    def rearm(self) -> None:
        """Clear the unwritten kill once the rearm is written."""
        self.killed_by = self.killed_at = self.naked_at = None
