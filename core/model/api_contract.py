"""What a broker promises of its answers (MD-07): the fields that are read, their kinds, what the absence of one means.

The tables stand beside the adapters. A reader gets each field through its table, so that the two cannot drift.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as made
from datetime import date
from enum import Enum


class ApiFieldKind(Enum):
    """What a field holds, in JSON's own terms."""

    TEXT = "text"
    NUMBER = "number"
    """A number, written as one or as text."""
    FLAG = "flag"
    MOMENT = "time"
    LIST = "list"
    OBJECT = "object"


@dataclass(frozen=True, slots=True)
class ApiField:
    """One field of an object.

    Attributes
    ----------
    absent
        What it means where it is missing or null; empty where it is always there, and an answer without it unreadable.
    words
        Every word that is known of one that takes words; empty where any text is right. Any other is kept as it was
        said, or makes the answer unreadable: it is never taken for one of these.
    goes
        The day from which the broker no longer promises it; None where it has named none. From the announcement on the
        field may be absent, whatever the broker's description requires.
    instead
        What stands in the place of a field that the broker has said will go; empty where it stays.
    """

    name: str
    kind: ApiFieldKind
    absent: str = ""
    words: frozenset[str] = frozenset()
    goes: date | None = None
    instead: str = ""

    @property
    def is_always_there(self) -> bool:
        return not self.absent


@dataclass(frozen=True, slots=True)
class ApiRecord:
    """One kind of object.

    Attributes
    ----------
    name, asked
        What it is, in words, and where it comes from.
    described
        Its name in the broker's own description; empty where that has none.
    """

    name: str
    asked: str
    described: str
    fields: tuple[ApiField, ...]
    _by_name: Mapping[str, ApiField] = made(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {one.name: one for one in self.fields})

    def field(self, name: str) -> ApiField:
        """Raises KeyError where the table does not have it: no reader reads what is not in its table."""
        return self._by_name[name]


@dataclass(frozen=True, slots=True)
class ApiRemoval:
    """A field that the broker has said will go; without a day where it has named none yet."""

    day: date | None
    record: str
    field: str
    instead: str
    absent: str

    def in_words(self, today: date) -> str:
        """`2026-09-22 easy_to_borrow of an asset goes (32 days ago); read before it: borrow_status`"""
        what = f"{self.field} of {self.record} goes"
        if self.day is None:
            return f"no day yet: {what}; read before it: {self.instead}"
        days = (self.day - today).days
        when = f"in {days} days" if days > 0 else f"{-days} days ago"
        return f"{self.day} {what} ({when}); read before it: {self.instead}"


def removals(records: Iterable[ApiRecord]) -> tuple[ApiRemoval, ...]:
    """What is due: by its day, then what has none yet."""
    found = [
        ApiRemoval(one.goes, record.name, one.name, one.instead, one.absent)
        for record in records
        for one in record.fields
        if one.instead
    ]
    return tuple(sorted(found, key=lambda removal: (removal.day or date.max, removal.record, removal.field)))
