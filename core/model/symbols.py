"""Parse a symbol typed by a person or read from a file; the only place that does (SY-06).

Only ASCII letters: `str.upper` would turn `ſpy` into SPY and a ligature into FF.
"""

from __future__ import annotations

import re
from string import ascii_lowercase, ascii_uppercase

from core.model.values import Symbol

SYMBOL = re.compile(r"[A-Z][A-Z0-9./]{0,9}")
_CAPITALS = str.maketrans(ascii_lowercase, ascii_uppercase)
_SMALL = str.maketrans(ascii_uppercase, ascii_lowercase)


def capitals(text: str) -> str:
    """Convert ASCII lower-case letters to capitals; other characters stay."""
    return text.translate(_CAPITALS)


def small_letters(text: str) -> str:
    """Lower the ASCII capitals alone: `str.lower` turns the kelvin sign into a k."""
    return text.translate(_SMALL)


def symbol_in(text: str) -> Symbol | None:
    """Return the symbol, in either case; None if it is not one."""
    written = capitals(text)
    return Symbol(written) if SYMBOL.fullmatch(written) else None
