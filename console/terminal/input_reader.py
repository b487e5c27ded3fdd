"""Convert bytes with times to Textual's messages: scanner, kill keys, parser; no terminal (OP-04, OP-07).

`console.terminal.scanner` finds the tokens; here the kill keys go to the kill port at once, in the reading thread, and
the rest goes through Textual's parser, guarded. Input that has no effect is reported as `Dropped`, so that it
interrupts the silence before a confirming key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from math import ceil
from typing import Protocol

from textual import events
from textual._parser import ParseTimeout
from textual._xterm_parser import XTermParser
from textual.message import Message

from console.terminal.keys import (
    ANSWER,
    PlacedKey,
    Press,
    as_kitty,
    by_place,
    is_of_another_script,
    looks_typed,
    read_press,
    script_of,
    typed,
)
from console.terminal.scanner import (
    DOUBT_SILENCE,
    BrokenSequence,
    ChordByte,
    EscapeKey,
    Pasted,
    Scanner,
    Sequence,
    Straggler,
    Token,
    Typed,
)

CAPITAL_K = re.compile("([K\u041b\u039a])")
"""Also what its key types with Shift in the Cyrillic and the Greek layout: no other place of `K` is named there."""
ESCAPE = "\x1b"
REPLACEMENT = "\ufffd"
PRESSES = (events.Key, events.MouseEvent, events.AppFocus)
HALF = "half a key came; wait"
JOINED = "Esc counts, and not the key that came with it"


class KillChordPort(Protocol):
    """The interface for the kill keys. No method waits for the event loop, and none raises."""

    def press_kill(self) -> None:
        """Press the kill chord. Halts at once; when it returns, `is_kill_open` is true (OP-07)."""

    def press_kill_again(self) -> None:
        """Press `K` while `is_kill_open`."""

    def is_kill_open(self) -> bool:
        """Whether `K` would kill now. False while a word (NAKED, REARM) is typed."""


class Dropped(events.Event, bubble=False):
    """Input without effect; it still interrupts the silence before a confirming key (OP-04).

    `key` is its character; None is a click or a paste. `words` give the reason if the operator must know.
    """

    def __init__(self, key: str | None, words: str | None = None) -> None:
        super().__init__()
        self.key = key
        self.words = words


class AnotherScript(events.Event, bubble=False):
    """The keyboard types letters of another script, or Latin ones again: `is_on` tells which.

    The terminal does not name the keys' places: no letter acts, and the kill chord may not come.
    """

    def __init__(self, is_on: bool) -> None:
        super().__init__()
        self.is_on = is_on


class Reader:
    """Reads one keyboard. `send` takes its messages, `prove` each answer of the terminal. The counts are for tests."""

    def __init__(
        self, port: KillChordPort, send: Callable[[Message], None], prove: Callable[[], None], debug: bool = False
    ) -> None:
        self._port = port
        self._send = send
        self._prove = prove
        self._parser = GuardedParser(debug)
        self._scanner = Scanner()
        self._is_after_garbage = False
        self._is_of_another_script = False
        self._is_placing = False
        """Whether the last letter was one of another script, on a key whose place is named."""
        self.sequences_dropped = 0
        """Broken or unknown sequences."""
        self.keys_dropped = 0
        """Characters that may have been the rest of one."""

    @property
    def is_waiting(self) -> bool:
        """Whether a silence will change something: call `tick` soon."""
        return self._scanner.is_waiting

    def doubt(self, now: float) -> str | None:
        """Why a character typed now would be dropped, and for how long; otherwise None."""
        if self._scanner.is_in_the_middle:
            return HALF
        doubt, left = self._scanner.doubt, ceil(self._scanner.doubt_left(now))
        return f"{doubt.value}; all is dropped for {left} s" if doubt is not None and left else None

    def feed(self, data: bytes, now: float) -> None:
        """Read data. Data with the beginning of something else interrupts the silence in any case."""
        self._take(self._scanner.feed(data, now))
        if self._scanner.is_in_the_middle:
            self._send(Dropped(None))

    def tick(self, now: float) -> None:
        self._take(self._scanner.tick(now))

    def _take(self, tokens: Iterable[Token]) -> None:
        """Handle tokens.

        Characters right behind a broken sequence, in the same read, may be its rest: they are not typed.
        """
        for token in tokens:
            match token:
                case ChordByte():
                    self._port.press_kill()
                case Sequence(sequence):
                    text = by_place(sequence, follows_another_script=self._is_placing)
                    self._note_layout(sequence, is_placed=text != sequence)
                    self._hear_script(script_of(text))
                    letter = typed(sequence) if text != sequence else None
                    self._is_after_garbage = not self._is_ours(text) and not self._take_sequence(text, letter)
                case Typed(text) if not self._is_after_garbage:
                    self._note_layout(text, is_placed=False)
                    self._hear_script(text)
                    self._take_typed(text)
                case Typed(text):
                    self._drop(text)
                case Straggler(text, is_behind_chord):
                    self._take_straggler(text, is_behind_chord)
                case EscapeKey():
                    self._send(events.Key("escape", "\x1b"))
                case Pasted(text):
                    self._send(events.Paste(text))
                case BrokenSequence(data, is_joined):
                    self.sequences_dropped += 1
                    self._is_after_garbage = True
                    self._swallowed(data.decode(errors="replace"), JOINED if is_joined else None)
        self._is_after_garbage = False

    def _note_layout(self, text: str, *, is_placed: bool) -> None:
        """Note whether letters are of another script; what is no letter may be of any layout."""
        letters = typed(text) or script_of(text) if text.startswith(ESCAPE) else text
        if is_placed:
            self._is_placing = True
        elif any(map(str.isalpha, letters)) and not is_of_another_script(letters):
            self._is_placing = False

    def _hear_script(self, text: str) -> None:
        """Report once that letters of another script come, and once that Latin ones come again."""
        is_on = is_of_another_script(text)
        if is_on != self._is_of_another_script and any(map(str.isalpha, text)):
            self._is_of_another_script = is_on
            self._send(AnotherScript(is_on))

    def _is_ours(self, sequence: str) -> bool:
        press = read_press(sequence)
        if press is Press.CHORD:
            self._port.press_kill()
        elif press is Press.SECOND and self._port.is_kill_open():
            self._port.press_kill_again()
        elif sequence == ANSWER:
            self._prove()
        else:
            return press is Press.CHORD_RELEASED
        return True

    def _take_typed(self, text: str) -> None:
        for part in CAPITAL_K.split(text):
            if CAPITAL_K.fullmatch(part) and self._port.is_kill_open():
                self._port.press_kill_again()
            else:
                self._parse(part)

    def _take_straggler(self, text: str, is_behind_chord: bool) -> None:
        is_pressed = is_behind_chord and CAPITAL_K.fullmatch(text)  # alone in its read: pressed, not pasted
        if is_pressed and self._port.is_kill_open():
            self._port.press_kill_again()
        elif not self._is_ours(text):
            self._drop(text)

    def _drop(self, text: str) -> None:
        self.keys_dropped += 1
        self._swallowed(text)

    def _take_sequence(self, text: str, letter: str | None) -> bool:
        """Whether the sequence is understood: a character in a long form, or another key.

        `letter` is what the layout types, if the sequence is the key of the US layout in its place.
        """
        character = typed(text)
        if character is None:
            return self._parse(as_kitty(text), is_key=True)
        return self._parse(character, letter=letter)

    def _parse(self, text: str, is_key: bool = False, letter: str | None = None) -> bool:
        """Whether Textual's parser understood it. A key that is not a character types none (OP-04)."""
        is_understood = REPLACEMENT not in text
        messages = self._parser.messages(text.replace(REPLACEMENT, ""))
        if self._parser.is_broken:
            is_understood = False
            self._parser = self._parser.successor()
        if not is_understood:
            self.sequences_dropped += 1
        if is_key:
            messages = [it for it in messages if not (isinstance(it, events.Key) and looks_typed(it))]
        for message in messages:
            if letter is not None and isinstance(message, events.Key):
                self._send(PlacedKey(message.key, message.character, letter))
            else:
                self._send(message)
        if text and not any(isinstance(message, PRESSES) for message in messages):
            self._swallowed(text)
        return is_understood

    def _swallowed(self, text: str, words: str | None = None) -> None:
        """Report dropped input, which may contain a key that the user expects to act: the silence is interrupted."""
        if (doubt := self._scanner.doubt) is not None:
            words = f"dropped: {doubt.value}, and this may be its rest; type nothing for {DOUBT_SILENCE:.0f} s"
        self._send(Dropped(text[-1:], words))


class GuardedParser(XTermParser):
    """Textual's parser, fed only complete tokens.

    It may raise (for a kitty key with an event type), which ends it, and it types unknown sequences as letters. In both
    cases it returns nothing, and `successor` replaces it.
    """

    is_broken = False

    def messages(self, text: str) -> list[Message]:
        if not text:
            return []
        try:
            messages = list(self.feed(text))
            if self._awaiting.timeout is not None:
                messages = self._settled(text)
        except Exception:  # the desk must survive any terminal input; the driver counts it
            self.is_broken = True
            return []
        return messages

    def _settled(self, text: str) -> list[Message]:
        """Handle a parser that waits after a complete token: the token is unknown to it, or is Alt and a character."""
        if len(text) != len("\x1bx"):
            self.is_broken = True
            return []
        self._awaiting = self._gen.throw(ParseTimeout())
        messages = [*self._tokens]
        self._tokens.clear()
        return messages

    def successor(self) -> GuardedParser:
        """Return a new parser with the same knowledge of the terminal."""
        parser = GuardedParser()
        parser.last_x, parser.last_y = self.last_x, self.last_y
        parser.mouse_pixels = self.mouse_pixels
        parser.terminal_size = self.terminal_size
        parser.terminal_pixel_size = self.terminal_pixel_size
        return parser
