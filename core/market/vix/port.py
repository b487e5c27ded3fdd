"""Ports of the VIX service: its source (network) and its memory (disk)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.model.sizing import DailyValue, NoVix, VixReading


class VixError(Exception):
    """The source gave no credible answer; the message has the reason."""


class VixSource(Protocol):
    def history(self) -> Sequence[DailyValue]:
        """Return every close, in order of time; blocks for at most its time-outs. Raises `VixError`."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """The shared cache of a home's processes.

    Attributes
    ----------
    reading
        The last reading.
    fetched_at
        When it was fetched from the source, UTC.
    failed_at, failure
        Time and reason of the last failed request since then.
    """

    reading: VixReading | NoVix
    fetched_at: datetime | None = None
    failed_at: datetime | None = None
    failure: str = ""


class VixMemory(Protocol):
    """One file for all processes."""

    def load(self) -> Kept:
        """Return the last saved state; `NoVix` if there is no credible one."""
        ...

    def save(self, kept: Kept) -> None:
        """Replace it, whole. Only while holding the turn. Raises OSError."""
        ...

    def turn(self) -> AbstractContextManager[bool]:
        """Yield whether this process may fetch; at most one has the turn, until it is done or dead. Raises OSError."""
        ...
