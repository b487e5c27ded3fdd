"""Access to a broker: the API keys of an account, their redaction, and the schema of the answers (MD-07).

The tables are beside the adapters. Every reader gets its fields through its table, so the two cannot drift apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from dataclasses import field as made
from datetime import date
from enum import Enum

from pydantic import SecretStr

from core.model.account import Mode
from core.model.lazy_dataclass import dataclass


class AccountRefusedError(Exception):
    """These keys, or this account, cannot be used; the message is one line with the remedy."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Handed to the adapters alone (SY-06)."""

    key_id: SecretStr
    secret: SecretStr


def unchecked(keys: Keys, _mode: Mode) -> Keys:
    """Accept keys that cannot be checked before they are used."""
    return keys


@dataclass(frozen=True, slots=True)
class KeyNames:
    """Names for looking up keys; two adapters with the same names share them.

    Attributes
    ----------
    whose
        Name of their issuer, for people.
    key_id, secret
        Environment variables.
    service
        The name in the system's keyring; its users are `paper-key-id`, `paper-secret-key`, and the same for live.
    check
        Raises `AccountRefusedError` if they cannot be keys of that mode (OP-10).
    """

    whose: str
    key_id: str
    secret: str
    service: str
    check: Callable[[Keys, Mode], Keys] = field(default=unchecked, compare=False)


class ApiFieldKind(Enum):
    """The kind of a field's value, in JSON's terms."""

    TEXT = "text"
    NUMBER = "number"
    """A number, as a number or as text."""
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
        The meaning of a missing or null field; empty if it is always there, and an answer without it is unreadable.
    words
        All known values of an enumerated field; empty if any text is valid. An unknown value is kept as it is, or makes
        the answer unreadable; it is never taken for a known one.
    goes
        The day from which the broker no longer promises it; None without a named day. From the announcement on the
        field may be absent, whatever the broker's description requires.
    instead
        The replacement of a field that the broker has deprecated; empty if it stays.
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
        A readable name, and the request it comes from.
    described
        Its name in the broker's own description; empty if that has none.
    """

    name: str
    asked: str
    described: str
    fields: tuple[ApiField, ...]
    _by_name: Mapping[str, ApiField] = made(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {one.name: one for one in self.fields})

    def field(self, name: str) -> ApiField:
        """Return a field. Raises KeyError if the table lacks it: readers use only fields of their table."""
        return self._by_name[name]


@dataclass(frozen=True, slots=True)
class ApiRemoval:
    """A field that the broker will remove; `day` is None if not announced yet."""

    day: date | None
    record: str
    field: str
    instead: str
    absent: str

    def in_words(self, today: date) -> str:
        """As in `2026-09-22 easy_to_borrow of an asset goes (32 days ago); read before it: borrow_status`."""
        what = f"{self.field} of {self.record} goes"
        if self.day is None:
            return f"no day yet: {what}; read before it: {self.instead}"
        days = (self.day - today).days
        when = f"in {days} days" if days > 0 else f"{-days} days ago"
        return f"{self.day} {what} ({when}); read before it: {self.instead}"


def removals(records: Iterable[ApiRecord]) -> tuple[ApiRemoval, ...]:
    """Return all announced removals by day, those without a day last."""
    found = [
        ApiRemoval(one.goes, record.name, one.name, one.instead, one.absent)
        for record in records
        for one in record.fields
        if one.instead
    ]
    return tuple(sorted(found, key=lambda removal: (removal.day or date.max, removal.record, removal.field)))


# ── redaction of keys ────────────────────────────────────────────────────────────────────────────────────────────────
# Redact keys in text for people (SY-06). Parsed data is never changed: a short key may match digits.

HIDDEN = "(hidden)"
PLAIN = 8
"""The length from which a key is redacted anywhere; a shorter one only as a separate word."""


class Redaction:
    """Redacts the keys in text for a screen, a journal or an error."""

    def __init__(self, *keys: SecretStr) -> None:
        words = sorted({key.get_secret_value() for key in keys} - {""}, key=len, reverse=True)
        self._words = re.compile("|".join(map(_pattern, words))) if words else None

    def __call__(self, text: str) -> str:
        return text if self._words is None else self._words.sub(HIDDEN, text)

    def __repr__(self) -> str:
        return "Redaction()"


def _pattern(word: str) -> str:
    plain = re.escape(word)
    return plain if len(word) >= PLAIN else rf"(?<![A-Za-z0-9_]){plain}(?![A-Za-z0-9_])"
