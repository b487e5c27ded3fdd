"""Sanitise external text and JSON for screens, suppress repeated messages, name the levels of log lines (SY-06, SP-07).


Text from outside (a broker's message, a news line) may hold control characters, marks that change the reading
direction, or characters without width. They are replaced.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TypeVar

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


Words = TypeVar("Words", str, tuple[str, ...])


def is_news(now: Words, told: Words | None) -> bool:
    """Return whether the text differs from the last one; None if there was none."""
    return now != told


class SaidOnce:
    """Report each problem once, until its first reporter clears it."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}

    def is_new(self, words: str, teller: str = "") -> bool:
        """Return whether the text is new, and record it."""
        is_new = words not in self._told
        self._told.setdefault(words, teller)
        return is_new

    def forget(self, teller: str) -> None:
        self._told = {words: who for words, who in self._told.items() if who != teller}


INFO, WARN, ALERT, ERROR, CRITICAL = "INFO", "WARN", "ALERT", "ERROR", "CRITICAL"
GRAVER = (INFO, WARN, ERROR, CRITICAL)
"""Levels by severity; ALERT, of a triggered alert, is separate."""


def at_least(level: str) -> tuple[str, ...]:
    """Return the filter levels that show a line of this level: its own, and the lower ones."""
    return GRAVER[: GRAVER.index(level) + 1] if level in GRAVER else (INFO, level)


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
# JSON with every character escaped that a terminal would interpret; the JSON value is unchanged (SY-06).


def harmless_json(text: str) -> str:
    """Escape the remaining ones: JSON itself escapes control characters below the space."""
    return text if text.isascii() and "\x7f" not in text else "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    if character < "\x7f" or unicodedata.category(character) not in HARMFUL:
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
