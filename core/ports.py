"""What the core needs from outside. The rooms that implement these know the disk and the screen; the core does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # the console needs these before the first paint, and facts bring pydantic
    from core.facts import Fact
    from core.model.values import ClientOrderId


class OperatorError(Exception):
    """Something that the operator can mend; the message says in one line what, and what to do next."""


class JournalError(Exception):
    """A journal that could not be read or written; the message names file, line and what to do."""


class JournalWriteError(JournalError):
    """A write or a sync failed: nothing that rests on it may leave (SP-06)."""


class JournalDamagedError(JournalError):
    """The chain does not hold at a place; nothing after it is believed (SP-01)."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A fact as it stands in the journal."""

    sequence: int
    at: datetime
    fact: Fact


class PastUnreadableError(Exception):
    """The index of past orders cannot be read now: no fault of the journal, and none that ends a desk."""


class PastIndex(Protocol):
    """Where orders that left memory are. It follows from the journal alone, and is made anew where it is missing."""

    def keep(self, number: int, order_id: ClientOrderId, content: bytes, total: str) -> None:
        """Take one in, in the place of what had its number before. `total` is the sum of all up to it."""
        ...

    def find(self, order_id: ClientOrderId, until: int) -> bytes | None:
        """What was kept last of that name, by a number up to `until`. Raises `PastUnreadableError`."""
        ...

    def covers(self, number: int, total: str) -> bool:
        """Whether it holds all up to this number, with this sum."""
        ...

    def save(self) -> None:
        """Return when all of it is on the disk. Raises OSError."""
        ...


class Journal(Protocol):
    """The append-only record (SP-01). One writer."""

    @property
    def sequence(self) -> int:
        """Sequence number of the last record; 0 where there is none."""
        ...

    @property
    def last_at(self) -> datetime:
        """Time of the last record; the beginning of time where there is none."""
        ...

    @property
    def past(self) -> PastIndex:
        """Where orders that left memory are found again by name."""
        ...

    def append(self, at: datetime, fact: Fact) -> int:
        """Write one record and return its sequence number. Raises `JournalWriteError`."""
        ...

    def flush(self) -> None:
        """Hand what was appended to the operating system, without waiting for the disk. Raises `JournalWriteError`."""
        ...

    def sync(self) -> None:
        """Return when everything appended is on the disk. Raises `JournalWriteError`."""
        ...

    def records(self, after: int = 0) -> Iterator[Recorded]:
        """Every record with a sequence number above `after`, in order. Raises `JournalDamagedError`."""
        ...

    def backwards(self) -> Iterator[Recorded]:
        """Every record, the newest first, read no further than it is asked for; the chain is not checked.

        Raises `JournalDamagedError`, OSError.
        """
        ...


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state documents as they were after the fact with this sequence number, and the digest of their shapes."""

    sequence: int
    documents: Mapping[str, object]
    shape: str = ""


@dataclass(frozen=True, slots=True)
class NoCheckpoint:
    """There is none to start from, and why; the journal alone is. `sequence` is the last record that is known to have
    been there.
    """

    reason: str
    sequence: int = 0


class Documents(Protocol):
    """The state documents (SP-02). Plain JSON values, one document a slice."""

    def load(self) -> Checkpoint | NoCheckpoint:
        """The newest sound checkpoint."""
        ...

    def save(self, checkpoint: Checkpoint) -> None:
        """Replace the documents, atomically. Raises OSError."""
        ...


class KillSwitch(Protocol):
    """The latch outside the journal: a file, or the environment (OP-08)."""

    def is_on(self) -> str | None:
        """The door that holds it shut (`file`, `environment`), or None."""
        ...

    def latch(self, by: str) -> None:
        """Write the file. Raises OSError."""
        ...

    def release(self) -> None:
        """Remove the file. Raises OSError."""
        ...
