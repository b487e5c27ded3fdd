"""What holds although no record of it can be kept, because the journal's disk fails (SP-06).

No fact says it, so no rebuild knows it: it ends with this run, and what must outlive it stands in the kill switch's
file. The slice of what is allowed reads it beside its own state.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True)
class DiskFailure:
    """A sighting.

    Attributes
    ----------
    trouble, since
        Why nothing can be written, and since when; None while the disk takes what it is given.
    killed_by, killed_at, naked_at
        A kill that could not be written; when NAKED was typed with it.
    """

    trouble: str | None = None
    since: datetime | None = None
    killed_by: str | None = None
    killed_at: datetime | None = None
    naked_at: datetime | None = None

    def lose(self, trouble: str, at: datetime) -> None:
        """Nothing leaves any more until a restart."""
        self.trouble, self.since = trouble, self.since or at

    def kill(self, by: str, at: datetime, *, naked: bool) -> None:
        """Since when it is killed stays the first time."""
        self.killed_by, self.killed_at = by, self.killed_at or at
        if naked:
            self.naked_at = at

    def rearm(self) -> None:
        """The word was written: what could not be is over too."""
        self.killed_by = self.killed_at = self.naked_at = None
