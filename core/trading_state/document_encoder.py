"""Encode a state document as JSON, and the rows of its large tables only when they changed (SP-02).

A desk encodes its documents on the engine's thread every few seconds, and nearly all rows of a day are orders that have
ended. A row is compared with what it was the last time, field by field; this is exact, because the values of its fields
are immutable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from operator import attrgetter, eq, is_
from typing import Any, get_args, get_origin, get_type_hints

import orjson
from pydantic import TypeAdapter


class DocumentEncoder:
    """Encodes the documents of one type, one after the other.

    Fields of rows that have their default are left out: the reader adds them.

    Parameters
    ----------
    tables
        The fields with many rows: dictionaries with text keys, or lists.
    """

    def __init__(self, kind: Any, adapter: TypeAdapter[Any], tables: tuple[str, ...] = ()) -> None:
        self._adapter = adapter
        hints = get_type_hints(kind) if tables else {}
        self._tables = {name: RowTable(hints[name]) for name in tables}

    def encode(self, document: Any) -> bytes:
        """Return the JSON of a document."""
        return b"".join(self._pieces(document))

    def _pieces(self, document: Any) -> Iterator[bytes]:
        """Yield the JSON piece by piece: it is large, and is joined once."""
        rest = self._adapter.dump_json(document, exclude=set(self._tables))
        yield rest[:-1]
        separator = b"" if rest == b"{}" else b","
        for name, table in self._tables.items():
            yield b'%b"%b":' % (separator, name.encode())
            yield from table.pieces(getattr(document, name))
            separator = b","
        yield rest[-1:]


class RowTable:
    """Encodes a table. A row is a frozen dataclass, or a dataclass whose fields have immutable values."""

    def __init__(self, hint: Any) -> None:
        self._has_keys = get_origin(hint) is dict
        row = get_args(hint)[-1]
        self._adapter = _adapter_of(row)
        self._read: Callable[[Any], Any] | None = None if is_frozen(row) else attrgetter(*(f.name for f in fields(row)))
        self._is_same = is_ if self._read is None else eq
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


def is_frozen(row: Any) -> bool:
    """Whether rows of this type cannot change; of a union, whether all of its types cannot."""
    kinds: Any = [row] if is_dataclass(row) else get_args(row)
    return all(kind.__dataclass_params__.frozen for kind in kinds)


@cache
def _adapter_of(row: Any) -> TypeAdapter[Any]:
    return TypeAdapter(row)
