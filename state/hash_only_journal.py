"""A journal for a run that is never continued: the same lines, chained and hashed, but not kept.

A backtest of years writes a fact per bar. The fingerprint equals that of a file or memory journal with the same facts,
so that two runs can be compared; memory use stays constant.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime

from core.facts import Fact
from core.ports import Recorded
from state.journal import MemoryJournal


class HashOnlyJournal(MemoryJournal):
    """Discards each record after hashing it."""

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
        """Return the SHA-256 over all lines."""
        return self._total.hexdigest()
