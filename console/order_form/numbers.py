"""A number as a person types it."""

from __future__ import annotations

import re
from decimal import Decimal

TOO_LARGE = "too large: 999,999,999 at the most"
DIGITS = re.compile(r"\d+(\.\d*)?", re.ASCII)
NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?|\.\d{1,9}", re.ASCII)
LONGEST = 9
"""Digits before the point, at most."""
WHOLE = 100
"""Percent."""


def number_in(text: str) -> Decimal | None:
    """A number above zero, or None."""
    stripped = text.strip()
    return Decimal(stripped) if NUMBER.fullmatch(stripped) and Decimal(stripped) else None


def is_too_large(text: str) -> bool:
    """Whether it is a number, but one that nothing here is as large as."""
    return bool(DIGITS.fullmatch(bare := text.strip())) and len(bare.partition(".")[0].lstrip("0")) > LONGEST
