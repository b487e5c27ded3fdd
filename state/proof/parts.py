"""A line of the journal in parts that can be withheld, its commitments, and the Merkle tree of a day (SP-08).

A removed value leaves a placeholder in the skeleton. A text, such as a reason or a setting, may hold amounts and
symbols: it is withheld with either. So is everything not known to be harmless: a string stays in the skeleton only if
it is a time, or an identifier, a code or a name under a key listed here.

The split of a line is signed with its day, and never changed: another split needs another version of the heads.

The tree is that of RFC 6962 (Certificate Transparency, section 2.1): leaves and nodes are hashed with different
prefixes, so that neither can pass for the other, and the left half is the largest power of two below the whole. A leaf
is the hash of four commitments, one per part; each is salted, so that a withheld amount cannot be guessed from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from hashlib import sha256

import orjson

from core.model.lazy_dataclass import dataclass

AMOUNT = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
SYMBOL = re.compile(r"[A-Z]{1,6}([./-][A-Z]{1,4})?|[A-Z]{1,6}\d{6}[CP]\d{8}")
TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z)?|\d\d:\d\d(:\d\d)?")
r"""`\d` is a digit of any script: a split is signed, and never changes. The verifier judges each field."""
PLAIN = re.compile(r"[A-Za-z0-9_.:+-]*")
"""The characters of a name or a code."""
KEY = re.compile(r"[a-z][a-z0-9_]*")
"""A table key that is a name of ours. All other tables, by symbol or by text, are withheld as a whole."""

SYMBOLS = frozenset({"symbol", "symbols", "to", "listed_as", "came_from"})
"""Keys whose values are symbols, in any form."""
MADE_OF_SYMBOLS = frozenset(
    {
        "again_of",
        "approval_id",
        "cancels",
        "client_order_id",
        "client_order_ids",
        "entry_order",
        "exit_order",
        "followed",
        "id",
        "kin",
        "less_of",
        "like",
    }
    | {"authorization_id", "marked", "parent", "proposal_id", "replaced_by", "replacement", "replaces", "taken_back"}
)
"""Keys with identifiers of orders, or derived from one: unsalted hashes, open to trying every symbol (EX-04)."""
EITHER = frozenset(
    {"digest", "execution_id", "executions", "order_digest", "positions", "sum", "ticket_digest", "words"}
)
"""Keys with both symbols and amounts, with the broker's texts, or with an unsalted hash of both.

Such a hash is an order's digest or a line's chained sum, for which every amount can be tried. A derived execution is
named by its quantity.
"""
SHOWN = frozenset(
    {"account", "activity_id", "activity_ids", "after", "asset_class", "before", "broker_order_id"}
    | {"cancel_code", "cause", "check", "checks", "code", "effect", "end", "end_code", "exit_reason", "fact", "guard"}
    | {"holder", "kind", "level", "meant", "order_class", "phase", "plan_id", "proof", "refusal", "role"}
    | {"severity", "side", "source", "standing", "status", "stop_holder", "strategy", "ticket_id", "time_in_force"}
    | {"trend", "type", "venue", "vix", "volatility"}
)
"""Keys with codes, names of strategies and checks, and identifiers that contain no symbol and no amount."""


class Part(StrEnum):
    """In the order in which a line commits to them."""

    SKELETON = "skeleton"
    AMOUNTS = "amounts"
    SYMBOLS = "symbols"
    TEXTS = "texts"


MARK = {"a": Part.AMOUNTS, "s": Part.SYMBOLS, "t": Part.TEXTS}
"""`#a0` in the skeleton is the first amount, `#s0` the first symbol, `#t0` the first text."""
KEPT_BACK = {"amounts": (Part.AMOUNTS, Part.TEXTS), "symbols": (Part.SYMBOLS, Part.TEXTS)}
"""The withheld parts of a line, by the operator's choice."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The four parts as JSON, in the order of `Part`."""

    skeleton: bytes
    amounts: bytes
    symbols: bytes
    texts: bytes

    @property
    def all(self) -> tuple[bytes, bytes, bytes, bytes]:
        return self.skeleton, self.amounts, self.symbols, self.texts


def split(line: bytes, version: int) -> Parts:
    """Split a valid line, without its newline, as heads of that version do."""
    taken: dict[str, list[object]] = {"a": [], "s": [], "t": []}
    skeleton = _without(orjson.loads(line), "", taken, KINDS[version])
    return Parts(*map(orjson.dumps, (skeleton, *taken.values())))


def joined(parts: Parts) -> bytes:
    """Rebuild the line, byte for byte."""
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
"""Returns the part of a string under a key; None is the skeleton. A key itself is passed with an empty key."""


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
    """Return the part in heads of version 1, by the string's form alone."""
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


LEAF, NODE, PART = b"\x00", b"\x01", b"\x02"
SALT = 16
"""Bytes."""
EMPTY = sha256().digest()
"""The root of an empty tree."""


def salt_of_line(secret: bytes, sequence: int) -> bytes:
    """Return the salt from which all salts of a line derive; its holder can disclose this line and no other."""
    return sha256(secret + sequence.to_bytes(8)).digest()[:SALT]


def salt_of_part(of_line: bytes, part: Part) -> bytes:
    """Return the salt of a part; its holder can disclose this part and no other."""
    return sha256(of_line + part.value.encode()).digest()[:SALT]


def commitment(salt: bytes, part: Part, content: bytes) -> bytes:
    return sha256(PART + part.value.encode() + salt + content).digest()


def commitments(parts: Parts, of_line: bytes) -> tuple[bytes, ...]:
    """Return the commitments of the four parts, in order."""
    pairs = zip(Part, parts.all, strict=True)
    return tuple(commitment(salt_of_part(of_line, part), part, content) for part, content in pairs)


def leaf(sequence: int, committed: Sequence[bytes]) -> bytes:
    return sha256(LEAF + sequence.to_bytes(8) + b"".join(committed)).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the root hash; at each level an odd last node moves up unchanged."""
    level = list(leaves) or [EMPTY]
    while len(level) > 1:
        level = _above(level)
    return level[0]


def path(leaves: Sequence[bytes], index: int) -> list[tuple[bool, bytes]]:
    """Return the hashes from a leaf to the root, each with whether it is on the left."""
    level, found = list(leaves), []
    while len(level) > 1:
        beside = index ^ 1
        if beside < len(level):
            found.append((beside < index, level[beside]))
        level, index = _above(level), index // 2
    return found


def _above(level: Sequence[bytes]) -> list[bytes]:
    nodes = [sha256(NODE + level[at] + level[at + 1]).digest() for at in range(0, len(level) - 1, 2)]
    return nodes if len(level) % 2 == 0 else [*nodes, level[-1]]
