"""JSON with every character escaped that a terminal would interpret; the JSON value is unchanged (SY-06)."""

from __future__ import annotations

import unicodedata

from core.model.harmless_text import HARMFUL


def harmless_json(text: str) -> str:
    """Escape the remaining ones: JSON itself escapes control characters below the space."""
    return text if text.isascii() and "\x7f" not in text else "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    if character < "\x7f" or unicodedata.category(character) not in HARMFUL:
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
