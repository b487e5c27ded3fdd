"""What the bytes of a terminal say, cut into whole tokens before Textual's parser sees any of them.

Two things are settled here. The kill chord is found wherever it can stand, also between the bytes of an unfinished
sequence (OP-07). And a sequence that is broken, endless or cut in two never turns into the letters that it is made of:
Textual would type them, and letters are commands here (OP-04). What is a sequence stands in `console.terminal.grammar`.

| what comes | is taken for |
| --- | --- |
| an escape, and nothing for 0.1 s | the key Esc |
| an escape, and at once a key that begins no sequence (Alt, or a link that joined two) | Esc; the other is dropped |
| a whole sequence | that sequence |
| one in pieces, less than a second apart, but over 0.1 s | that sequence, and doubt: a hand may have ended it |
| an escape taken for Esc, and `[` `]` `O` `P` `^` `_` within 5 s | the sequence that it began, in pieces |
| an introducer, and not its rest in time; a sequence too long, or cut by another one | doubt |
| a C1 control, bytes that are no UTF-8, a whole sequence that no terminal sends | doubt |
| a paste that was silent for half a second, or lasts: what was pasted is delivered | doubt, until its end mark |

In doubt every character is dropped, whatever it is, until the line was silent for 5 s; so no letter that could be the
rest of something acts. Whole sequences act, but for those that type a character, and in the doubt of a paste not these
either. The chord is never in doubt, and `K` alone behind it is not in a doubt that is older than it. An escape that
stands alone, as it may when the link cut Alt+B behind it, leaves the letters their meaning: `console.arming` sees to it
that none of them confirms.

Silence is what `tick` tells, and nothing else: bytes that were read late, by a process that had no turn, came who knows
when, and break every silence that no look has found. No clock is read here: every call brings its instant, in seconds
on one monotonic clock.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from dataclasses import dataclass
from enum import Enum

from textual.constants import ESCAPE_DELAY

from console.terminal.chord import CTRL_K, Press, read_press
from console.terminal.grammar import (
    CONTROL,
    ESCAPE,
    PASTE_END,
    PASTE_START,
    RESUMES,
    SECONDS,
    STRING_END,
    STRING_STARTS,
    UNREADABLE,
    is_joined,
    is_key,
    is_nobodys,
    is_whole,
)
from console.terminal.paint_proof import ANSWER
from console.terminal.typed import typed

PASTE_SILENCE = 0.5
"""Seconds without a byte, repeated chords and the terminal's answers aside, that end a paste."""

PASTE_LASTS = 5.0
"""Seconds after which a paste is ended although it still trickles."""

DOUBT_SILENCE = 5.0
"""Seconds without such a byte after which the rest of what was broken will not come any more."""

SEQUENCE_SILENCE = 1.0
"""Seconds that the rest of a sequence, of which more came than a hand would type, may take."""

LONGEST_SEQUENCE = 32
"""Characters; beyond them Textual types the sequence as letters."""

LONGEST_REPLY = 4096
"""Bytes of a terminal's answer (OSC, DCS, APC)."""

NOT_HEARD = re.compile(
    rb"(?:\x0b|\x1b\[21(?:;[0-9:]*)?~|\x1b\[(?:107|75)[0-9:;]*u|\x1b\[27;[0-9]+;(?:107|75)~|%b)+"
    % re.escape(ANSWER.encode())
)
"""Nothing but what may be the chord, and the terminal's own answers: they keep no paste, no half and no doubt alive."""


class AmbiguousBytes(Enum):
    """Why characters are dropped, in words."""

    PASTE = "a paste broke off"
    CUT = "a key came cut"


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
    """Ctrl+K as its one byte. Its longer forms are sequences, which `console.terminal.chord` reads."""


@dataclass(frozen=True, slots=True)
class BrokenSequence:
    """Bytes that mean nothing. `is_joined`: an escape came with them, and counts."""

    data: bytes
    is_joined: bool = False


@dataclass(frozen=True, slots=True)
class Straggler:
    """What came where the rest of something broken may come: characters of one read, or one sequence.

    `is_behind_chord`: the kill chord was pressed since it broke, and a `K` is more likely a key than a rest.
    """

    text: str
    is_behind_chord: bool


Token = Typed | Sequence | EscapeKey | Pasted | ChordByte | BrokenSequence | Straggler


class Scanner:
    """Bytes and instants in, tokens out."""

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
        self._is_escape_spent = False  # its escape acts no more: it was told, or the chord came behind it (OP-07)
        self._doubt: AmbiguousBytes | None = None
        self._count = self._began_at = self._broke_at = self._chord_at = 0  # in bytes: which of them came first

    @property
    def is_waiting(self) -> bool:
        """Whether a silence will soon say something: call `tick` often."""
        return self.is_in_the_middle or self._doubt is not None

    @property
    def is_in_the_middle(self) -> bool:
        """Whether something began and has not ended."""
        return bool(self._sequence) or self._paste is not None or bool(self._decoder.getstate()[0])

    @property
    def doubt(self) -> AmbiguousBytes | None:
        """Why a character typed now would be dropped; None where it would not."""
        return AmbiguousBytes.PASTE if self._paste is not None else self._doubt

    def doubt_left(self, now: float) -> float:
        """Seconds of silence that end the doubt; 0 where there is none."""
        return max(0.0, self._heard_at + DOUBT_SILENCE - now) if self.doubt is not None else 0.0

    def feed(self, data: bytes, now: float) -> list[Token]:
        """What was read at that instant, and came at some time since the last look."""
        self._read_at = now
        self._end_paste_that_lasts(now)
        self._is_in_pieces = self._is_in_pieces or now - self._heard_at >= ESCAPE_DELAY
        if not ((self.is_in_the_middle or self.doubt is not None) and NOT_HEARD.fullmatch(data)):
            self._heard_at = now
        for byte in data:
            self._take(byte)
        return self._drain()

    def tick(self, now: float) -> list[Token]:
        """What the silence since the last bytes means; nothing that came until then is unread."""
        self._looked_at = now
        silence = now - self._heard_at
        if self._sequence and silence >= self._patience():
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

    def _patience(self) -> float:
        """What a hand may have typed is waited for no longer than it takes to tell."""
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
        """No terminal sends it within a sequence: that one was cut before, and ends, lest it take the `K` to come."""
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
        """No more of it came in time, or something else began."""
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
        """It was told; or it was typed before the chord, and would be heard behind it, as the end of the halt."""
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
        """Its rest may come yet, as letters."""
        self._close(BrokenSequence(broken))
        self._begin_doubt(AmbiguousBytes.CUT, self._began_at)

    def _begin_doubt(self, doubt: AmbiguousBytes, broke_at: int) -> None:
        """A paste that breaks off in the doubt of a cut sequence ends it no sooner."""
        if self._doubt is not AmbiguousBytes.CUT:
            self._doubt = doubt
        self._broke_at = broke_at

    def _end_doubt_of_a_paste(self) -> None:
        if self._doubt is AmbiguousBytes.PASTE:
            self._doubt = None

    def _break_paste_off(self, paste: bytearray) -> None:
        """Its rest may come yet; the terminal's answers, which came behind it, are no part of it."""
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
        """Behind what nobody can read, as behind an introducer, letters are dropped."""
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
