"""Text for the cells of a grid: harmless, of exactly one width, numbers on their decimal point.

Text from outside (a broker's message, a news line) may hold control characters, marks that turn the direction of
reading, characters without width. It is drawn without any of them, and never as markup (SY-06).
"""

from __future__ import annotations

import re
import unicodedata
from enum import Enum
from functools import lru_cache

from rich.cells import cell_len, set_cell_size

REPLACEMENT = "\ufffd"
CUT = "…"
TOO_WIDE = "#"

HARMFUL = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories: control, format (direction, zero width, joiners), surrogate, private, unassigned, separators."""

MARKS = frozenset({"Mn", "Me", "Mc"})
FRACTION = re.compile(r"\.(\d+)")


class Align(Enum):
    LEFT = "left"
    RIGHT = "right"
    POINT = "on the decimal point"


@lru_cache(maxsize=2048)
def harmless(text: str) -> str:
    """The text with a replacement sign for every character that would do something instead of being seen (SY-06).

    A mark above or below a letter stays where it follows one; a second on the same letter does not.
    """
    if text.isascii() and text.isprintable():
        return text
    kept: list[str] = []
    may_be_marked = False
    for character in unicodedata.normalize("NFC", text):
        category = unicodedata.category(character)
        is_mark = category in MARKS or not cell_len(character)
        is_kept = category not in HARMFUL and (may_be_marked or not is_mark)
        kept.append(character if is_kept else REPLACEMENT)
        may_be_marked = is_kept and not is_mark
    return "".join(kept)


@lru_cache(maxsize=2048)
def fitted(text: str, width: int, align: Align, decimals: int) -> str:
    """`text` in exactly `width` cells. Words are cut with an ellipsis; a number that does not fit is never cut.

    `decimals` is the most that a column aligned on the point shows; fewer are filled with blanks.
    """
    text = harmless(text)
    if align is Align.LEFT:
        if cell_len(text) > width > 0:
            return set_cell_size(text, width - 1) + CUT
        return set_cell_size(text, width)
    if align is Align.POINT and text:
        fraction = FRACTION.search(text)
        missing = decimals - len(fraction[1]) if fraction else decimals + bool(decimals)
        text += " " * max(0, min(missing, width - cell_len(text)))
    length = cell_len(text)
    if length > width:
        return TOO_WIDE * width
    return " " * (width - length) + text
