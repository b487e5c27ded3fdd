"""Any value of a class that crosses, by the types of its fields; and whether two are the very same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from random import Random
from types import NoneType
from typing import Any, get_args

from core.protocol.codec import BY_KIND, Hint, Shape, bare, encode, is_shaped, is_union, kinds_of, origin_of

MOST = 3
"""Members of a tuple."""
TEXTS = ("", "SPY", "1.50", "entries on", "–½", "\x00\x1b[2J", "日本", "a" * 40)
WHOLE = (0, 1, -1, 255, -(2**63), 2**63 - 1)
NUMBERS = (
    "0", "-0", "0.00", "1", "1.0", "1.00", "1E+5", "1E-9", "-12345678901234567890.12", "0.3333333333333333333333333",
)  # fmt: skip
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

LEAVES: dict[Any, Callable[[Random], Any]] = {
    NoneType: lambda _chance: None, bool: lambda chance: chance.random() < 0.5,
    int: lambda chance: chance.choice(WHOLE), float: lambda chance: chance.choice((0.0, -0.0, 1.5, 1e300)),
    str: lambda chance: chance.choice(TEXTS), bytes: lambda chance: chance.randbytes(3),
    Decimal: lambda chance: Decimal(chance.choice(NUMBERS)),
    datetime: lambda chance: EPOCH + timedelta(microseconds=chance.randint(-(10**16), 10**17)),
    time: lambda chance: time(chance.randrange(24), chance.randrange(60), chance.randrange(60)),
    date: lambda chance: date.fromordinal(chance.randint(1, 3_652_059)),
    timedelta: lambda chance: timedelta(microseconds=chance.randint(-(10**12), 10**12)),
}  # fmt: skip


def anything_of(hint: Hint, chance: Random) -> Any:
    """Of that type; every member of a union is as likely as another."""
    hint = bare(hint)
    if hint in LEAVES:
        return LEAVES[hint](chance)
    if is_union(hint):
        return anything_of(chance.choice(get_args(hint)), chance)
    if origin_of(hint) is tuple:
        parts = get_args(hint)
        if parts[-1] is Ellipsis:
            parts = parts[:1] * chance.randint(0, MOST)
        return tuple(anything_of(part, chance) for part in parts)
    if is_shaped(hint):
        return a_value_of(BY_KIND[chance.choice(kinds_of(hint))], chance)
    assert issubclass(hint, Enum)
    return chance.choice(list(hint))


def a_value_of(shape: Shape, chance: Random) -> Any:
    return shape.make(*(anything_of(hint, chance) for hint in shape.hints))


def another(value: Any, chance: Random) -> Any:
    """The same value, made anew where it changed: fields have others, members come, go and change places."""
    if type(value) is tuple:
        kept = [member for member in value if chance.random() > 0.1]
        members = [member if type(member) is tuple else another(member, chance) for member in kept]
        if chance.random() < 0.2:
            chance.shuffle(members)
        return tuple(members + members[: chance.random() < 0.1])
    shape = BY_KIND.get(type(value))
    if shape is None:
        return value
    pairs = zip(shape.values(value), shape.hints, strict=True)
    return shape.make(*(_another_field(part, hint, chance) for part, hint in pairs))


def _another_field(value: Any, hint: Hint, chance: Random) -> Any:
    if chance.random() < 0.1:
        return anything_of(hint, chance)
    is_fixed = origin_of(hint) is tuple and get_args(hint)[-1] is not Ellipsis
    return value if is_fixed or chance.random() < 0.3 else another(value, chance)


def is_the_same(one: Any, other: Any) -> bool:
    """Equal to the last digit and type, which equality alone does not say of numbers."""
    return type(one) is type(other) and one == other and repr(one) == repr(other) and encode(one) == encode(other)
