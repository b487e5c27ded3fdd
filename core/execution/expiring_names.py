"""Names that must not be used twice, each forgotten in time, so a desk that runs for months does not grow."""

from __future__ import annotations

from datetime import datetime, timedelta

from core.execution.order_retention import KEPT

A_DAY = timedelta(days=1)


class ExpiringNames:
    """Each name is kept as long as the ledger keeps an order, and at most a day beyond that."""

    def __init__(self) -> None:
        self._until: dict[str, datetime] = {}
        self._new: set[str] = set()
        self._looked_at: datetime | None = None

    def __contains__(self, name: str) -> bool:
        return name in self._until or name in self._new

    def __len__(self) -> int:
        return len(self._until) + len(self._new)

    def add(self, name: str, until: datetime | None = None) -> None:
        """Add a name; `until`, if given, is the last time at which it could be used."""
        if until is not None:
            self._until[name] = until + KEPT
        else:
            self._new.add(name)

    def discard(self, name: str) -> None:
        """Allow the name again."""
        self._until.pop(name, None)
        self._new.discard(name)

    def forget(self, now: datetime) -> None:
        """Forget old names, at most once a day. A name without a time counts from this call."""
        if self._looked_at is not None and now - self._looked_at < A_DAY:
            return
        self._looked_at = now
        self._until = {name: until for name, until in self._until.items() if now <= until}
        self._until |= dict.fromkeys(self._new, now + KEPT)
        self._new.clear()
