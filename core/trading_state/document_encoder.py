"""Encode a state document as JSON, and only those parts of it that changed (SP-02).

A desk encodes its documents on the engine's thread every few seconds, and nearly all of a day's data does not change
any more. An immutable value is the same while it is the same object; a row of a table may also be an object that counts
its changes. Both are exact. All other values are encoded each time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import cache
from itertools import compress, count
from operator import is_not, ne
from types import NoneType, UnionType
from typing import Annotated, Any, Protocol, Union, get_args, get_origin, get_type_hints

import orjson
from pydantic import BaseModel, TypeAdapter

from core.model.counted_changes import CountsChanges, changes_of

SHIFTED = 8
"""Rows that leave the front of a list at a time, at most; with more, all rows are looked up."""
ATOMS = (str, int, bool, Decimal, date, NoneType, Enum)


class ValueEncoder(Protocol):
    """Encodes the values of one type in one place of a document, one after the other."""

    def encode(self, value: Any, into: list[bytes]) -> None:
        """Append its JSON in pieces: a document is large, and is joined once."""
        ...

    def recall(self, value: Any, read: Any) -> None:
        """Take the JSON values that `value` was just read from as its text, so that it is not encoded again."""
        ...


def encoder_of(kind: Any, sparse: Collection[str] = ()) -> ValueEncoder:
    """Return an encoder for values of a type.

    Parameters
    ----------
    sparse
        The fields of a dataclass with many rows. Fields of those rows that have their default are left out: the reader
        adds them.
    """
    plain, args = _plain(kind), get_args(_plain(kind))
    if is_immutable(plain):
        return KeptValue(kind)
    if is_dataclass(plain):
        return FieldsEncoder(plain, sparse)
    if get_origin(plain) is list and _is_row(args[0]):
        return RowsEncoder(args[0], is_keyed=False)
    if get_origin(plain) is dict and _is_text(args[0]):
        if _is_row(args[1]):
            return RowsEncoder(args[1], is_keyed=True)
        if not isinstance(encoder_of(args[1]), WholeValue):
            return NamedValues(args[1])
    return WholeValue(kind)


class WholeValue:
    """Encodes a value each time."""

    def __init__(self, kind: Any) -> None:
        self._adapter = _adapter_of(kind)

    def encode(self, value: Any, into: list[bytes]) -> None:
        into.append(self._adapter.dump_json(value))

    def recall(self, value: Any, read: Any) -> None:
        """Do nothing."""


class KeptValue:
    """Encodes an immutable value when it is another one."""

    def __init__(self, kind: Any) -> None:
        self._adapter = _adapter_of(kind)
        self._value: Any = None
        self._text = b""

    def encode(self, value: Any, into: list[bytes]) -> None:
        if value is not self._value or not self._text:
            self._value, self._text = value, self._adapter.dump_json(value)
        into.append(self._text)

    def recall(self, value: Any, read: Any) -> None:
        if not isinstance(value, BaseModel):  # settings of an older version were upgraded as they were read
            self._value, self._text = value, orjson.dumps(read)


class FieldsEncoder:
    """Encodes the fields of a dataclass, each by its type."""

    def __init__(self, kind: Any, sparse: Collection[str]) -> None:
        self._encoders = {
            name: RowsEncoder(get_args(hint)[-1], is_keyed=get_origin(hint) is dict, is_sparse=True)
            if name in sparse
            else encoder_of(hint)
            for name, hint in _hints_of(kind)
        }

    def encode(self, value: Any, into: list[bytes]) -> None:
        before = b"{"
        for name, encoder in self._encoders.items():
            into.append(b'%b"%b":' % (before, name.encode()))
            encoder.encode(getattr(value, name), into)
            before = b","
        into.append(b"}")

    def recall(self, value: Any, read: Any) -> None:
        for name, encoder in self._encoders.items():
            if name in read:
                encoder.recall(getattr(value, name), read[name])


class NamedValues:
    """Encodes a dictionary with text keys whose values have parts of their own."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind
        self._encoders: dict[str, ValueEncoder] = {}

    def encode(self, value: Mapping[str, Any], into: list[bytes]) -> None:
        self._encoders = {key: self._encoders.get(key) or encoder_of(self._kind) for key in value}
        before = b""
        into.append(b"{")
        for key, encoder in self._encoders.items():
            into.append(b"%b%b:" % (before, orjson.dumps(key)))
            encoder.encode(value[key], into)
            before = b","
        into.append(b"}")

    def recall(self, value: Mapping[str, Any], read: Any) -> None:
        if list(value) == list(read):
            self._encoders = {key: encoder_of(self._kind) for key in value}
            for key, encoder in self._encoders.items():
                encoder.recall(value[key], read[key])


class RowsEncoder:
    """Encodes a list, or a dictionary with text keys, of rows: immutable values, or dataclasses that count changes.

    Raises
    ------
    TypeError
        Rows of this type can change unnoticed.
    """

    def __init__(self, row: Any, *, is_keyed: bool, is_sparse: bool = False) -> None:
        if not _is_row(row):
            raise TypeError(f"{row} can change unnoticed")
        self._adapter, self._is_keyed, self._is_sparse = _adapter_of(row), is_keyed, is_sparse
        self._can_change = not is_immutable(row)
        self._keys: list[str] = []
        self._rows: list[Any] = []
        self._changes: list[int] = []
        self._parts: list[bytes] = []
        """Each with a comma before it."""

    def encode(self, value: Any, into: list[bytes]) -> None:
        keys, rows, changes = self._taken(value)
        if not self._is_keyed:
            self._drop_what_left(rows)
        kept = len(self._rows)
        if len(rows) >= kept and (keys[:kept] == self._keys if self._is_keyed else rows[:1] == self._rows[:1]):
            parts, stale = self._parts, self._changed(rows, changes)
        else:
            parts, stale = self._rearranged(keys, rows, changes)
        fresh = [(index, self._text(keys, rows, index)) for index in stale]
        more = [self._text(keys, rows, index) for index in range(len(parts), len(rows))]
        for index, text in fresh:  # only now: an error above leaves what was known
            parts[index] = text
        self._keys, self._rows, self._changes, self._parts = keys, rows, changes, parts + more
        into += b"{" if self._is_keyed else b"[", *(part[1:] for part in self._parts[:1]), *self._parts[1:]
        into.append(b"}" if self._is_keyed else b"]")

    def recall(self, value: Any, read: Any) -> None:
        keys, rows, changes = self._taken(value)
        texts = list(map(orjson.dumps, read.values() if self._is_keyed else read))
        if len(texts) == len(rows) and keys == (list(read) if self._is_keyed else []):
            self._keys, self._rows, self._changes = keys, rows, changes
            self._parts = [self._named(keys, index, text) for index, text in enumerate(texts)]

    def _taken(self, value: Any) -> tuple[list[str], list[Any], list[int]]:
        keys, rows = (list(value), list(value.values())) if self._is_keyed else ([], list(value))
        return keys, rows, changes_of(rows) if self._can_change else []

    def _changed(self, rows: list[Any], changes: list[int]) -> list[int]:
        """Return the places of kept rows that are other ones, or that changed."""
        others = compress(count(), map(is_not, self._rows, rows))
        return [*others, *compress(count(), map(ne, self._changes, changes))]

    def _drop_what_left(self, rows: list[Any]) -> None:
        """Drop the first rows if they left: most lists are windows of the last minutes or trades."""
        first = next((index for index, row in enumerate(self._rows[:SHIFTED]) if rows and row is rows[0]), 0)
        del self._rows[:first], self._changes[:first], self._parts[:first]

    def _rearranged(self, keys: list[str], rows: list[Any], changes: list[int]) -> tuple[list[bytes], list[int]]:
        """Return the kept parts where their rows are now, and the places of the others."""
        old: Mapping[Any, int] = {key: index for index, key in enumerate(self._keys or map(id, self._rows))}
        parts, stale = [], []
        for index, key in enumerate(keys or map(id, rows)):
            at = old.get(key)
            is_kept = at is not None and self._rows[at] is rows[index] and self._changes[at:][:1] == changes[index:][:1]
            parts.append(self._parts[at] if is_kept and at is not None else b"")
            if not is_kept:
                stale.append(index)
        return parts, stale

    def _text(self, keys: list[str], rows: list[Any], index: int) -> bytes:
        return self._named(keys, index, self._adapter.dump_json(rows[index], exclude_defaults=self._is_sparse))

    def _named(self, keys: list[str], index: int, text: bytes) -> bytes:
        return b",%b:%b" % (orjson.dumps(keys[index]), text) if self._is_keyed else b"," + text


@cache
def is_immutable(kind: Any) -> bool:
    """Whether values of a type, and all that they contain, never change."""
    plain, args = _plain(kind), get_args(_plain(kind))
    if get_origin(plain) in (Union, UnionType, tuple, frozenset):
        return all(arg is Ellipsis or is_immutable(arg) for arg in args)
    if not isinstance(plain, type):
        return False
    if is_dataclass(plain):
        return is_frozen(kind) and not changing_fields(_plain(kind))
    if issubclass(plain, BaseModel):
        return bool(plain.model_config.get("frozen"))
    return issubclass(plain, ATOMS)


def is_frozen(kind: Any) -> bool:
    """Whether fields of this dataclass cannot be assigned."""
    return bool(_plain(kind).__dataclass_params__.frozen)


@cache
def changing_fields(kind: Any) -> tuple[str, ...]:
    """Return the fields of a dataclass whose values can change in place."""
    return tuple(name for name, hint in _hints_of(kind) if not is_immutable(hint))


@cache
def _hints_of(kind: Any) -> tuple[tuple[str, Any], ...]:
    """Return the type of each field of a dataclass, with its annotations."""
    hints = get_type_hints(kind, include_extras=True)
    return tuple((each.name, hints[each.name]) for each in fields(kind))


def _is_row(kind: Any) -> bool:
    plain = _plain(kind)
    counts = isinstance(plain, type) and issubclass(plain, CountsChanges)
    return is_immutable(plain) or (counts and not changing_fields(_plain(kind)))


def _is_text(kind: Any) -> bool:
    plain = _plain(kind)
    return isinstance(plain, type) and issubclass(plain, str) and not issubclass(plain, Enum)


@cache
def _plain(kind: Any) -> Any:
    """Return a type without its alias and annotations."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif (base := getattr(kind, "__supertype__", None)) is not None:
            kind = base
        else:
            return kind


@cache
def _adapter_of(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
