"""How a person or a file writes a symbol, read in one place (SY-06).

Letters of ASCII alone: `str.upper` makes SPY of `ſpy` and FF of a ligature, which nobody wrote.
"""

from __future__ import annotations

import re
from string import ascii_lowercase, ascii_uppercase

from core.model.values import Symbol

SYMBOL = re.compile(r"[A-Z][A-Z0-9./]{0,9}")
_CAPITALS = str.maketrans(ascii_lowercase, ascii_uppercase)


def capitals(text: str) -> str:
    """Small letters of ASCII as capitals; every other character stays what it is."""
    return text.translate(_CAPITALS)


def symbol_in(text: str) -> Symbol | None:
    """The symbol that is written so, in either case; None where it is none."""
    written = capitals(text)
    return Symbol(written) if SYMBOL.fullmatch(written) else None
