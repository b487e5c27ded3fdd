"""Words for members of an enumeration, where a setting allows only some of them.

pydantic takes `Literal[StopHolder.BROKER, StopHolder.DESK]` from the members themselves and never from their words,
which are all that a file, a variable or the journal can hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Literal, get_args, get_origin

from pydantic import BaseModel


def with_members(model: type[BaseModel], values: Mapping[str, object]) -> dict[str, object]:
    """A copy of `values` in which such words have become members, tables inside included; all else stays as it is."""
    return {key: _member(_annotation(model, key), value) for key, value in values.items()}


def _annotation(model: type[BaseModel], key: str) -> object:
    field = model.model_fields.get(key)
    return None if field is None else field.annotation


def _member(annotation: object, value: object) -> object:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and isinstance(value, Mapping):
        return with_members(annotation, value)
    if get_origin(annotation) is not Literal:
        return value
    words = {member.value: member for member in get_args(annotation) if isinstance(member, Enum)}
    return words.get(value, value) if isinstance(value, str) else value
