"""Sanitise external text and JSON for screens, suppress repeated messages, name the levels of log lines (SY-06, SP-07).

Text from outside (a broker's message, an agent's reason) may hold control characters, marks that change the reading
direction, or characters without width. `harmless` replaces them in everything that is drawn. `foreign` is for a text
that the desk did not write: it also takes what the desk draws itself, so that nobody can draw the desk's own lines.
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
    range(0xD7B0, 0xD800),
    range(0x1F3FB, 0x1F400),
)
"""Letters and signs without width of their own: parts of Hangul syllables, skin tones."""
UNSEEN = (
    range(0x034F, 0x0350),
    range(0x115F, 0x1161),
    range(0x17B4, 0x17B6),
    range(0x180B, 0x1810),
    range(0x2800, 0x2801),
    range(0x3164, 0x3165),
    range(0xFE00, 0xFE10),
    range(0xFFA0, 0xFFA1),
    range(0x16FE4, 0x16FE5),
    range(0xE0100, 0xE01F0),
)
"""Characters that are drawn as nothing or as a blank: joiners, variation selectors, fillers, the braille blank."""
AS_ASCII = {
    "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "‹": "<", "›": ">", "«": '"', "»": '"',
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-", "…": "...", "·": "*", "•": "*",
    "×": "x", "÷": "/", "→": "->", "←": "<-", "≤": "<=", "≥": ">=", "≈": "~", "±": "+/-",
    "ǀ": "|", "ǁ": "||", "ㅣ": "|", "丨": "|", "〡": "|", "ⵏ": "|", "ᐧ": "*", "ꞏ": "*",
    "ᐃ": "^", "ᐱ": "^", "ᐁ": "v", "ᐯ": "v", "ᐅ": ">", "ᐳ": ">", "ᐊ": "<", "ᐸ": "<",
}  # fmt: skip
"""Signs of writing that the desk draws too, and signs and letters that look like one that it draws."""
PUNCTUATION = frozenset("¡§¶¿²³¹¼½¾、。〈〉《》「」『』【】！（），．：；？％／")
"""What a foreign text keeps of the signs beside ASCII, letters, digits and currencies."""
LEFT_TO_RIGHT = frozenset({"L", "EN", "ET", "ES", "CS", "ON", "NSM", ""})
"""Directions of characters that move no other; a letter written from right to left takes the figures beside it along.
"""
WIDE = frozenset({"W", "F"})
QUOTE = "›"
"""Begins each row of a foreign text under the desk's own rows; no foreign text has it."""


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
        is_seen = not any(ord(character) in each for each in UNSEEN)
        is_kept = category not in HARMFUL and is_seen and (may_be_marked or not is_mark)
        kept.append(character if is_kept else REPLACEMENT)
        may_be_marked = is_kept and not is_mark
    return "".join(kept)


@lru_cache(maxsize=2048)
def foreign(text: str) -> str:
    """Return a text that the desk did not write as one line in which no mark of the desk can stand.

    Letters, digits, ASCII and the punctuation of languages stay. Of every other sign, and so of each that the desk
    draws (marks, boxes, blocks, arrows), those that writing uses become ASCII and the others are replaced. Blanks of
    any width become one.
    """
    line = " ".join(text.split())
    if line.isascii() and line.isprintable():
        return line
    return " ".join("".join(map(_foreign, harmless(line))).split())


def _foreign(character: str) -> str:
    if character.isascii():
        return character
    if character in AS_ASCII:
        return AS_ASCII[character]
    kind = unicodedata.category(character)
    is_writing = kind[0] == "L" or kind in ("Nd", "Nl", "Mn", "Mc", "Sc") or character in PUNCTUATION
    return character if is_writing and unicodedata.bidirectional(character) in LEFT_TO_RIGHT else REPLACEMENT


def cells(text: str) -> int:
    """Return the cells of a foreign text in a terminal."""
    if text.isascii():
        return len(text)
    return sum(_cells(character) for character in text)


def _cells(character: str) -> int:
    if unicodedata.category(character) in MARKS or any(ord(character) in each for each in WITHOUT_WIDTH):
        return 0
    return 2 if unicodedata.east_asian_width(character) in WIDE else 1


def shortened(text: str, most: int, cut: str = "…") -> str:
    """Return a foreign text in at most so many cells, with the desk's own mark where it is cut."""
    line = foreign(text)
    if cells(line) <= most:
        return line
    while line and cells(line) >= most:
        line = line[:-1]
    return f"{line.rstrip()}{cut}"


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
