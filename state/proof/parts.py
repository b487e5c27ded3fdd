"""A line of the journal in four parts, each of which can be kept back: skeleton, amounts, symbols, texts (SP-08).

What is taken out leaves its place in the skeleton. What a text says, a reason or a setting, may hold both: it is kept
back with either. So is whatever is not known to be harmless: a string stays in the skeleton where it is a time, or an
identifier, a code or a name under a key that is named here.

How a line is split is signed with its day, and is never changed: another way is another version of the heads.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import orjson

AMOUNT = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
SYMBOL = re.compile(r"[A-Z]{1,6}([./-][A-Z]{1,4})?|[A-Z]{1,6}\d{6}[CP]\d{8}")
TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z)?|\d\d:\d\d(:\d\d)?")
PLAIN = re.compile(r"[A-Za-z0-9_.:+-]*")
"""What a name or a code is written with."""
KEY = re.compile(r"[a-z][a-z0-9_]*")
"""Of a table whose keys are names of ours. All other tables, by symbol or by words, are text as a whole."""

SYMBOLS = frozenset({"symbol", "symbols"})
"""Keys with symbols alone, whatever these look like."""
MADE_OF_SYMBOLS = frozenset(
    {
        "approval_id",
        "cancels",
        "client_order_id",
        "client_order_ids",
        "entry_order",
        "exit_order",
        "id",
        "kin",
        "less_of",
        "like",
    }
    | {"mandate_id", "marked", "parent", "proposal_id", "replaced_by", "replacement", "replaces", "taken_back"}
)
"""Keys with identifiers of orders, or made of one: a hash without a salt, in which each symbol can be tried (EX-04)."""
EITHER = frozenset(
    {"digest", "execution_id", "executions", "order_digest", "positions", "sum", "ticket_digest", "words"}
)
"""Keys with symbols and amounts beside each other, with what a broker says, or with a hash of both without a salt: a
digest of an order or the chained sum of a line, in which each amount can be tried. A derived execution is named by its
quantity.
"""
SHOWN = frozenset(
    {"account", "activity_id", "activity_ids", "after", "asset_class", "before", "broker_order_id"}
    | {"cancel_code", "cause", "check", "checks", "code", "effect", "end", "end_code", "exit_reason", "fact", "guard"}
    | {"holder", "kind", "level", "meant", "order_class", "phase", "plan_id", "proof", "refusal", "role"}
    | {"severity", "side", "source", "standing", "status", "stop_holder", "strategy", "ticket_id", "time_in_force"}
    | {"trend", "type", "venue", "vix", "volatility"}
)
"""Keys with codes, names of strategies and checks, and identifiers that are made of no symbol and no amount."""


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


def split(line: bytes, version: int) -> Parts:
    """Of a sound line, its newline taken off, as heads of that version have it."""
    taken: dict[str, list[object]] = {"a": [], "s": [], "t": []}
    skeleton = _without(orjson.loads(line), "", taken, KINDS[version])
    return Parts(*map(orjson.dumps, (skeleton, *taken.values())))


def joined(parts: Parts) -> bytes:
    """The line again, byte for byte."""
    taken = dict(zip(MARK, map(orjson.loads, (parts.amounts, parts.symbols, parts.texts)), strict=True))
    return orjson.dumps(_with(orjson.loads(parts.skeleton), taken))


def _without(value: object, key: str, taken: dict[str, list[object]], kind_of: KindOf) -> object:
    if isinstance(value, str):
        kind = kind_of(key, value)
        return value if kind is None else _take(kind, value, taken)
    if isinstance(value, float):
        return _take("a", value, taken)
    if isinstance(value, list):
        return [_without(each, key, taken, kind_of) for each in value]
    if isinstance(value, dict):
        if any(kind_of("", name) for name in value):
            return _take("t", value, taken)
        return {name: _without(each, name, taken, kind_of) for name, each in value.items()}
    return value


KindOf = Callable[[str, str], str | None]
"""Which part a string under a key belongs to; None is the skeleton. A key itself stands under none."""


def _kind(key: str, text: str) -> str | None:
    if key in SYMBOLS or key in MADE_OF_SYMBOLS:
        return "s"
    if key in EITHER:
        return "t"
    if not text or TIME.fullmatch(text) or (not key and KEY.fullmatch(text)):
        return None
    if AMOUNT.fullmatch(text):
        return "a"
    if SYMBOL.fullmatch(text):
        return "s"
    return None if key in SHOWN and PLAIN.fullmatch(text) else "t"


def _kind_of_1(_key: str, text: str) -> str | None:
    """Of the first heads: by its looks alone."""
    if AMOUNT.fullmatch(text):
        return "a"
    if SYMBOL.fullmatch(text):
        return "s"
    return None if PLAIN.fullmatch(text) else "t"


KINDS: dict[int, KindOf] = {1: _kind_of_1, 2: _kind}
"""By the version of the heads."""


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
