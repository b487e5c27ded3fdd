"""The name of an installation, which the ids of manual orders are hashed with (EX-04)."""

from __future__ import annotations

from hashlib import sha256

MARK = "+"
"""Between an installation's first name and what a new one adds to it."""


def renamed(name: str, *causes: bytes) -> str:
    """A name that no order was ever hashed with, for what caused it.

    Manual orders and changes count from one again, or from where an older folder left off; under the old name the next
    of them would bear an id that the broker has for another order.
    """
    told = sha256(b"\x1f".join((name.encode(), *causes))).hexdigest()
    return f"{name.partition(MARK)[0]}{MARK}{told[:12]}"
