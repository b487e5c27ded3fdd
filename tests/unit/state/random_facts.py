"""Facts of any kind with drawn fields: numbers, texts and times as odd as their types allow."""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from random import Random
from types import UnionType
from typing import Any

from core.settings.settings import PROFILES, Settings

ODD_NUMBERS = ("0", "-0.00", "0E-9", "1E+2", "0.300", "-7", "12345678901234567890.123456789", "1E-300")
LETTERS = "abcXYZ 0189.,:-_/'\"\\\n\t\0\x7fäß€日本\u2028\ufeff😀"
FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


@cache
def profiles() -> tuple[Settings, ...]:
    return tuple(Settings.model_validate({"profile": name, **PROFILES[name]}) for name in sorted(PROFILES))


@cache
def fields_of(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def number(chance: Random) -> Decimal:
    if chance.random() < 0.3:
        return Decimal(chance.choice(ODD_NUMBERS))
    return Decimal(chance.randint(-(10**9), 10**9)).scaleb(-chance.randrange(9))


def text(chance: Random) -> str:
    return "".join(chance.choices(LETTERS, k=chance.randrange(12)))


def instant(chance: Random) -> datetime:
    if chance.random() < 0.1:
        return chance.choice((FIRST, LAST, datetime(1970, 1, 1, tzinfo=UTC)))
    return FIRST + timedelta(days=chance.randrange(3_650_000), microseconds=chance.randrange(86_400_000_000))


PLAIN: Mapping[object, Callable[[Random], object]] = {
    Decimal: number, Settings: lambda chance: chance.choice(profiles()), bool: lambda chance: chance.random() < 0.5,
    date: lambda chance: instant(chance).date(), datetime: instant,
    time: lambda chance: instant(chance).time().replace(microsecond=0),
    int: lambda chance: chance.choice((0, 1, chance.randrange(1000), 2**63 - 1)), str: text,
    type(None): lambda chance: None,
}  # fmt: skip


def drawn(hint: Any, chance: Random) -> Any:
    """A value of a type, as a field of a fact names it."""
    if hint in PLAIN:
        return PLAIN[hint](chance)
    if hasattr(hint, "__supertype__"):
        return drawn(hint.__supertype__, chance)
    if is_dataclass(hint):
        return hint(**{name: drawn(of, chance) for name, of in fields_of(hint).items()})  # type: ignore[operator]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return chance.choice(list(hint))
    return _of_parts(typing.get_origin(hint), typing.get_args(hint), chance)


def _of_parts(origin: object, parts: tuple[Any, ...], chance: Random) -> Any:
    if origin in (typing.Union, UnionType):
        return drawn(chance.choice(parts), chance)
    if origin is tuple and parts[-1] is Ellipsis:
        return tuple(drawn(parts[0], chance) for _ in range(chance.randrange(3)))
    if origin is tuple:
        return tuple(drawn(part, chance) for part in parts)
    if origin is dict:
        return {drawn(parts[0], chance): drawn(parts[1], chance) for _ in range(chance.randrange(3))}
    raise TypeError(f"no facts of {origin} are drawn")
