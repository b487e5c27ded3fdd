"""Encode values as MessagePack and decode them by the numbered classes of the protocol.

Classes that are not reachable from the roots are not sent. Nor is a command's `sender`: the receiving end adds it.

Decoding validates each class by a mirror type with the types of its fields: a wrong type, a missing or an extra field,
or an unreasonable number raises `FrameError` before a value is built. Numbers keep their exact text, times their
instant in UTC. Integers have 64 bits.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache, partial
from hashlib import sha256
from math import isfinite
from operator import attrgetter, itemgetter
from types import NoneType, UnionType
from typing import Annotated, Any, TypeAlias, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from core.messages.commands import Command
from core.messages.desk_commands import EarningsFileSeen, SettingsFileSeen, ThesesFileSeen, WatchlistFilesSeen
from core.model.basket import BasketCheck
from core.model.lazy_dataclass import dataclass
from core.risk.sizing import Conditions
from core.views.desk import DeskView, EngineFailed, EngineLoading

View: TypeAlias = DeskView | EngineLoading | EngineFailed
"""The values that a desk draws."""
OF_THE_FILES = (SettingsFileSeen, ThesesFileSeen, EarningsFileSeen, WatchlistFilesSeen)
COMMANDS: tuple[type, ...] = tuple(kind for kind in get_args(Command) if kind not in OF_THE_FILES)
"""Commands of external senders; changes of the settings files are detected by the engine's own side."""
ROOTS: tuple[type, ...] = (*get_args(View), BasketCheck, *COMMANDS)
NEVER = "sender"
"""The field that is never sent."""

Hint: TypeAlias = Any
"""A type annotation; `NewType` and `Annotated` are unwrapped."""
LATE = {"Conditions": Conditions}
"""Names that the views import only for type checking."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A class of the protocol: its number, and its sent fields in order.

    `values` returns those of a value, and `make` builds a value from them.
    """

    number: int
    kind: type
    names: tuple[str, ...]
    hints: tuple[Hint, ...]
    values: Callable[[Any], tuple[Any, ...]]
    make: Callable[..., Any]


def bare(hint: Hint) -> Hint:
    """Return the underlying type."""
    if isinstance(hint, type):
        return hint
    origin: Any = get_origin(hint)
    if origin is Annotated:
        return bare(get_args(hint)[0])
    return bare(hint.__supertype__) if hasattr(hint, "__supertype__") else hint


def is_shaped(hint: Hint) -> bool:
    """Whether it is a class with fields."""
    return isinstance(hint, type) and is_dataclass(hint)


def is_union(hint: Hint) -> bool:
    return origin_of(hint) in (Union, UnionType)


def origin_of(hint: Hint) -> Any:
    """Return the origin of a generic type; None for others."""
    return get_origin(bare(hint))


def kinds_of(kind: Any) -> tuple[Any, ...]:
    """Return the classes allowed for this type: itself, and those in its module that add fields to it."""
    there = vars(sys.modules[kind.__module__])
    own = getattr(kind, "__dataclass_fields__", None)
    below = [there[name] for name in sorted({each.__qualname__ for each in kind.__subclasses__()}) if name in there]
    return kind, *(each for each in below if getattr(each, "__dataclass_fields__", own) is not own)


@cache
def _fields_of(kind: Any) -> dict[str, Hint]:
    hints = get_type_hints(kind, localns=LATE)
    return {field.name: bare(hints[field.name]) for field in fields(kind) if field.name != NEVER}


def _within(hint: Hint) -> Iterator[type]:
    """Yield the classes with fields in a type."""
    hint = bare(hint)
    if is_shaped(hint):
        yield from kinds_of(hint)
    for part in get_args(hint):
        yield from _within(part)


def _found() -> dict[str, type]:
    found: dict[str, type] = {}
    left = list(ROOTS)
    while left:
        kind = left.pop()
        name = f"{kind.__module__}.{kind.__qualname__}"
        if name not in found:
            found[name] = kind
            left += [inner for hint in _fields_of(kind).values() for inner in _within(hint)]
    return found


def _getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    get = attrgetter(*names) if names else None
    if get is None:
        return lambda _value: ()
    return get if len(names) > 1 else lambda value: (get(value),)


def _make_by_name(kind: type, names: tuple[str, ...], *values: Any) -> Any:
    return kind(**dict(zip(names, values, strict=True)))


def _shape(number: int, kind: Any) -> Shape:
    hints = _fields_of(kind)
    names = tuple(hints)
    by_name = any(field.kw_only for field in fields(kind))
    make = partial(_make_by_name, kind, names) if by_name else kind
    return Shape(number, kind, names, tuple(hints.values()), _getter(names), make)


SHAPES: tuple[Shape, ...] = tuple(_shape(number, kind) for number, (_, kind) in enumerate(sorted(_found().items())))
"""In the order of their names; the index is the number."""
BY_KIND: dict[type, Shape] = {shape.kind: shape for shape in SHAPES}


def shape_of(kind: type) -> Shape | None:
    """Return the shape of a class, or of its parent if it adds no fields."""
    for above in kind.__mro__:
        if (shape := BY_KIND.get(above)) is not None:
            same = getattr(kind, "__dataclass_fields__", None) is getattr(above, "__dataclass_fields__", None)
            return shape if same else None
    return None


def words_of(hint: Hint) -> Any:
    """Return a type for the digest: classes by number, enumerations by their members."""
    hint = bare(hint)
    if is_shaped(hint):
        return sorted(BY_KIND[kind].number for kind in kinds_of(hint))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {hint.__qualname__: [member.value for member in hint]}
    if parts := get_args(hint):
        name = getattr(get_origin(hint), "__name__", "").replace("UnionType", "Union") or "Union"
        return [name, *("..." if part is Ellipsis else words_of(part) for part in parts)]
    return getattr(hint, "__name__", str(hint))


def digest_of(frames: Iterable[tuple[str, Mapping[str, Hint]]]) -> str:
    """Return the digest of all shapes and frames, field by field in order."""
    shapes = ((shape.kind.__qualname__, dict(zip(shape.names, shape.hints, strict=True))) for shape in SHAPES)
    told = [(name, [(field, words_of(hint)) for field, hint in parts.items()]) for name, parts in (*shapes, *frames)]
    return sha256(json.dumps(told).encode()).hexdigest()


class FrameError(Exception):
    """Data that the protocol does not allow, received or to be sent; the message gives fault and place."""


T = TypeVar("T")
Read: TypeAlias = Callable[[Any], Any]
"""Builds a value from its mirror; raises the exceptions of the value's own class."""

LARGEST_POWER, LONGEST = 64, 80
"""The maximum power of ten of a number, and the maximum length of its text, which bound its memory."""

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

    return read_fields


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
