"""The grammar of what a terminal sends behind an escape, and which bytes may be the beginning of more (OP-04).

| behind ESC | is | ends with |
| --- | --- | --- |
| `[` | a control sequence (CSI): arrows, mouse, focus, paste, kitty, modifyOtherKeys, answers | `@` to `~` |
| `[M` `[t` `[T` | a mouse of the old kinds (X10, highlighting) | three, two, six bytes more |
| `O` `N` `?` | one shift (SS3, SS2, the VT52's keypad) | `@` to `~`, after digits |
| `]` `P` `X` `^` `_` | a string (OSC, DCS, SOS, PM, APC) | BEL, or ESC and `\\` |
| a sign from space to `/` | an escape with intermediates (charsets, line sizes) | `0` to `~` |
| all else | Alt and a key, or Esc and a key that the way here joined | itself |

The same introducers in one character (C1, U+0080 to U+009F) no terminal sends to us, nor bytes that are no UTF-8: both
are taken for the beginning of something that is not understood.
"""

from __future__ import annotations

import re

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS

ESCAPE = 0x1B
BELL, STRING_END = b"\x07", b"\x1b\\"
PASTE_START = b"\x1b[200~"
PASTE_END = b"\x1b[201~"
OLD_MOUSE = {b"\x1b[M": 6, b"\x1b[t": 5, b"\x1b[T": 9}
"""Its beginnings, and how many bytes each has in all."""

CONTROL = b"\x1b["
STRING_STARTS = (b"\x1b]", b"\x1bP", b"\x1b_", b"\x1b^", b"\x1bX")
SECONDS = b"[]OP^_XN? !\"#$%&'()*+,-./"
"""What a sequence of more than two bytes goes on with."""
RESUMES = b"[]OP^_"
"""Of these, what goes on with an escape that was already taken for the key: nothing that acts on the panes is one."""

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
"""Keys of the Linux console and of rxvt that break the grammar of control sequences."""
ODD_STARTS = frozenset(odd[:end] for odd in ODD for end in range(3, len(odd)) if WHOLE.fullmatch(odd[:end]))

ERASES = frozenset((b"\x1b\x7f", b"\x1b\x08"))
"""Alt+Backspace, in both ways; a hand that wants out does not press it."""

NOBODYS = re.compile(rb"\x1b(?:[N? -/].*|\[<.*[^Mm]|\[\?.*[^cnRSuy])", re.DOTALL)
"""Whole, and yet no key, mouse or answer of any terminal: put together of a beginning and of what came behind it."""

UNREADABLE = re.compile("[\x80-\x9f\ufffd]")
"""C1, or what was no UTF-8."""

OPEN = re.compile(
    r"\x1b[ -/]*|\x1b?\[[0-?]*[ -/]*|\x1b[ON?][0-9;]*|(?:\x1b[PX]|\x1b?[\]^_]).*",
    re.DOTALL,
)
"""Keys, one after the other, that may be the beginning of a sequence whose rest is still on its way."""


def is_whole(sequence: bytes) -> bool:
    """Whether nothing of it is still to come."""
    if sequence[:2] in STRING_STARTS:
        return sequence.endswith((BELL, STRING_END))
    if (length := OLD_MOUSE.get(sequence[:3])) is not None:
        return len(sequence) == length
    return sequence in ODD or (WHOLE.fullmatch(sequence) is not None and sequence not in ODD_STARTS)


def is_joined(sequence: bytes) -> bool:
    """Whether a whole one is Esc and another key, as terminals send Alt: the Esc counts, and nothing else of it."""
    return len(sequence) == len(b"\x1bx") and sequence not in ERASES


def is_nobodys(sequence: bytes) -> bool:
    """Whether no terminal sends a whole one like this: its end was something else, and its own end may come yet."""
    return NOBODYS.fullmatch(sequence) is not None


def is_key(sequence: bytes) -> bool:
    """Whether a whole one may be a key, a mouse of the new kind or a short answer; the others say nothing here."""
    return sequence[:2] not in STRING_STARTS and sequence[:3] not in OLD_MOUSE
