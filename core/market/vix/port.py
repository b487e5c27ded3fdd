"""What the service needs of its source and of its memory. The disk implements the one, the network the other."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.model.regime import DailyValue, NoVix, VixReading


class VixError(Exception):
    """The source gave nothing that can be believed; the message says why."""


class VixSource(Protocol):
    def history(self) -> Sequence[DailyValue]:
        """Every close, in order of time; blocks for at most its time-outs. Raises `VixError`."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """What the processes of a home remember together.

    Attributes
    ----------
    reading
        The last that was measured.
    fetched_at
        When the source said so, UTC.
    failed_at, failure
        When it was last asked in vain since then, and why.
    """

    reading: VixReading | NoVix
    fetched_at: datetime | None = None
    failed_at: datetime | None = None
    failure: str = ""


class VixMemory(Protocol):
    """One file for all processes."""

    def load(self) -> Kept:
        """The last whole one that was saved; `NoVix` where there is none that can be believed."""
        ...

    def save(self, kept: Kept) -> None:
        """Replace it, whole. Only in one's turn. Raises OSError."""
        ...

    def turn(self) -> AbstractContextManager[bool]:
        """Whether it is this process's turn to ask; at most one has it, until it is done or dead. Raises OSError."""
        ...
