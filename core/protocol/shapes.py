"""The classes of the protocol: found by the types of their fields, numbered, and covered by one digest.

Classes that are not reachable from the roots are not sent. Nor is a command's `sender`: the receiving end adds it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from functools import partial
from hashlib import sha256
from operator import attrgetter
from types import UnionType
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from core.messages.commands import Command, SettingsFileSeen, WatchlistFilesSeen
from core.risk.size_factors.base import Conditions
from core.views.desk import DeskView
from core.views.engine import EngineFailed, EngineLoading

View: TypeAlias = DeskView | EngineLoading | EngineFailed
"""The values that a desk draws."""
OF_THE_FILES = (SettingsFileSeen, WatchlistFilesSeen)
COMMANDS: tuple[type, ...] = tuple(kind for kind in get_args(Command) if kind not in OF_THE_FILES)
"""Commands of external senders; changes of the settings files are detected by the engine's own side."""
ROOTS: tuple[type, ...] = (*get_args(View), *COMMANDS)
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

    @property
    def is_table(self) -> bool:
        """Whether it is a settings table: cached and shared, because building one validates it."""
        return issubclass(self.kind, BaseModel)


def bare(hint: Hint) -> Hint:
    """Return the underlying type."""
    origin: Any = get_origin(hint)
    if origin is Annotated:
        return bare(get_args(hint)[0])
    return bare(hint.__supertype__) if hasattr(hint, "__supertype__") else hint


def is_shaped(hint: Hint) -> bool:
    """Whether it is a class with fields."""
    return isinstance(hint, type) and (is_dataclass(hint) or issubclass(hint, BaseModel))


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


def _fields_of(kind: Any) -> dict[str, Hint]:
    if issubclass(kind, BaseModel):
        return {name: bare(field.annotation) for name, field in kind.model_fields.items()}
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
    by_name = issubclass(kind, BaseModel) or any(field.kw_only for field in fields(kind))
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
