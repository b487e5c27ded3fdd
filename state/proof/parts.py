"""A line of the journal in four parts, each of which can be kept back: skeleton, amounts, symbols, texts (SP-08).

What is taken out leaves its place in the skeleton. What a text says, a reason or a setting, may hold both: it is kept
back with either.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

import orjson

AMOUNT = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
SYMBOL = re.compile(r"[A-Z]{1,6}([./-][A-Z]{1,4})?|[A-Z]{1,6}\d{6}[CP]\d{8}")
PLAIN = re.compile(r"[A-Za-z0-9_.:+-]*")
"""What a name, a code or a time is written with; all else is text."""


class Part(StrEnum):
    """In the order in which a line commits to them."""

    SKELETON = "skeleton"
    AMOUNTS = "amounts"
    SYMBOLS = "symbols"
    TEXTS = "texts"


MARK = {"a": Part.AMOUNTS, "s": Part.SYMBOLS, "t": Part.TEXTS}
"""`#a0` in the skeleton is the first amount, `#s0` the first symbol, `#t0` the first text."""
KEPT_BACK = {"amounts": (Part.AMOUNTS, Part.TEXTS), "symbols": (Part.SYMBOLS, Part.TEXTS)}
"""What is not shown of a line, by what the operator keeps back."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The four as JSON, in the order of `Part`."""

    skeleton: bytes
    amounts: bytes
    symbols: bytes
    texts: bytes

    @property
    def all(self) -> tuple[bytes, bytes, bytes, bytes]:
        return self.skeleton, self.amounts, self.symbols, self.texts


def split(line: bytes) -> Parts:
    """Of a sound line, its newline taken off."""
    taken: dict[str, list[object]] = {"a": [], "s": [], "t": []}
    skeleton = _without(orjson.loads(line), taken)
    return Parts(*map(orjson.dumps, (skeleton, *taken.values())))


def joined(parts: Parts) -> bytes:
    """The line again, byte for byte."""
    taken = dict(zip(MARK, map(orjson.loads, (parts.amounts, parts.symbols, parts.texts)), strict=True))
    return orjson.dumps(_with(orjson.loads(parts.skeleton), taken))


def _without(value: object, taken: dict[str, list[object]]) -> object:
    if isinstance(value, str):
        kind = _kind(value)
        return value if kind is None else _take(kind, value, taken)
    if isinstance(value, float):
        return _take("a", value, taken)
    if isinstance(value, list):
        return [_without(each, taken) for each in value]
    if isinstance(value, dict):
        if any(_kind(key) for key in value):  # a table by symbol, by amount, or by words
            return _take("t", value, taken)
        return {key: _without(each, taken) for key, each in value.items()}
    return value


def _kind(text: str) -> str | None:
    if AMOUNT.fullmatch(text):
        return "a"
    if SYMBOL.fullmatch(text):
        return "s"
    return None if PLAIN.fullmatch(text) else "t"


def _take(kind: str, value: object, taken: dict[str, list[object]]) -> str:
    taken[kind].append(value)
    return f"#{kind}{len(taken[kind]) - 1}"


def _with(value: object, taken: dict[str, list[object]]) -> object:
    if isinstance(value, str):
        return taken[value[1]][int(value[2:])] if value.startswith("#") else value
    if isinstance(value, list):
        return [_with(each, taken) for each in value]
    if isinstance(value, dict):
        return {key: _with(each, taken) for key, each in value.items()}
    return value
