"""The kill chord and the key after it, in every encoding that terminals use (OP-07).

`Ctrl+K` is one byte almost everywhere; terminals with kitty's keyboard protocol, which Textual requests, and with
xterm's `modifyOtherKeys` send it as a sequence. `F10` is equivalent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

CTRL_K = 0x0B
LETTER_K = (ord("k"), ord("K"))
SHIFT, ALT, CTRL, CAPS_LOCK, NUM_LOCK = 1, 2, 4, 64, 128
LOCKS = CAPS_LOCK | NUM_LOCK

KITTY_KEY = re.compile(r"\x1b\[(\d{1,7})(?::[\d:]*)?(?:;(\d{0,3})(?::(\d))?)?(?:;[\d:]*)?u", re.ASCII)
F10 = re.compile(r"\x1b\[21(?:;(\d{1,3})(?::(\d))?)?~", re.ASCII)
OTHER_KEY = re.compile(r"\x1b\[27;(\d{1,3});(\d{1,7})~", re.ASCII)

PRESSED, RELEASED = 1, 3


class Press(Enum):
    """The meaning of a sequence for the kill keys."""

    NONE = "neither of them"
    CHORD = "Ctrl+K or F10"
    SECOND = "K, that is k with shift held"
    CHORD_RELEASED = "the chord let go: consumed, and nothing else"


@dataclass(frozen=True, slots=True)
class _Key:
    code: int
    modifiers: int
    event: int

    @property
    def is_plain(self) -> bool:
        return not self.modifiers & ~LOCKS

    @property
    def is_control(self) -> bool:
        return self.modifiers & ~LOCKS & ~SHIFT == CTRL

    @property
    def is_capital(self) -> bool:
        return not self.modifiers & ~LOCKS & ~SHIFT and bool(self.modifiers & (SHIFT | CAPS_LOCK))


def read_press(sequence: str) -> Press:
    """Classify a complete escape sequence. A held chord counts as repeated presses; K does not."""
    if match := F10.fullmatch(sequence):
        key = _key("0", match[1], match[2])
        return _chord(key) if key.is_plain else Press.NONE
    if match := OTHER_KEY.fullmatch(sequence):
        key = _key(match[2], match[1], None)
    elif match := KITTY_KEY.fullmatch(sequence):
        key = _key(match[1], match[2], match[3])
    else:
        return Press.NONE
    if key.code not in LETTER_K:
        return Press.NONE
    if key.is_control:
        return _chord(key)
    if key.is_capital and key.event == PRESSED:
        return Press.SECOND
    return Press.NONE


def _chord(key: _Key) -> Press:
    return Press.CHORD_RELEASED if key.event == RELEASED else Press.CHORD


def _key(code: str, modifiers: str | None, event: str | None) -> _Key:
    return _Key(int(code), int(modifiers or "1") - 1, int(event or "1"))
