r"""The grammar of terminal input after an escape, and the bytes that may begin a longer sequence (OP-04).

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
"""

from __future__ import annotations

import re

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
