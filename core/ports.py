"""Interfaces that the core needs. Their implementations know the disk and the screen; the core does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from core.model.lazy_dataclass import dataclass

if TYPE_CHECKING:  # the console needs these before the first paint, and facts bring pydantic
    from core.facts import Fact
    from core.model.values import ClientOrderId


class OperatorError(Exception):
    """An error that the operator can fix; the message states the problem and the next step in one line."""


class JournalError(Exception):
    """A journal could not be read or written; the message names the file, the line and the next step."""


class JournalWriteError(JournalError):
    """A write or a sync failed: nothing that depends on it may leave (SP-06)."""


class JournalDamagedError(JournalError):
    """The chain is broken; nothing after that place is trusted (SP-01)."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A fact as recorded in the journal."""

    sequence: int
    at: datetime
    fact: Fact


class PastUnreadableError(Exception):
    """The index of past orders cannot be read now: the journal is intact, and the desk goes on."""


class PastIndex(Protocol):
    """The index of orders that left memory. It is derived from the journal, and rebuilt if it is missing."""

    def keep(self, number: int, order_id: ClientOrderId, content: bytes, total: str) -> None:
        """Store an order, replacing one with the same number. `total` is the sum of all up to it."""
        ...

    def find(self, order_id: ClientOrderId, until: int) -> bytes | None:
        """Return the last order kept under that id, up to number `until`. Raises `PastUnreadableError`."""
        ...

    def covers(self, number: int, total: str) -> bool:
        """Whether it holds all orders up to this number, with this sum."""
        ...

    def save(self) -> None:
        """Return when everything is on the disk. Raises OSError."""
        ...


class Journal(Protocol):
    """The append-only record (SP-01). One writer."""

    @property
    def sequence(self) -> int:
        """Sequence number of the last record; 0 if there is none."""
        ...

    @property
    def last_at(self) -> datetime:
        """Time of the last record; the beginning of time if there is none."""
        ...

    @property
    def past(self) -> PastIndex:
        """The index of orders that left memory."""
        ...

    def append(self, at: datetime, fact: Fact) -> int:
        """Write one record and return its sequence number. Raises `JournalWriteError`."""
        ...

    def flush(self) -> None:
        """Hand appended records to the operating system, without waiting for the disk. Raises `JournalWriteError`."""
        ...

    def sync(self) -> None:
        """Return when everything appended is on the disk. Raises `JournalWriteError`."""
        ...

    def records(self, after: int = 0) -> Iterator[Recorded]:
        """Yield every record with a sequence number above `after`, in order. Raises `JournalDamagedError`."""
        ...

    def backwards(self) -> Iterator[Recorded]:
        """Yield every record, newest first, read lazily; the chain is not checked.

        Raises `JournalDamagedError`, OSError.
        """
        ...


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state documents after the fact with this sequence number, and the digest of their shapes.

    A document is a plain JSON value; one to be saved may be encoded already, as `orjson.Fragment`.
    """

    sequence: int
    documents: Mapping[str, object]
    shape: str = ""


@dataclass(frozen=True, slots=True)
class NoCheckpoint:
    """No checkpoint to start from, with the reason: only the journal counts.

    `sequence` is the last record that is known to have existed.
    """

    reason: str
    sequence: int = 0


class Documents(Protocol):
    """The state documents (SP-02): plain JSON values, one document per slice."""

    def load(self) -> Checkpoint | NoCheckpoint:
        """Return the newest valid checkpoint."""
        ...

    def save(self, checkpoint: Checkpoint) -> None:
        """Replace the documents atomically. Raises OSError."""
        ...


class KillSwitch(Protocol):
    """The latch outside the journal: a file, or the environment (OP-08)."""

    def is_on(self) -> str | None:
        """Return the source of the latch (`file`, `environment`), or None."""
        ...

    def latch(self, by: str) -> None:
        """Write the file. Raises OSError."""
        ...

    def release(self) -> None:
        """Remove the file. Raises OSError."""
        ...
