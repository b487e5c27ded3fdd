r"""The kill chord, the grammar of terminal input, and the character that a sequence types (OP-04, OP-07).

| behind ESC | is | ends with |
| --- | --- | --- |
| `[` | a control sequence (CSI): arrows, mouse, focus, paste, kitty, modifyOtherKeys, answers | `@` to `~` |
| `[M` `[t` `[T` | an old mouse report (X10, highlighting) | three, two, six more bytes |
| `O` `N` `?` | a single shift (SS3, SS2, the VT52's keypad) | `@` to `~`, after digits |
| `]` `P` `X` `^` `_` | a string (OSC, DCS, SOS, PM, APC) | BEL, or ESC and `\` |
| a character from space to `/` | an escape with intermediates (charsets, line sizes) | `0` to `~` |
| anything else | Alt and a key, or Esc and a key that the transport joined | itself |

No terminal sends the same introducers in one character (C1, U+0080 to U+009F), or bytes that are not UTF-8: both count
as the beginning of something unknown.

`Ctrl+K` is one byte almost everywhere; terminals with kitty's keyboard protocol, which Textual requests, and with
xterm's `modifyOtherKeys` send it as a sequence. `F10` is equivalent.

Textual reads kitty's and xterm's long forms of a key, but takes some for the bare letter: Alt with the text that kitty
adds, `ESC[27;4;66~` of modifyOtherKeys, a code before the letter of an arrow. Here a character is one without modifiers
other than Shift and the locks; anything else that looks like a letter is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS

ESCAPE = 0x1B
BELL, STRING_END = b"\x07", b"\x1b\\"
PASTE_START = b"\x1b[200~"
PASTE_END = b"\x1b[201~"
OLD_MOUSE = {b"\x1b[M": 6, b"\x1b[t": 5, b"\x1b[T": 9}
"""Their beginnings, and their total length in bytes."""

CONTROL = b"\x1b["
STRING_STARTS = (b"\x1b]", b"\x1bP", b"\x1b_", b"\x1b^", b"\x1bX")
SECONDS = b"[]OP^_XN? !\"#$%&'()*+,-./"
"""The second byte of sequences longer than two bytes."""
RESUMES = b"[]OP^_"
"""Those that may continue an escape already taken for the key: none of them acts on the panes."""

_CONTROL = rb"\[[0-?]*[ -/]*[@-~]"
_SHIFT = rb"[ON?][0-9;]*[@-~]"
_INTERMEDIATE = rb"[ -/]+[0-~]"
_TWO = rb"[^\[O\]P_^XN? -/\x80-\xff]"
WHOLE = re.compile(rb"\x1b(?:%b|%b|%b|%b)" % (_CONTROL, _SHIFT, _INTERMEDIATE, _TWO), re.DOTALL)

ODD = frozenset(
    sequence.encode()
    for sequence in ANSI_SEQUENCES_KEYS
    if len(sequence) > len("\x1bx") and sequence[1] != "\x1b" and not WHOLE.fullmatch(sequence.encode())
)
"""Keys of the Linux console and of rxvt that violate the grammar of control sequences."""
ODD_STARTS = frozenset(odd[:end] for odd in ODD for end in range(3, len(odd)) if WHOLE.fullmatch(odd[:end]))

ERASES = frozenset((b"\x1b\x7f", b"\x1b\x08"))
"""Alt+Backspace, in both encodings; not pressed by a user who wants to leave."""

NOBODYS = re.compile(rb"\x1b(?:[N? -/].*|\[<.*[^Mm]|\[\?.*[^cnRSuy])", re.DOTALL)
"""Complete, but no key, mouse or answer of any terminal: joined from a beginning and unrelated bytes."""

UNREADABLE = re.compile("[\x80-\x9f\ufffd]")
"""C1 characters, or bytes that were not UTF-8."""

OPEN = re.compile(
    r"\x1b[ -/]*|\x1b?\[[0-?]*[ -/]*|\x1b[ON?][0-9;]*|(?:\x1b[PX]|\x1b?[\]^_]).*",
    re.DOTALL,
)
"""Keys in a row that may begin a sequence whose rest has not arrived."""


def is_whole(sequence: bytes) -> bool:
    """Whether the sequence is complete."""
    if sequence[:2] in STRING_STARTS:
        return sequence.endswith((BELL, STRING_END))
    if (length := OLD_MOUSE.get(sequence[:3])) is not None:
        return len(sequence) == length
    return sequence in ODD or (WHOLE.fullmatch(sequence) is not None and sequence not in ODD_STARTS)


def is_joined(sequence: bytes) -> bool:
    """Whether a complete one is Esc and another key, which is how terminals send Alt: only the Esc counts."""
    return len(sequence) == len(b"\x1bx") and sequence not in ERASES


def is_nobodys(sequence: bytes) -> bool:
    """Whether no terminal sends such a complete sequence: it was cut, and its own end may still come."""
    return NOBODYS.fullmatch(sequence) is not None


def is_key(sequence: bytes) -> bool:
    """Whether a complete one may be a key, a new mouse report or a short answer; others are ignored here."""
    return sequence[:2] not in STRING_STARTS and sequence[:3] not in OLD_MOUSE


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
