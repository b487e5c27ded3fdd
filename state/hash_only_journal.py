"""A journal for a run that nobody takes up again: the same lines, chained and hashed, and none of them kept.

A backtest of years writes a fact a bar. The fingerprint is that of a file or memory journal with the same facts, so
that two runs can be compared; memory stays flat.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime

from core.facts import Fact
from core.ports import Recorded
from state.journal import MemoryJournal


class HashOnlyJournal(MemoryJournal):
    """Its records are gone as soon as they are written."""

    def __init__(self) -> None:
        super().__init__()
        self._total = hashlib.sha256()

    def append(self, at: datetime, fact: Fact) -> int:
        self._total.update(self._chain.line(at, fact))
        return self._chain.sequence

    def records(self, after: int = 0) -> Iterator[Recorded]:
        return iter(())

    def backwards(self) -> Iterator[Recorded]:
        return iter(())

    def fingerprint(self) -> str:
        """SHA-256 over all lines."""
        return self._total.hexdigest()
