"""Sanitise external text for screens and pages (SY-06).

Text from outside (a broker's message, a news line) may hold control characters, marks that change the reading
direction, or characters without width. They are replaced.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

REPLACEMENT = "\ufffd"

HARMFUL = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories: control, format (direction, zero width, joiners), surrogate, private, unassigned, separators."""

MARKS = frozenset({"Mn", "Me", "Mc"})
WITHOUT_WIDTH = (
    range(0x1160, 0x1200),
    range(0x3164, 0x3165),
    range(0xD7B0, 0xD800),
    range(0xFFA0, 0xFFA1),
    range(0x1F3FB, 0x1F400),
)
"""Letters and signs without width of their own: parts of Hangul syllables, its fillers, skin tones."""


@lru_cache(maxsize=2048)
def harmless(text: str) -> str:
    """Replace every character that has an effect instead of a visible form.

    A combining mark stays if it follows a letter; a second one on the same letter does not.
    """
    if text.isascii() and text.isprintable():
        return text
    kept: list[str] = []
    may_be_marked = False
    for character in unicodedata.normalize("NFC", text):
        category = unicodedata.category(character)
        is_mark = category in MARKS or any(ord(character) in each for each in WITHOUT_WIDTH)
        is_kept = category not in HARMFUL and (may_be_marked or not is_mark)
        kept.append(character if is_kept else REPLACEMENT)
        may_be_marked = is_kept and not is_mark
    return "".join(kept)
