"""Strict parsing of the fields of a broker's JSON, and the messages that could not be read.

Numbers are exact and bounded, times have a zone, texts a maximum length. Nothing is guessed or filled in: if a field
that the contract requires is missing, the answer is unreadable (MD-07).
"""

from __future__ import annotations

import re
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from core.model.api_contract import ApiRecord
from core.model.broker import UpdateEvent
from core.model.lazy_dataclass import dataclass
from core.model.values import Symbol, is_number

NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,40})?")
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{5,8}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})")
YEARS = range(1990, 2101)
"""The years of a valid time: arithmetic at either end of the calendar overflows."""
IDENTIFIER = re.compile(r"[0-9A-Za-z_-]+")
"""An id of the broker's: it becomes a part of an address, so it has no dots or slashes."""
LONGEST_TEXT = 200
SMALLEST_EXPONENT = -40
SHOWN = 40


class UnreadableFieldError(Exception):
    """A message of the broker that cannot be read: its place, and the fault."""


class Fields:
    """One JSON object, read by its table alone.

    Parameters
    ----------
    place
        The object's name, for errors: `order 61e69015`.
    """

    def __init__(self, raw: object, place: str, record: ApiRecord) -> None:
        if not isinstance(raw, dict):
            raise UnreadableFieldError(f"{place}: not an object but {shown(raw)}")
        self.raw: Mapping[str, Any] = raw
        self.place = place
        self.record = record

    def value(self, name: str) -> Any:
        """Return the raw value; None if it is missing, null or empty, and the table allows that."""
        field = self.record.field(name)
        value = self.raw.get(name)
        is_absent = value is None or (value == "" and "" not in field.words)
        if is_absent and field.is_always_there:
            raise self.unreadable(name, "is missing")
        return None if is_absent else value

    def text(self, name: str) -> str:
        text = self.word(name)
        if text is None:
            raise self.unreadable(name, "is missing")
        return text

    def word(self, name: str) -> str | None:
        """Return a text that may be missing, null or empty."""
        value = self.value(name)
        if value is None:
            return None
        if not isinstance(value, str) or len(value) > LONGEST_TEXT or not value.isprintable():
            raise self.unreadable(name, f"{shown(value)} is no plain text")
        return value

    def identifier(self, name: str) -> str:
        """Return an id of the broker's."""
        text = self.text(name)
        if not IDENTIFIER.fullmatch(text):
            raise self.unreadable(name, f"{shown(text)} is no id")
        return text

    def symbol(self) -> Symbol:
        symbol = self.optional_symbol()
        if symbol is None:
            raise self.unreadable("symbol", "is missing")
        return symbol

    def optional_symbol(self) -> Symbol | None:
        """Return the symbol in capitals: it is the same one in any case."""
        word = self.word("symbol")
        return None if word is None else Symbol(word.upper() if word.isascii() else word)

    def known_word(self, name: str) -> str:
        """Return a value that the table lists: another makes the answer unreadable."""
        word = self.text(name)
        if word not in self.record.field(name).words:
            raise self.unreadable(name, f"{shown(word)} is unknown here")
        return word

    def words(self, name: str) -> tuple[str, ...]:
        """Return a list of texts, known or not; empty if it is missing."""
        value = self.value(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(one, str) and one.isprintable() for one in value):
            raise self.unreadable(name, f"{shown(value)} is no list of texts")
        return tuple(one[:LONGEST_TEXT] for one in value)

    def number(self, name: str) -> Decimal:
        number = self.optional_number(name)
        if number is None:
            raise self.unreadable(name, "is missing")
        return number

    def optional_number(self, name: str) -> Decimal | None:
        """Return a number that may be missing, null or empty; written as text, as Alpaca does, or as a JSON number."""
        value = self.value(name)
        if value is None:
            return None
        number = _number(value)
        if number is None:
            raise self.unreadable(name, f"{shown(value)} is no number")
        return number

    def positive(self, name: str) -> Decimal:
        number = self.number(name)
        if number <= 0:
            raise self.unreadable(name, f"{shown(self.raw.get(name))} is not above zero")
        return number

    def optional_positive(self, name: str) -> Decimal | None:
        return None if self.optional_number(name) is None else self.positive(name)

    def not_negative(self, name: str) -> Decimal:
        number = self.number(name)
        if number < 0:
            raise self.unreadable(name, f"{shown(self.raw.get(name))} is below zero")
        return number

    def moment(self, name: str) -> datetime:
        """Return a time with its zone, as UTC, cut to microseconds."""
        value = self.value(name)
        if isinstance(value, str) and MOMENT.fullmatch(value):
            with suppress(ValueError, OverflowError):
                at = datetime.fromisoformat(value).astimezone(UTC)
                if at.year in YEARS:
                    return at
        raise self.unreadable(name, f"{shown(value)} is no time with a zone")

    def day(self, name: str) -> date:
        """Parse a day; a time after it is ignored."""
        with suppress(ValueError):
            day = date.fromisoformat(self.text(name)[:10])
            if day.year in YEARS:
                return day
        raise self.unreadable(name, "is no day")

    def flag(self, name: str) -> bool:
        """Return a required boolean: a missing one is not false."""
        flag = self.optional_flag(name)
        if flag is None:
            raise self.unreadable(name, "is missing")
        return flag

    def optional_flag(self, name: str) -> bool | None:
        value = self.value(name)
        if value is not None and not isinstance(value, bool):
            raise self.unreadable(name, f"{shown(value)} is neither true nor false")
        return value

    def unreadable(self, name: str, what: str) -> UnreadableFieldError:
        return UnreadableFieldError(f"{self.place}: {name} {what}")


def rows(raw: object, place: str) -> list[object]:
    if not isinstance(raw, list):
        raise UnreadableFieldError(f"{place}: not a list but {shown(raw)}")
    return raw


def shown(raw: object) -> str:
    """Return the beginning of a value, for a message."""
    text = repr(raw) if isinstance(raw, str | int | float | bool | Decimal | None) else type(raw).__name__
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _number(value: object) -> Decimal | None:
    if isinstance(value, str):
        number = Decimal(value) if NUMBER.fullmatch(value) else None
    elif isinstance(value, int) and not isinstance(value, bool):
        number = Decimal(value)
    elif isinstance(value, Decimal):
        number = value
    else:
        number = None
    if number is None or not is_number(number):
        return None
    exponent = number.as_tuple().exponent
    return number if isinstance(exponent, int) and exponent >= SMALLEST_EXPONENT else None


EVENTS: Mapping[str, UpdateEvent] = {event.value: event for event in UpdateEvent if event is not UpdateEvent.OTHER}
"""Every event of the trade updates, by Alpaca's name."""

FILLS = frozenset({UpdateEvent.FILL, UpdateEvent.PARTIAL_FILL})
"""Events that carry an execution."""


def event_of(word: str) -> UpdateEvent:
    """Return `OTHER` for an unknown event: the order that comes with it is authoritative."""
    return EVENTS.get(word, UpdateEvent.OTHER)


KEPT = 20
LONGEST = 2000
OTHERS = "other messages that could not be read"
"""Counts the reasons beyond those that are kept."""


@dataclass(frozen=True, slots=True)
class UnparsedMessage:
    """One message; `raw` is its beginning."""

    reason: str
    raw: str


class UnparsedMessages:
    """Thread-safe; `hide` removes secrets."""

    def __init__(self, hide: Callable[[str], str] = str) -> None:
        self._hide = hide
        self._lock = threading.Lock()
        self._last: deque[UnparsedMessage] = deque(maxlen=KEPT)
        self._count = 0
        self._reasons: Counter[str] = Counter()

    def note(self, reason: str, raw: object) -> bool:
        """Keep and count a message; return whether its reason is new."""
        text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
        unread = UnparsedMessage(self._hide(reason), self._hide(text)[:LONGEST])
        with self._lock:
            self._count += 1
            self._last.append(unread)
            counted = unread.reason if unread.reason in self._reasons or len(self._reasons) < KEPT else OTHERS
            self._reasons[counted] += 1
            return self._reasons[counted] == 1

    @property
    def count(self) -> int:
        return self._count

    @property
    def odd(self) -> tuple[tuple[str, int], ...]:
        """Return the count of each reason for a connection's status, the first one first."""
        with self._lock:
            return tuple(self._reasons.items())

    @property
    def last(self) -> tuple[UnparsedMessage, ...]:
        """Return the messages, the newest last."""
        with self._lock:
            return tuple(self._last)
