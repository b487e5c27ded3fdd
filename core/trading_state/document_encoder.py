"""Encode a state document as JSON, and each of its rows only when it changed (SP-02).

A desk encodes its documents on the engine's thread every few seconds, and nearly all rows of a day are orders that have
ended. A row is compared with what it was the last time, field by field; this is exact, because only rows with immutable
field values are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from operator import attrgetter, eq, is_
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import orjson
from pydantic import TypeAdapter

ATOMS = (str, int, float, bool, bytes, Decimal, datetime, date, time, timedelta, NoneType, Enum)


class DocumentEncoder:
    """Encodes the documents of one type, one after the other.

    Fields that have their default are left out: the reader adds them.
    """

    def __init__(self, kind: Any, adapter: TypeAdapter[Any]) -> None:
        self._adapter = adapter
        self._parts = dict(_parts_in(kind))

    @property
    def has_rows(self) -> bool:
        return bool(self._parts)

    def encode(self, document: Any) -> bytes:
        """Return the JSON of a document."""
        return b"".join(self.pieces(document))

    def pieces(self, document: Any) -> Iterator[bytes]:
        """Yield the JSON piece by piece: it is large, and is joined once."""
        rest = self._adapter.dump_json(document, exclude=set(self._parts), exclude_defaults=True)
        yield rest[:-1]
        separator = b"" if rest == b"{}" else b","
        for name, part in self._parts.items():
            yield b'%b"%b":' % (separator, name.encode())
            yield from part.pieces(getattr(document, name))
            separator = b","
        yield rest[-1:]


class RowTable:
    """Encodes the rows of a document: a dictionary with text keys, or a list."""

    def __init__(self, row: Any, *, has_keys: bool) -> None:
        self._has_keys = has_keys
        self._adapter: TypeAdapter[Any] = TypeAdapter(row)
        is_frozen = _is_immutable(row)
        self._read: Callable[[Any], Any] | None = None if is_frozen else attrgetter(*(f.name for f in fields(row)))
        self._is_same = is_ if is_frozen else eq
        self._keys: list[str] = []
        self._seen: list[Any] = []
        self._parts: list[bytes] = []

    def pieces(self, rows: Any) -> Iterator[bytes]:
        keys, values = (list(rows), list(rows.values())) if self._has_keys else ([], list(rows))
        seen = values if self._read is None else list(map(self._read, values))
        known = self._known(keys)
        parts: list[bytes] = []
        for index, now in enumerate(seen):
            at = index if known is None else known.get(keys[index], len(self._seen))
            if at < len(self._seen) and self._is_same(self._seen[at], now):
                parts.append(self._parts[at])
            else:
                text = self._adapter.dump_json(values[index], exclude_defaults=True)
                parts.append(orjson.dumps(keys[index]) + b":" + text if self._has_keys else text)
        self._keys, self._seen, self._parts = keys, seen, parts
        yield b"{" if self._has_keys else b"["
        yield b",".join(parts)
        yield b"}" if self._has_keys else b"]"

    def _known(self, keys: list[str]) -> Mapping[str, int] | None:
        """Return where each row was the last time; None if all are where they were."""
        if keys[: len(self._keys)] == self._keys:
            return None
        return {key: index for index, key in enumerate(self._keys)}


def _parts_in(kind: Any) -> Iterator[tuple[str, DocumentEncoder | RowTable]]:
    """Yield the fields with rows, and those that have such fields."""
    if not is_dataclass(kind):
        return
    hints = get_type_hints(kind)
    for field in fields(kind):
        hint = hints[field.name]
        origin, args = get_origin(hint), get_args(hint)
        if origin is dict and _plain(args[0]) is str and _are_rows(args[1]):
            yield field.name, RowTable(args[1], has_keys=True)
        elif origin is list and _are_rows(args[0]):
            yield field.name, RowTable(args[0], has_keys=False)
        elif is_dataclass(hint) and not _is_immutable(hint):
            part = DocumentEncoder(hint, TypeAdapter(hint))
            if part.has_rows:
                yield field.name, part


def _are_rows(kind: Any) -> bool:
    """Whether these are tuples or dataclasses that cannot change, or a dataclass whose field values cannot."""
    if get_origin(kind) is tuple:
        return _is_immutable(kind)
    if get_origin(kind) in (Union, UnionType):
        return all(map(is_dataclass, get_args(kind))) and _is_immutable(kind)
    return is_dataclass(kind) and _has_immutable_fields(kind)


def _has_immutable_fields(kind: Any) -> bool:
    hints = get_type_hints(kind)
    return all(_is_immutable(hints[field.name]) for field in fields(kind))


def _is_immutable(kind: Any) -> bool:
    kind = _plain(kind)
    origin = get_origin(kind)
    if origin is Annotated:
        return _is_immutable(get_args(kind)[0])
    if origin in (Union, UnionType, tuple, frozenset):
        return all(arg is Ellipsis or _is_immutable(arg) for arg in get_args(kind))
    if not isinstance(kind, type):
        return False
    if is_dataclass(kind):
        is_frozen = kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
        return is_frozen and _has_immutable_fields(kind)
    return issubclass(kind, ATOMS)


def _plain(kind: Any) -> Any:
    """Return the type that a new type stands for."""
    while (base := getattr(kind, "__supertype__", None)) is not None:
        kind = base
    return kind
