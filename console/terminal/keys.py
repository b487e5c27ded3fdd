r"""The kill chord, the grammar of terminal input, and the answers that prove a paint (OP-04, OP-07).

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

In another script (Cyrillic, Greek, Hebrew …) a key types that layout's letter. kitty's protocol names the key of the US
layout in its place, if it is asked to (flag 4): here the key is that one, in every binding and word. Free text gets the
layout's letter (`PlacedKey`). A Latin layout's letters stay as they are.

No terminal reports AltGr, but the text of a key held with it is neither the key's own nor that of Shift. Such a key is
its text, and no binding of the key in its place.

Textual reads kitty's and xterm's long forms of a key, but takes some for the bare letter: Alt with the text that kitty
adds, `ESC[27;4;66~` of modifyOtherKeys, a code before the letter of an arrow. Here a character is one without modifiers
other than Shift and the locks; anything else that looks like a letter is none.

The kernel, ssh and tmux accept bytes that they have not delivered yet; only the terminal's own answer proves that a
frame was drawn. The request is a device status report: its answer is no key's sequence, unlike that of `CSI 6n`, which
can be a modified F3. Answers come in the order of the requests. Pure; every call passes the time.
"""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from enum import Enum

from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS

from core.model.lazy_dataclass import dataclass

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
    if key.is_capital and key.event == PRESSED and not is_of_another_level(sequence):
        return Press.SECOND
    return Press.NONE


def _chord(key: _Key) -> Press:
    return Press.CHORD_RELEASED if key.event == RELEASED else Press.CHORD


def _key(code: str, modifiers: str | None, event: str | None) -> _Key:
    return _Key(int(code), int(modifiers or "1") - 1, int(event or "1"))


KITTY_TEXT = re.compile(
    r"\x1b\[(\d{1,7})(?::(\d{0,7})[\d:]*)?(?:;(\d{0,3})(?::(\d))?)?(?:;((?:\d{1,7}:?)*))?u", re.ASCII
)
KEYPAD = dict(enumerate("0123456789./*-+", 57399)) | {57415: "=", 57416: ","}
"""What kitty's codes of the keypad type; Textual knows the digits alone, and those without Num Lock's bit."""
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
    if code in KEYPAD:
        return KEYPAD[code]
    return chr(code) if code < 0xE000 or 0xF8FF < code <= 0x10FFFF else ""  # noqa: PLR2004 - Unicode's private area


def _printable(text: str) -> str | None:
    return text if text and text.isprintable() else None


def as_kitty(sequence: str) -> str:
    """Convert xterm's modifyOtherKeys form, which Textual takes for the bare letter, to kitty's.

    Textual takes no other codes beside that of the key: they are left out.
    """
    if match := OTHER_KEY.fullmatch(sequence):
        return f"\x1b[{match[2]};{match[1]}u"
    return ALTERNATES.sub(r"\1\2", sequence)


ASKS_FOR_KEYS = re.compile(r"\x1b\[>(\d{1,2})u", re.ASCII)
"""Textual's request of kitty's protocol."""
WITH_PLACES = 4
"""Its flag for the shifted key, and for the key of the US layout in the same place."""
ALTERNATES = re.compile(r"(\x1b\[\d{1,7}):[\d:]*([;\d:]*u)", re.ASCII)
PLACED = re.compile(r"\x1b\[(\d{1,7}):\d{0,7}:(\d{1,3})(?:;([\d:]*))?(?:;[\d:]*)?u", re.ASCII)
"""A key with the code of the US layout's key in the same place."""
LETTER_WITH_MODIFIERS = re.compile(r"\x1b\[(\d{1,7})(?::[\d:]*)?;[\d:;]*u", re.ASCII)
SHIFTED = dict(zip("`1234567890-=[]\\;',./", '~!@#$%^&*()_+{}|:"<>?', strict=True))
"""What Shift makes of the US layout's keys that are no letters."""
SIGNS_OF_LATIN = "\u00aa\u00b5\u00ba"
"""Signs of Spanish, French and German layouts that Unicode counts as letters of no script: ª, µ, º."""


def asks_with_places(request: str) -> str:
    """Return Textual's request of kitty's protocol with the flag for a key's place; other output as it is."""
    match = ASKS_FOR_KEYS.fullmatch(request)
    return f"\x1b[>{int(match[1]) | WITH_PLACES}u" if match else request


def by_place(sequence: str, *, follows_another_script: bool = False) -> str:
    """Return the key of the US layout in the same place for one of another script; others as they are.

    A layout of another script may have a mark where the US one has a letter, as `/` on the Hebrew Q. Dvorak has too:
    such a mark is the letter only where it follows a letter of another script.
    """
    match = PLACED.fullmatch(sequence)
    if match is None or is_of_another_level(sequence):
        return sequence
    letter, place = _letter(int(match[1])), chr(int(match[2]))
    if not place.isascii() or not place.isprintable():
        return sequence
    is_mark_for_a_letter = follows_another_script and place.isalpha() and not letter.isalnum()
    if not is_of_another_script(letter) and not is_mark_for_a_letter:
        return sequence
    return f"\x1b[{ord(place)}:{ord(SHIFTED.get(place, place.upper()))};{match[3] or 1}u"


def is_of_another_level(sequence: str) -> bool:
    """Whether a key in kitty's long form types neither its own letter nor that of Shift: it was held with AltGr."""
    match = KITTY_TEXT.fullmatch(sequence)
    if match is None or not match[5]:
        return False
    text = "".join(_letter(int(code)) for code in match[5].split(":") if code)
    own = (_letter(int(code)).casefold() for code in (match[1], match[2]) if code)
    return text.casefold() not in own


def script_of(sequence: str) -> str:
    """Return the letter of a key in a long form; empty for another sequence, and for a key held with AltGr."""
    match = LETTER_WITH_MODIFIERS.fullmatch(as_kitty(sequence))
    return _letter(int(match[1])) if match and not is_of_another_level(sequence) else ""


def is_of_another_script(text: str) -> bool:
    """Whether it has a letter or a digit that no Latin layout types."""
    return any(map(_is_foreign, text))


def _is_foreign(each: str) -> bool:
    if each.isdecimal():
        return not each.isascii()
    is_latin = each in SIGNS_OF_LATIN or unicodedata.name(each, "LATIN").startswith(("LATIN", "MODIFIER LETTER"))
    return each.isalpha() and not is_latin


def looks_typed(key: events.Key) -> bool:
    """Whether the parser's key could be taken for a character."""
    return key.is_printable or len(key.key) == 1


def is_modified(key: events.Key) -> bool:
    """Whether it is held with more than Shift, and so no character, whatever the parser returns."""
    return any(modifier in key.key for modifier in MODIFIERS)


class PlacedKey(events.Key):
    """A key of another script: `character` is that of the US layout's key in its place, `letter` what it types."""

    def __init__(self, key: str, character: str | None, letter: str) -> None:
        super().__init__(key, character)
        self.letter = letter


PlacedKey.handler_name = events.Key.handler_name  # Textual calls the handlers of a key


REQUEST = "\x1b[5n"
ANSWER = "\x1b[0n"

TIMEOUT = 0.5
"""Time-out in seconds for a terminal that never answered; after it frames count by time."""

LATE_AFTER = 1.0
"""Seconds beyond the usual round trip after which a frame counts as stuck, and input as blind."""

GIVES_UP_AFTER = 1.5
"""Seconds after which a terminal with input but without answers has stopped answering."""

WATCH = 0.5
"""Seconds between two requests while something on the screen may be confirmed."""

FARTHEST = 3.0
"""The maximum plausible round trip in seconds; a longer one was a stall."""

KEPT = 8


class Proofs:
    """The requests and answers of one terminal.

    Attributes
    ----------
    is_given
        Whether this terminal answers; None while unknown.
    """

    def __init__(self) -> None:
        self.is_given: bool | None = None
        self._asked = 0
        self._waiting: deque[float] = deque()
        self._answers: deque[tuple[int, float]] = deque(maxlen=KEPT)
        self._trips: deque[float] = deque(maxlen=KEPT)
        self._gaps: deque[tuple[float, float]] = deque(maxlen=KEPT)
        self._asked_at = float("-inf")
        self._last_asked: deque[tuple[int, float]] = deque(maxlen=KEPT)
        self._blind_since: float | None = None

    def ask(self, at: float) -> int:
        """Note a written request; return its number."""
        self._asked += 1
        self._asked_at = at
        self._last_asked.append((self._asked, at))
        self._waiting.append(at)
        return self._asked

    def answer(self, at: float) -> None:
        """Note the answer to the oldest request; without a request it is ignored."""
        if not self._waiting:
            return
        asked_at = self._waiting.popleft()
        if at - asked_at > self._limit():
            self._gaps.append((asked_at, at))
        self._trips.append(at - asked_at)
        self._answers.append((self._asked - len(self._waiting), at))
        self.is_given = True
        self._blind_since = None

    def is_due(self, now: float) -> bool:
        """Whether to ask again, to check that the link still works. A terminal that does not answer is not asked."""
        return not self._waiting and self.is_given is True and now - self._asked_at >= WATCH

    def answered_at(self, number: int) -> float | None:
        """When this request, or a later one, was answered; otherwise None."""
        return next((at for answered, at in self._answers if answered >= number), None)

    def drawn_by_time(self, number: int, now: float) -> float | None:
        """When a terminal without answers has drawn the output before this request; None while that is in the future.

        One that answered before and has stopped is assumed as far away as its slowest answer; a late answer shows a
        stall, not the distance.
        """
        asked_at = next((at for asked, at in self._last_asked if asked == number), now)
        there = asked_at + max((trip for trip in self._trips if trip <= min(self._limit(), FARTHEST)), default=0.0)
        return there if now >= there else None

    def limit_timeout(self, now: float) -> None:
        """Stop waiting for a terminal that never answered, after its time-out."""
        if self.is_given is None and self._waiting and now - self._waiting[0] > TIMEOUT:
            self.is_given = False

    def is_late(self, now: float) -> bool:
        """Whether an answer of a terminal that answers is overdue."""
        return bool(self._waiting) and self.is_given is True and now - self._waiting[0] > self._limit()

    def is_blind(self, now: float) -> bool:
        """Whether input now was typed at a view that may be outdated. Called for each key."""
        if not self.is_late(now):
            self._blind_since = None
            return False
        if self._blind_since is None:
            self._blind_since = now
        if now - self._blind_since <= GIVES_UP_AFTER:
            return True
        self.is_given = False
        self._waiting.clear()
        self._blind_since = None
        return False

    def had_gap(self, since: float, until: float) -> bool:
        """Whether an answer due between the two instants came too late, or has not come."""
        gaps = [*self._gaps]
        if self.is_late(until):
            gaps.append((self._waiting[0], until))
        return any(start < until and end > since for start, end in gaps)

    def _limit(self) -> float:
        return LATE_AFTER + (min(self._trips) if self._trips else 0.0)
