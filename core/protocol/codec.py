"""Encode values as MessagePack, and decode them. A class with fields is a list that begins with its number.

Decoding validates each class by a mirror type with the types of its fields: a wrong type, a missing or an extra field,
or an unreasonable number raises `FrameError` before a value is built. Numbers keep their exact text, times their
instant in UTC. Integers have 64 bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache, lru_cache
from math import isfinite
from operator import itemgetter
from types import NoneType
from typing import Annotated, Any, TypeAlias, TypeVar, Union, cast, get_args

import msgspec

from core.messages.commands import Command
from core.protocol.errors import FrameError
from core.protocol.shapes import (
    BY_KIND,
    COMMANDS,
    SHAPES,
    Hint,
    Shape,
    View,
    bare,
    is_shaped,
    is_union,
    kinds_of,
    origin_of,
    shape_of,
)

T = TypeVar("T")
Read: TypeAlias = Callable[[Any], Any]
"""Builds a value from its mirror; raises the exceptions of the value's own class."""

LARGEST_POWER, LONGEST = 64, 80
"""The maximum power of ten of a number, and the maximum length of its text, which bound its memory."""
SHARED = 256
"""The number of cached settings tables."""

_encoder = msgspec.msgpack.Encoder()
_PLAIN = frozenset({NoneType, bool, int, float, str, bytes, Decimal, datetime, date, time, timedelta})


# ── out ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def encode(value: Any) -> bytes:
    """Encode a value. Raises `FrameError` for types outside the protocol."""
    return packed(written(value))


def packed(rows: Any) -> bytes:
    """Encode the output of `written`. Raises `FrameError`."""
    try:
        return _encoder.encode(rows)
    except (OverflowError, UnicodeEncodeError, TypeError) as error:
        raise FrameError(f"this cannot be sent: {error}") from error


def written(value: Any) -> Any:
    """Convert a value to lists, texts and numbers of MessagePack."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is tuple:
        return [written(each) for each in value]
    writer = _WRITERS.get(kind)
    return writer(value) if writer is not None else _written_slowly(value, kind)


def _written_slowly(value: Any, kind: type) -> Any:
    if (shape := shape_of(kind)) is not None:
        return _WRITERS[shape.kind](value)
    if isinstance(value, Enum):
        return [value.value] if kind in _BOXED else value.value
    raise FrameError(f"{kind.__qualname__} does not cross")


def _writer(shape: Shape) -> Read:
    number, values = shape.number, shape.values
    nested = tuple(place for place, hint in enumerate(shape.hints, 1) if not is_plain(hint))

    def write(value: Any) -> list[Any]:
        row = [number, *values(value)]
        for place in nested:
            row[place] = written(row[place])
        return row

    return write


def is_plain(hint: Hint) -> bool:
    """Whether MessagePack encodes values of this type directly."""
    hint = bare(hint)
    if parts := [part for part in get_args(hint) if part is not Ellipsis]:
        return (origin_of(hint) is tuple or is_union(hint)) and all(is_plain(part) for part in parts)
    return hint in _PLAIN or (_is_enumeration(hint) and hint not in _BOXED)


def _is_enumeration(hint: Hint) -> bool:
    return isinstance(hint, type) and issubclass(hint, Enum)


def _beside_texts(hint: Hint) -> Iterator[Hint]:
    """Yield enumerations in unions with text: they are sent as a list of one, to distinguish them."""
    parts = [bare(part) for part in get_args(bare(hint))]
    if str in parts and is_union(hint):
        yield from filter(_is_enumeration, parts)
    for part in parts:
        yield from _beside_texts(part)


_BOXED: frozenset[Hint] = frozenset(found for shape in SHAPES for hint in shape.hints for found in _beside_texts(hint))

_WRITERS: dict[type, Read] = {shape.kind: _writer(shape) for shape in SHAPES}


# ── in ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Decoding:
    """How bytes become values of one type."""

    decoder: msgspec.msgpack.Decoder[Any]
    read: Read | None

    def __call__(self, data: bytes | msgspec.Raw) -> Any:
        try:
            found = self.decoder.decode(data)
            return found if self.read is None else self.read(found)
        except FrameError:
            raise
        except Exception as error:  # the peer is untrusted, and a class may reject values with any exception
            raise FrameError(f"{type(error).__name__}: {error}") from error


def decode(data: bytes | msgspec.Raw, kind: type[T]) -> T:
    """Decode a value of that class, or of one of its variants. Raises only `FrameError`."""
    return cast(T, decoding(cast(Hint, kind))(data))


def decode_view(data: bytes | msgspec.Raw) -> View:
    return cast(View, decoding(View)(data))


def decode_command(data: bytes | msgspec.Raw) -> Command:
    """Decode a command of an external sender, without the sender. Raises `FrameError`."""
    return cast(Command, decoding(_ANY_COMMAND)(data))


@cache
def decoding(hint: Hint) -> Decoding:
    return Decoding(msgspec.msgpack.Decoder(_mirrored(hint)), _reader(hint))


def _any_of(parts: tuple[Any, ...]) -> Hint:
    return Union[parts]  # noqa: UP007 — of as many as there are


_ANY_COMMAND = _any_of(COMMANDS)


@cache
def _mirror(shape: Shape) -> type[msgspec.Struct]:
    parts = [(name, _mirrored(hint)) for name, hint in zip(shape.names, shape.hints, strict=True)]
    return msgspec.defstruct(
        shape.kind.__name__,
        parts,
        array_like=True,
        tag_field="class_number",
        tag=shape.number,
        forbid_unknown_fields=True,
        frozen=True,
    )


def _mirrored(hint: Hint) -> Any:
    """Return the mirror type of a type, for validation."""
    hint = bare(hint)
    if is_shaped(hint):
        return _any_of(tuple(_mirror(BY_KIND[kind]) for kind in kinds_of(hint)))
    if hint is datetime:
        return Annotated[datetime, msgspec.Meta(tz=True)]
    if hint in _BOXED:
        return tuple[hint]
    if not (parts := get_args(hint)):
        return hint
    made = tuple(part if part is Ellipsis else _mirrored(part) for part in parts)
    if is_union(hint):
        return _any_of(made)
    if origin_of(hint) is not tuple:
        raise TypeError(f"{hint} does not cross: what there are many of is a tuple")
    return tuple.__class_getitem__(made)


def _reader(hint: Hint) -> Read | None:
    """Return the reader of a type; None if the mirror is the value."""
    hint = bare(hint)
    if is_union(hint):
        return _one_of(tuple(bare(part) for part in get_args(hint)))
    if origin_of(hint) is tuple:
        return _tuple_reader(get_args(hint))
    if is_shaped(hint):
        return _one_of((hint,))
    if hint in _BOXED:
        return itemgetter(0)
    return _CHECKS.get(hint)


def _tuple_reader(parts: tuple[Any, ...]) -> Read | None:
    if parts[-1] is Ellipsis:
        each_of_them = _reader(parts[0])
        return None if each_of_them is None else lambda found: tuple(map(each_of_them, found))
    readers = [_reader(part) for part in parts]
    if not any(readers):
        return None
    return lambda found: tuple(each if read is None else read(each) for each, read in zip(found, readers, strict=True))


def _one_of(parts: tuple[Hint, ...]) -> Read | None:
    """Return the reader of a union, by mirror type; ambiguous unions are rejected when the mirror is built."""
    readers: dict[type, Read] = {}
    for part in parts:
        if is_shaped(part):
            readers |= {_mirror(BY_KIND[kind]): _shape_reader(BY_KIND[kind]) for kind in kinds_of(part)}
        elif (read := _reader(part)) is not None:
            readers[tuple if part in _BOXED else origin_of(part) or part] = read
    if not readers:
        return None
    get = readers.get

    def read_one(found: Any) -> Any:
        read = get(type(found))
        return found if read is None else read(found)

    return read_one


@cache
def _shape_reader(shape: Shape) -> Read:
    readers = ((place, _reader(hint)) for place, hint in enumerate(shape.hints))
    parts = tuple((place, read) for place, read in readers if read is not None)
    make, astuple = shape.make, msgspec.structs.astuple

    def read_fields(found: Any) -> Any:
        values = list(astuple(found))
        for place, read in parts:
            if values[place] is not None:
                values[place] = read(values[place])
        return make(*values)

    return lru_cache(SHARED)(read_fields) if shape.is_table else read_fields


def _number(number: Decimal) -> Decimal:
    if not number.is_finite() or abs(number.adjusted()) > LARGEST_POWER or len(str(number)) > LONGEST:
        raise FrameError(f"a number that cannot be reckoned with: {number:.12}")
    return number


def _real(number: float) -> float:
    if not isfinite(number):
        raise FrameError(f"a number that cannot be reckoned with: {number}")
    return number


def _instant(at: datetime) -> datetime:
    return at if at.tzinfo is UTC else at.astimezone(UTC)


_CHECKS: Mapping[type, Read] = {Decimal: _number, float: _real, datetime: _instant}
