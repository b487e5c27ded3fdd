"""The commitments of a line, and the Merkle tree of a day's lines (SP-08).

The tree is that of RFC 6962 (Certificate Transparency, section 2.1): leaves and nodes are hashed with different
prefixes, so that neither can pass for the other, and the left half is the largest power of two below the whole. A leaf
is the hash of four commitments, one per part; each is salted, so that a withheld amount cannot be guessed from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from state.proof.parts import Part, Parts

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
