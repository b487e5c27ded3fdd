"""The character that a complete sequence types, and the rule that modifiers type none: only decided here (OP-04).

Textual reads kitty's and xterm's long forms of a key, but takes some for the bare letter: Alt with the text that kitty
adds, `ESC[27;4;66~` of modifyOtherKeys, a code before the letter of an arrow. Here a character is one without modifiers
other than Shift and the locks; anything else that looks like a letter is none.
"""

from __future__ import annotations

import re

from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS

from console.terminal.chord import CAPS_LOCK, LOCKS, OTHER_KEY, PRESSED, SHIFT

KITTY_TEXT = re.compile(
    r"\x1b\[(\d{1,7})(?::(\d{0,7})[\d:]*)?(?:;(\d{0,3})(?::(\d))?)?(?:;((?:\d{1,7}:?)*))?u", re.ASCII
)
KITTY_FUNCTION = re.compile(r"\x1b\[57\d{3}u", re.ASCII)
"""A key of the keypad, or one without a character, and no modifier."""
MODIFIERS = ("alt+", "ctrl+", "super+", "hyper+", "meta+")


def typed(sequence: str) -> str | None:
    """Return the characters that it types, or None."""
    if match := OTHER_KEY.fullmatch(sequence):
        return _character(int(match[2]), None, int(match[1]) - 1)
    if match := KITTY_TEXT.fullmatch(sequence):
        modifiers = int(match[3] or "1") - 1
        if int(match[4] or "1") != PRESSED or modifiers & ~(SHIFT | LOCKS):
            return None
        if match[5]:
            return _printable("".join(_letter(int(code)) for code in match[5].split(":") if code))
        return _character(int(match[1]), int(match[2]) if match[2] else None, modifiers)
    keypad = ANSI_SEQUENCES_KEYS.get(sequence)
    return keypad if isinstance(keypad, str) and sequence.startswith("\x1bO") else None


def _character(code: int, shifted: int | None, modifiers: int) -> str | None:
    if modifiers & ~(SHIFT | LOCKS):
        return None
    if modifiers & SHIFT and shifted is not None:
        return _printable(_letter(shifted))
    letter = _letter(code)
    is_capital = bool(modifiers & SHIFT) != bool(modifiers & CAPS_LOCK)
    return _printable(letter.upper() if is_capital and len(letter.upper()) == 1 else letter)


def _letter(code: int) -> str:
    """Return the character; empty for an invalid number, or one of Unicode's private area, used by kitty for keys."""
    return chr(code) if code < 0xE000 or 0xF8FF < code <= 0x10FFFF else ""  # noqa: PLR2004 - Unicode's private area


def _printable(text: str) -> str | None:
    return text if text and text.isprintable() else None


def as_kitty(sequence: str) -> str:
    """Convert xterm's modifyOtherKeys form, which Textual takes for the bare letter, to kitty's."""
    match = OTHER_KEY.fullmatch(sequence)
    return f"\x1b[{match[2]};{match[1]}u" if match else sequence


def looks_typed(key: events.Key) -> bool:
    """Whether the parser's key could be taken for a character."""
    return key.is_printable or len(key.key) == 1


def is_modified(key: events.Key) -> bool:
    """Whether it is held with more than Shift, and so no character, whatever the parser returns."""
    return any(modifier in key.key for modifier in MODIFIERS)
