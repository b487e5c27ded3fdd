"""A number as a person types it."""

from __future__ import annotations

import re
from decimal import Decimal

NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?|\.\d{1,9}", re.ASCII)
WHOLE = 100
"""Percent."""


def number_in(text: str) -> Decimal | None:
    """A number above zero, or None."""
    stripped = text.strip()
    return Decimal(stripped) if NUMBER.fullmatch(stripped) and Decimal(stripped) else None
