"""Shorten names so that no two look alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from widgets.grid_text import CUT


def told_apart(names: Iterable[str], width: int) -> Mapping[str, str]:
    """Shorten each name to at most `width` cells, unambiguously.

    A name that fits stays whole. Otherwise its beginning is kept with as little of its end as tells all names apart; if
    nothing else works, names are numbered.
    """
    return dict(_told_apart(tuple(sorted(set(names))), width))


@lru_cache(maxsize=64)
def _told_apart(names: tuple[str, ...], width: int) -> tuple[tuple[str, str], ...]:
    for end in range(max(1, width - 1)):
        short = [_cut(name, width, end) for name in names]
        if len(set(short)) == len(names):
            return tuple(zip(names, short, strict=True))
    return tuple(
        (name, name if len(name) <= width else _numbered(name, number, width))
        for number, name in enumerate(names, start=1)
    )


def _cut(name: str, width: int, end: int) -> str:
    if len(name) <= width:
        return name
    return name[: width - end - 1] + CUT + name[len(name) - end :]


def _numbered(name: str, number: int, width: int) -> str:
    tail = f"{CUT}{number}"
    return name[: max(0, width - len(tail))] + tail
