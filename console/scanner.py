"""What the bytes of a terminal say, cut into whole tokens before Textual's parser sees any of them.

Two things are settled here. The kill chord is found wherever it can stand, also between the bytes of an unfinished
sequence (OP-07). And a sequence that is broken, endless or cut in two never turns into the letters that it is made of:
Textual would type them, and letters are commands here (OP-04).

A paste is content until its end mark. One that was silent for half a second, or that lasts, is ended: what was pasted
is delivered, and what still comes is dropped as a part of it, the chord excepted, until its end mark or a long silence.
No clock is read here: every call brings its instant, in seconds on one monotonic clock.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from dataclasses import dataclass

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual.constants import ESCAPE_DELAY

from console.proof import ANSWER

PASTE_SILENCE = 0.5
"""Seconds without a byte, repeated chords and the terminal's answers aside, that end a paste."""

PASTE_LASTS = 5.0
"""Seconds after which a paste is ended although it still trickles."""

DOUBT_SILENCE = 2.0
"""Seconds without such a byte after which the rest of an ended paste will not come any more."""

SEQUENCE_SILENCE = 1.0
"""Seconds that the rest of a sequence, of which more came than a hand can type, may take."""

LONGEST_SEQUENCE = 32
"""Characters; beyond them Textual types the sequence as letters."""

LONGEST_REPLY = 4096
"""Bytes of a terminal's answer (OSC, DCS, APC)."""

ESCAPE = 0x1B
CTRL_K = 0x0B
PASTE_START = b"\x1b[200~"
PASTE_END = b"\x1b[201~"
STRING_STARTS = (b"\x1b]", b"\x1bP", b"\x1b_", b"\x1b^", b"\x1bX")
SECONDS = b"[O]P_^X"
"""What a sequence of more than two bytes goes on with."""
X10_MOUSE = b"\x1b[M"
X10_MOUSE_LENGTH = 6

WHOLE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[0-9;]*[@-~]|[^\[O\]P_^X\x80-\xff])", re.DOTALL)
ODD = frozenset(
    sequence.encode()
    for sequence in ANSI_SEQUENCES_KEYS
    if len(sequence) > 1 and sequence[1] != "\x1b" and not WHOLE.fullmatch(sequence.encode())
)
"""Keys of the Linux console and of rxvt that break the grammar of control sequences."""
ODD_STARTS = frozenset(odd[:end] for odd in ODD for end in range(3, len(odd)) if WHOLE.fullmatch(odd[:end]))

NOT_PASTED = re.compile(
    rb"(?:\x0b|\x1b\[21(?:;[0-9:]*)?~|\x1b\[(?:107|75)[0-9:;]*u|\x1b\[27;[0-9]+;(?:107|75)~|%b)+"
    % re.escape(ANSWER.encode())
)
"""Nothing but what may be the chord, and the terminal's own answers: they keep neither a paste nor its doubt alive."""


@dataclass(frozen=True, slots=True)
class Typed:
    """Plain characters."""

    text: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """One whole escape sequence."""

    text: str


@dataclass(frozen=True, slots=True)
class EscapeKey:
    """An escape that nothing followed."""


@dataclass(frozen=True, slots=True)
class Pasted:
    """What a paste held when it ended."""

    text: str


@dataclass(frozen=True, slots=True)
class ChordByte:
    """Ctrl+K as its one byte. Its longer forms are sequences, which `console.chord` reads."""


@dataclass(frozen=True, slots=True)
class Broken:
    """Bytes that mean nothing."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Straggler:
    """What came where the rest of an ended paste may come: characters of one read, or one sequence."""

    text: str


Token = Typed | Sequence | EscapeKey | Pasted | ChordByte | Broken | Straggler


class Scanner:
    """Bytes and instants in, tokens out."""

    def __init__(self) -> None:
        self._decoder = getincrementaldecoder("utf-8")(errors="replace")
        self._tokens: list[Token] = []
        self._text = bytearray()
        self._sequence = bytearray()
        self._paste: bytearray | None = None
        self._paste_since = 0.0
        self._heard_at = 0.0
        self._is_escape_spent = False  # the chord came behind it: alone, it stands nothing down any more (OP-07)
        self._is_in_doubt = False  # what comes now may be the rest of a paste that was ended

    @property
    def is_waiting(self) -> bool:
        """Whether a silence will say something: call `tick` soon."""
        return bool(self._sequence) or self.is_pasting

    @property
    def is_pasting(self) -> bool:
        """Whether what comes now is a paste, or may be the rest of one that was ended."""
        return self._paste is not None or self._is_in_doubt

    def feed(self, data: bytes, now: float) -> list[Token]:
        self._settle(now)
        if not (self.is_pasting and NOT_PASTED.fullmatch(data)):
            self._heard_at = now
        for byte in data:
            self._take(byte, now)
        return self._drain()

    def tick(self, now: float) -> list[Token]:
        """What the silence since the last bytes means."""
        self._settle(now)
        return self._drain()

    def _settle(self, now: float) -> None:
        silence = now - self._heard_at
        if self._sequence and silence >= (ESCAPE_DELAY if len(self._sequence) <= len("\x1b[") else SEQUENCE_SILENCE):
            self._give_sequence_up()
        if self._paste is not None and (silence >= PASTE_SILENCE or now - self._paste_since >= PASTE_LASTS):
            self._break_paste_off(self._paste)
        if self._is_in_doubt and silence >= DOUBT_SILENCE:
            self._is_in_doubt = False

    def _take(self, byte: int, now: float) -> None:
        if self._paste is not None:
            self._paste.append(byte)
            if self._paste.endswith(PASTE_END):
                del self._paste[-len(PASTE_END) :]
                self._end_paste()
        elif byte == CTRL_K:
            self._is_escape_spent = bytes(self._sequence) == b"\x1b"
            self._emit(ChordByte())
        elif self._is_escape_spent and len(self._sequence) == 1 and byte not in SECONDS:
            self._drop_escape()
            self._take(byte, now)
        elif byte == ESCAPE and self._sequence[:2] not in STRING_STARTS:
            if self._sequence:
                self._give_sequence_up()
            self._sequence.append(byte)
        elif self._sequence:
            self._sequence.append(byte)
            self._continue(now)
        else:
            self._text.append(byte)

    def _continue(self, now: float) -> None:
        sequence = bytes(self._sequence)
        if sequence[:2] in STRING_STARTS:
            if sequence.endswith((b"\x07", b"\x1b\\")) or len(sequence) >= LONGEST_REPLY:
                self._close(Broken(sequence))
        elif sequence.startswith(X10_MOUSE):
            if len(sequence) == X10_MOUSE_LENGTH:
                self._close(Broken(sequence))
        elif sequence in ODD or (WHOLE.fullmatch(sequence) and sequence not in ODD_STARTS):
            self._close_whole(sequence, now)
        elif sequence[1] >= 0x80:  # noqa: PLR2004 - the first byte of a character beyond ASCII
            self._close(EscapeKey())
            self._text.append(sequence[1])
        elif len(sequence) > LONGEST_REPLY:
            self._close(Broken(sequence))

    def _close_whole(self, sequence: bytes, now: float) -> None:
        if sequence == PASTE_START:
            self._sequence.clear()
            self._flush_text()
            self._paste, self._paste_since, self._is_in_doubt = bytearray(), now, False
        elif sequence == PASTE_END:
            self._close(Broken(sequence))
            self._is_in_doubt = False
        elif len(sequence) > LONGEST_SEQUENCE:
            self._close(Broken(sequence))
        else:
            self._close(Sequence(sequence.decode("ascii", errors="replace")))

    def _give_sequence_up(self) -> None:
        sequence = bytes(self._sequence)
        if sequence == b"\x1b" and self._is_escape_spent:
            self._drop_escape()
        elif sequence == b"\x1b":
            self._close(EscapeKey())
        elif len(sequence) == len("\x1b["):
            self._close(Sequence(sequence.decode("ascii", errors="replace")))
        else:
            self._close(Broken(sequence))

    def _drop_escape(self) -> None:
        """It was typed before the chord, and would be heard behind it: as the word that ends the halt."""
        self._sequence.clear()
        self._is_escape_spent = False

    def _close(self, token: Token) -> None:
        self._sequence.clear()
        self._is_escape_spent = False
        self._emit(token)
        if isinstance(token, Broken) and token.data.rfind(PASTE_START) > token.data.rfind(PASTE_END):
            self._is_in_doubt = True  # it swallowed the beginning of a paste, whose rest may still come

    def _break_paste_off(self, paste: bytearray) -> None:
        """Its rest may come yet; the terminal's answers, which came behind it, are no part of it."""
        answers = paste.count(ANSWER.encode())
        self._paste = paste.replace(ANSWER.encode(), b"")
        self._end_paste()
        self._tokens += [Sequence(ANSWER)] * answers
        self._is_in_doubt = True

    def _end_paste(self) -> None:
        pasted = bytes(self._paste or b"")
        self._paste = None
        self._emit(Pasted(pasted.decode(errors="replace").replace("\x00", "")))

    def _emit(self, token: Token) -> None:
        self._flush_text()
        if self._is_in_doubt and isinstance(token, Sequence):
            self._tokens.append(Straggler(token.text))
        elif not (self._is_in_doubt and isinstance(token, EscapeKey)):
            self._tokens.append(token)

    def _flush_text(self) -> None:
        text = self._decoder.decode(bytes(self._text))
        self._text.clear()
        if text:
            self._tokens.append(Straggler(text) if self._is_in_doubt else Typed(text))

    def _drain(self) -> list[Token]:
        self._flush_text()
        tokens, self._tokens = self._tokens, []
        return tokens
