"""The shape of a type: what is written of it, by its fields, down to texts and numbers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from hashlib import sha256
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from core.settings.settings import Settings

MEMBERS = "one of"
"""Stands before the members of an enumeration."""

Shape = Any
"""A text for what has no parts; `{"a": …, "b?": …}` for fields, those with a default marked; lists for the rest."""


def shape_of(kind: Any, within: tuple[Any, ...] = ()) -> Shape:
    """Of a type; `within` are those around it, which are not told again."""
    kind = getattr(kind, "__supertype__", kind)
    if kind in within:
        return f"as the {within.index(kind) + 1}. around it"
    if kind is Settings:
        return "settings"  # whose history is their own
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [MEMBERS, *sorted(str(member.value) for member in kind)]
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return {
            field.name + ("?" if _has_default(field) else ""): shape_of(hints[field.name], (*within, kind))
            for field in fields(kind)
        }
    if get_origin(kind) is Annotated:
        return shape_of(get_args(kind)[0], within)
    if args := [arg for arg in get_args(kind) if arg is not Ellipsis]:
        name = getattr(get_origin(kind), "__name__", str(get_origin(kind)))
        return [name.replace("UnionType", "Union"), *(shape_of(arg, within) for arg in args)]
    return "None" if kind is type(None) else str(getattr(kind, "__name__", kind))


def _has_default(field: Any) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def digest_of(kinds: Iterable[tuple[str, Any]]) -> str:
    """Of the shapes of these types, by name; the members of enumerations left out.

    What was written while an enumeration had fewer members holds none of the others, and is read as it was.
    """
    shapes = {name: _without_members(shape_of(kind)) for name, kind in kinds}
    return sha256(json.dumps(shapes, sort_keys=True).encode()).hexdigest()


def _without_members(shape: Shape) -> Shape:
    if isinstance(shape, dict):
        return {name: _without_members(part) for name, part in shape.items()}
    if isinstance(shape, list):
        return shape[0] if shape[0] is MEMBERS else [_without_members(part) for part in shape]
    return shape
