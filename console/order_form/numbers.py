"""Parse typed numbers."""

from __future__ import annotations

import re
from decimal import Decimal

TOO_LARGE = "too large: 999,999,999 at the most"
DIGITS = re.compile(r"\d+(\.\d*)?", re.ASCII)
NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?|\.\d{1,9}", re.ASCII)
LONGEST = 9
"""Most digits before the point."""
WHOLE = 100
"""Percent."""


def number_in(text: str) -> Decimal | None:
    """Return a number above zero, or None."""
    stripped = text.strip()
    return Decimal(stripped) if NUMBER.fullmatch(stripped) and Decimal(stripped) else None


def is_too_large(text: str) -> bool:
    """Return whether it is a number above the maximum."""
    return bool(DIGITS.fullmatch(bare := text.strip())) and len(bare.partition(".")[0].lstrip("0")) > LONGEST
