"""Objects that count their changes, so that a reader notices one without comparing every field."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

_set = object.__setattr__
_changes = attrgetter("changes")


class CountsChanges:
    """Base of a dataclass with slots: each assignment to a field after its creation counts.

    Attributes
    ----------
    changes
        No field of the dataclass, and not set before the first change: `changes_of` reads it.
    """

    __slots__ = ("changes",)

    changes: int

    def __setattr__(self, name: str, value: Any) -> None:
        _set(self, name, value)
        _set(self, "changes", getattr(self, "changes", 0) + 1)


def changes_of(rows: Sequence[CountsChanges]) -> list[int]:
    """Return how often a field of each was assigned since its creation."""
    try:
        return list(map(_changes, rows))
    except AttributeError:
        for row in rows:
            if not hasattr(row, "changes"):
                _set(row, "changes", 0)
        return list(map(_changes, rows))
