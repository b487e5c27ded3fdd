"""The shape of a type: its serialized form, by its fields, down to texts and numbers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from hashlib import sha256
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from core.settings.settings import Settings

MEMBERS = "one of"
"""Precedes the members of an enumeration."""

Shape = Any
"""A text for an atomic type; `{"a": …, "b?": …}` for fields, those with a default marked; otherwise lists."""


def shape_of(kind: Any, within: tuple[Any, ...] = ()) -> Shape:
    """Return the shape of a type; `within` are its enclosing types, which are not repeated."""
    kind = getattr(kind, "__supertype__", kind)
    if kind in within:
        return f"as the {within.index(kind) + 1}. around it"
    if kind is Settings:
        return "settings"  # its history is handled separately
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
    """Return the digest of these types' shapes, by name, without the members of enumerations.

    Data written with fewer members contains none of the new ones, and is read unchanged.
    """
    shapes = {name: _without_members(shape_of(kind)) for name, kind in kinds}
    return sha256(json.dumps(shapes, sort_keys=True).encode()).hexdigest()


def _without_members(shape: Shape) -> Shape:
    if isinstance(shape, dict):
        return {name: _without_members(part) for name, part in shape.items()}
    if isinstance(shape, list):
        return shape[0] if shape[0] is MEMBERS else [_without_members(part) for part in shape]
    return shape
