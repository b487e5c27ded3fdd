"""JSON in which every character that would do something in a terminal is escaped: the same JSON (SY-06)."""

from __future__ import annotations

import unicodedata

from core.model.harmless_text import HARMFUL


def harmless_json(text: str) -> str:
    """The JSON with what is left of them escaped: JSON itself escapes the control characters below the blank."""
    return text if text.isascii() and "\x7f" not in text else "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    if character < "\x7f" or unicodedata.category(character) not in HARMFUL:
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
