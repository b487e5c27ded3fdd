"""The name of an installation, which is hashed into the ids of manual orders (EX-04)."""

from __future__ import annotations

from hashlib import sha256

MARK = "+"
"""Separates an installation's first name from a later suffix."""


def renamed(name: str, *causes: bytes) -> str:
    """Return a new name, derived from its causes, with which no order id was ever hashed.

    Manual orders and changes count from one again, or from an older folder's count; under the old name their ids could
    repeat ids that the broker has for other orders.
    """
    told = sha256(b"\x1f".join((name.encode(), *causes))).hexdigest()
    return f"{name.partition(MARK)[0]}{MARK}{told[:12]}"
