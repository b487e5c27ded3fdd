"""Text for grid cells: harmless, of exact width, numbers aligned on the decimal point.

External text (a broker's message, a news line) may contain control characters, direction marks and zero-width
characters. They are removed, and markup is never interpreted (SY-06).
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache

from rich.cells import cell_len, set_cell_size

from core.model.harmless_text import harmless

CUT = "…"
TOO_WIDE = "#"

FRACTION = re.compile(r"\.(\d+)", re.ASCII)


class Align(Enum):
    LEFT = "left"
    RIGHT = "right"
    POINT = "on the decimal point"


@lru_cache(maxsize=2048)
def fitted(text: str, width: int, align: Align, decimals: int) -> str:
    """Return `text` in exactly `width` cells. Text is cut with an ellipsis; a number that does not fit is never cut.

    `decimals` is the most decimal places of a column aligned on the point; missing ones become blanks.
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
