"""Split terminal input into complete tokens before Textual's parser sees it.

Two things are decided here. The kill chord is found anywhere, also between the bytes of an unfinished sequence (OP-07).
And a sequence that is broken, endless or cut in two never turns into its letters: Textual would type them, and letters
are commands here (OP-04). Sequences are defined in `console.terminal.keys`.

| input | is taken for |
| --- | --- |
| an escape, and nothing for 0.1 s | the key Esc |
| an escape, and at once a key that begins no sequence (Alt, or a link that joined two) | Esc; the other is dropped |
| a complete sequence | that sequence |
| one in pieces, less than a second apart, but over 0.1 s | that sequence, and doubt: a key press may have ended it |
| an escape taken for Esc, and `[` `]` `O` `P` `^` `_` within 5 s | the sequence that it began, in pieces |
| an introducer without its rest in time; a sequence too long, or cut by another one | doubt |
| a C1 control, bytes that are not UTF-8, a complete sequence that no terminal sends | doubt |
| a paste that pauses for half a second, or lasts: the pasted text is delivered | doubt, until its end mark |

In doubt every character is dropped until the line was silent for 5 s; so no letter that could be the rest of something
acts. Complete sequences act, except for those that type a character, and in the doubt of a paste these do not act
either. The chord is never in doubt, and `K` alone behind it is not affected by a doubt older than it. A single escape,
which may remain when the link cut Alt+B behind it, leaves letters their meaning: `console.arming` ensures that none of
them confirms.

Only `tick` reports silence: bytes read late, by a process that did not run, arrived at an unknown time, and interrupt
every silence not reported yet. No clock is read here: every call passes its time, in seconds on one monotonic clock.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from enum import Enum

from textual.constants import ESCAPE_DELAY

from console.terminal.keys import (
    ANSWER,
    CONTROL,
    CTRL_K,
    ESCAPE,
    PASTE_END,
    PASTE_START,
    RESUMES,
    SECONDS,
    STRING_END,
    STRING_STARTS,
    UNREADABLE,
    Press,
    is_joined,
    is_key,
    is_nobodys,
    is_whole,
    read_press,
    typed,
)
from core.model.lazy_dataclass import dataclass

PASTE_SILENCE = 0.5
"""Seconds without a byte, apart from repeated chords and the terminal's answers, that end a paste."""

PASTE_LASTS = 5.0
"""Seconds after which a paste is ended although more of it arrives."""

DOUBT_SILENCE = 5.0
"""Seconds without such a byte after which the rest of a broken sequence is not expected any more."""

SEQUENCE_SILENCE = 1.0
"""Time-out in seconds for the rest of a sequence with more bytes than typed by hand."""

LONGEST_SEQUENCE = 32
"""Characters; Textual types a longer sequence as letters."""

LONGEST_REPLY = 4096
"""The maximum length in bytes of a terminal's answer (OSC, DCS, APC)."""

NOT_HEARD = re.compile(
    rb"(?:\x0b|\x1b\[21(?:;[0-9:]*)?~|\x1b\[(?:107|75)[0-9:;]*u|\x1b\[27;[0-9]+;(?:107|75)~|%b)+"
    % re.escape(ANSWER.encode())
)
"""Only possible chords and the terminal's own answers.

They do not prolong a paste, an incomplete sequence or a doubt.
"""


class AmbiguousBytes(Enum):
    """Why characters are dropped, as text."""

    PASTE = "a paste broke off"
    CUT = "a key came cut"


@dataclass(frozen=True, slots=True)
class Typed:
    """Plain characters."""

    text: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """One complete escape sequence."""

    text: str


@dataclass(frozen=True, slots=True)
class EscapeKey:
    """An escape without a following byte."""


@dataclass(frozen=True, slots=True)
class Pasted:
    """The content of a paste at its end."""

    text: str


@dataclass(frozen=True, slots=True)
class ChordByte:
    """Ctrl+K as a single byte. Its longer forms are sequences, which `console.terminal.keys` reads."""


@dataclass(frozen=True, slots=True)
class BrokenSequence:
    """Unknown bytes. `is_joined`: an escape came with them, and counts."""

    data: bytes
    is_joined: bool = False


@dataclass(frozen=True, slots=True)
class Straggler:
    """Input that may be the rest of something broken: characters of one read, or one sequence.

    `is_behind_chord`: the kill chord was pressed since it broke, so that a `K` is more likely a key than a rest.
    """

    text: str
    is_behind_chord: bool


Token = Typed | Sequence | EscapeKey | Pasted | ChordByte | BrokenSequence | Straggler


class Scanner:
    """Bytes and times in, tokens out."""

    def __init__(self) -> None:
        self._decoder = getincrementaldecoder("utf-8")(errors="replace")
        self._tokens: list[Token] = []
        self._text = bytearray()
        self._sequence = bytearray()
        self._paste: bytearray | None = None
        self._paste_since = 0.0
        self._read_at = 0.0
        self._looked_at = 0.0
        self._heard_at = 0.0
        self._escaped_at = float("-inf")  # the last byte was an escape, and it was taken for the key
        self._is_in_pieces = False
        self._is_escape_spent = (
            False  # its escape has no more effect: it was reported, or the chord came behind it (OP-07)
        )
        self._doubt: AmbiguousBytes | None = None
        self._count = self._began_at = self._broke_at = self._chord_at = 0  # in bytes: the order of events

    @property
    def is_waiting(self) -> bool:
        """Whether a silence will soon change something: call `tick` often."""
        return self.is_in_the_middle or self._doubt is not None

    @property
    def is_in_the_middle(self) -> bool:
        """Whether something began and has not ended."""
        return bool(self._sequence) or self._paste is not None or bool(self._decoder.getstate()[0])

    @property
    def doubt(self) -> AmbiguousBytes | None:
        """Why a character typed now would be dropped; otherwise None."""
        return AmbiguousBytes.PASTE if self._paste is not None else self._doubt

    def doubt_left(self, now: float) -> float:
        """Seconds of silence that end the doubt; 0 without one."""
        return max(0.0, self._heard_at + DOUBT_SILENCE - now) if self.doubt is not None else 0.0

    def feed(self, data: bytes, now: float) -> list[Token]:
        """Process data read at this time, which arrived at some time since the last call."""
        self._read_at = now
        self._end_paste_that_lasts(now)
        self._is_in_pieces = self._is_in_pieces or now - self._heard_at >= ESCAPE_DELAY
        if not ((self.is_in_the_middle or self.doubt is not None) and NOT_HEARD.fullmatch(data)):
            self._heard_at = now
        for byte in data:
            self._take(byte)
        return self._drain()

    def tick(self, now: float) -> list[Token]:
        """Process the silence since the last bytes; everything that arrived until now has been read."""
        self._looked_at = now
        silence = now - self._heard_at
        if self._sequence and silence >= self._timeout():
            self._give_sequence_up()
        if silence >= SEQUENCE_SILENCE and (half := self._decoder.getstate()[0]):
            self._decoder.reset()
            self._break_off(half)
        if self._paste is not None and silence >= PASTE_SILENCE:
            self._break_paste_off(self._paste)
        self._end_paste_that_lasts(now)
        if self._doubt is not None and silence >= DOUBT_SILENCE:
            self._doubt = None
        return self._drain()

    def _end_paste_that_lasts(self, now: float) -> None:
        if self._paste is not None and now - self._paste_since >= PASTE_LASTS:
            self._break_paste_off(self._paste)

    def _timeout(self) -> float:
        """Return the time-out of the sequence: input that may be typed by hand is decided quickly."""
        is_typed = len(self._sequence) <= len("\x1bO") and self._sequence != CONTROL
        return ESCAPE_DELAY if is_typed else SEQUENCE_SILENCE

    def _take(self, byte: int) -> None:
        self._count += 1
        if self._paste is not None:
            self._paste.append(byte)
            if self._paste.endswith(PASTE_END):
                del self._paste[-len(PASTE_END) :]
                self._end_paste()
        elif byte == CTRL_K:
            self._hear_chord(bytes(self._sequence))
        elif self._sequence:
            self._continue(byte)
        elif byte == ESCAPE:
            self._begin(b"\x1b")
        elif self._looked_at - self._escaped_at < DOUBT_SILENCE and byte in RESUMES:
            self._begin(bytes((ESCAPE, byte)))
            self._is_escape_spent = self._is_in_pieces = True
        else:
            self._text.append(byte)
            self._escaped_at = float("-inf")

    def _hear_chord(self, sequence: bytes) -> None:
        """Handle the chord.

        No terminal sends it within a sequence: that one was cut, and ends, so that it does not take the next `K`.
        """
        self._emit(ChordByte())
        if len(sequence) > 1:
            self._break_off(sequence)
        elif sequence:
            self._is_escape_spent = True

    def _begin(self, sequence: bytes) -> None:
        self._sequence += sequence
        self._began_at = self._count
        self._is_in_pieces = False

    def _continue(self, byte: int) -> None:
        sequence = bytes(self._sequence)
        is_string = sequence[:2] in STRING_STARTS
        if sequence == b"\x1b" and self._is_escape_spent and byte not in SECONDS:
            self._drop_escape()
            self._take(byte)
        elif sequence == b"\x1b" and byte >= 0x80:  # noqa: PLR2004 - the first byte of a character beyond ASCII
            self._close(EscapeKey())
            self._text.append(byte)
        elif byte == ESCAPE and not (is_string and sequence[-1] != ESCAPE):
            self._give_sequence_up()
            self._begin(b"\x1b")
        elif is_string and sequence[-1] == ESCAPE and byte != STRING_END[-1]:
            self._break_off(sequence[:-1])
            self._begin(b"\x1b")
            self._take(byte)
        else:
            self._sequence.append(byte)
            self._look(bytes(self._sequence))

    def _look(self, sequence: bytes) -> None:
        if is_whole(sequence):
            self._close_whole(sequence)
        elif len(sequence) >= LONGEST_REPLY:
            self._break_off(sequence)

    def _close_whole(self, sequence: bytes) -> None:
        if sequence == PASTE_START:
            self._sequence.clear()
            self._is_escape_spent = False
            self._flush_text()
            self._paste, self._paste_since = bytearray(), self._read_at
            self._end_doubt_of_a_paste()
        elif sequence == PASTE_END:
            self._close(BrokenSequence(sequence))
            self._end_doubt_of_a_paste()
        elif is_joined(sequence):
            self._tell_escape()
            self._close(BrokenSequence(sequence[1:], is_joined=True))
        elif is_nobodys(sequence):
            self._break_off(sequence)
        elif len(sequence) > LONGEST_SEQUENCE or not is_key(sequence):
            self._close(BrokenSequence(sequence))
        else:
            self._close(Sequence(sequence.decode("ascii", errors="replace")))

    def _give_sequence_up(self) -> None:
        """End a sequence whose rest did not come in time, or was cut by another."""
        sequence = bytes(self._sequence)
        if sequence == b"\x1b":
            self._escaped_at = self._heard_at
            self._tell_escape()
            self._drop_escape()
        elif len(sequence) == len("\x1bO") and sequence != CONTROL:
            self._tell_escape()
            self._break_off(sequence[1:])
        else:
            self._break_off(sequence)

    def _tell_escape(self) -> None:
        if not self._is_escape_spent:
            self._emit(EscapeKey())

    def _drop_escape(self) -> None:
        """Drop an escape that was reported, or typed before the chord: reported after it, it would end the halt."""
        self._sequence.clear()
        self._is_escape_spent = False

    def _close(self, token: Token) -> None:
        self._sequence.clear()
        self._is_escape_spent = False
        self._escaped_at = float("-inf")
        self._emit(token)
        if self._is_in_pieces and token != Sequence(ANSWER):
            self._begin_doubt(AmbiguousBytes.CUT, self._began_at)
        self._is_in_pieces = False

    def _break_off(self, broken: bytes) -> None:
        """End a sequence as broken; its rest may still come, as letters."""
        self._close(BrokenSequence(broken))
        self._begin_doubt(AmbiguousBytes.CUT, self._began_at)

    def _begin_doubt(self, doubt: AmbiguousBytes, broke_at: int) -> None:
        """Begin a doubt; a broken paste does not shorten the doubt of a cut sequence."""
        if self._doubt is not AmbiguousBytes.CUT:
            self._doubt = doubt
        self._broke_at = broke_at

    def _end_doubt_of_a_paste(self) -> None:
        if self._doubt is AmbiguousBytes.PASTE:
            self._doubt = None

    def _break_paste_off(self, paste: bytearray) -> None:
        """End a paste early; its rest may still come. The terminal's answers behind it are not part of it."""
        answers = paste.count(ANSWER.encode())
        self._paste = paste.replace(ANSWER.encode(), b"")
        self._end_paste()
        self._tokens += [Sequence(ANSWER)] * answers
        self._begin_doubt(AmbiguousBytes.PASTE, self._count)

    def _end_paste(self) -> None:
        pasted = bytes(self._paste or b"")
        self._paste = None
        self._emit(Pasted(pasted.decode(errors="replace").replace("\x00", "")))

    def _emit(self, token: Token) -> None:
        self._flush_text()
        if isinstance(token, ChordByte) or (isinstance(token, Sequence) and read_press(token.text) is Press.CHORD):
            self._chord_at = self._count
        if isinstance(token, Sequence) and self._is_doubtful(token.text):
            self._tokens.append(Straggler(token.text, is_behind_chord=True))
        elif not (self._doubt is AmbiguousBytes.PASTE and isinstance(token, EscapeKey)):
            self._tokens.append(token)

    def _is_doubtful(self, sequence: str) -> bool:
        return self._doubt is AmbiguousBytes.PASTE or (
            self._doubt is AmbiguousBytes.CUT and typed(sequence) is not None
        )

    def _flush_text(self) -> None:
        """Emit the text; behind unreadable bytes, as behind an introducer, letters are dropped."""
        text = self._decoder.decode(bytes(self._text))
        self._text.clear()
        if self._doubt is None and (unreadable := UNREADABLE.search(text)):
            self._put_text(text[: unreadable.start()])
            self._tokens.append(BrokenSequence(unreadable[0].encode()))
            self._begin_doubt(AmbiguousBytes.CUT, self._count)
            text = text[unreadable.end() :]
        self._put_text(text)

    def _put_text(self, text: str) -> None:
        if text and self._doubt is not None:
            self._tokens.append(Straggler(text, is_behind_chord=self._chord_at > self._broke_at))
        elif text:
            self._tokens.append(Typed(text))

    def _drain(self) -> list[Token]:
        self._flush_text()
        tokens, self._tokens = self._tokens, []
        return tokens
