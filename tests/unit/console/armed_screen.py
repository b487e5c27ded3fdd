"""A screen with an armed key, on a clock that the test moves: the real bytes-to-messages, keyboard and arming under it.

Every Esc uncovers another one with the same key, as a dialog over a ticket does; nothing else leaves it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from textual import events
from textual.message import Message

from console.arming import REDUCES_AFTER, Arming, Keyboard, ShownTicket
from console.terminal.input_reader import Dropped, Reader
from console.terminal.keys import is_modified
from tests.kit.key_sequences import Way

LOOK = 0.05
"""Seconds between two looks of the input thread while something is pending."""
PAINTED_AFTER = 0.05
PRESSES = "BSHCRPOD"
"""Letters that an arming judges; `K` the door hears, and `F` is bound."""


class ArmedScreen:
    """Attributes: `acted`, how often its letter did what it does."""

    def __init__(self, letter: str) -> None:
        self.letter = letter
        self.now = 100.0
        self.acted = 0
        self.doubted = 0
        self._shown = ShownTicket("ticket", "0")
        self._keyboard = Keyboard()
        self._arming = Arming(self._keyboard)
        self._is_kill_open = True
        self._reader = Reader(self, self._hear, lambda: None)
        self._arming.paint(self._shown, self.now - 10.0)

    # ── hands

    def receive(self, data: bytes) -> None:
        self._reader.feed(data, self.now)

    def wait(self, seconds: float) -> None:
        """The input thread looks at the silence as often as it does."""
        end = self.now + seconds
        while self._reader.is_waiting and self.now + LOOK < end and self._is_worth_looking():
            self.now += LOOK
            self._reader.tick(self.now)
            self._take()
        self.now = end
        self._reader.tick(self.now)
        self._take()

    def _is_worth_looking(self) -> bool:
        """A doubt alone ends at whatever look: all that its silence changes is asked at the next byte anyway."""
        return self._reader._scanner.is_in_the_middle

    def comes(self, parts: Sequence[bytes], pauses: Sequence[float]) -> int:
        """The parts with those pauses between them; how often the letter acted, long after."""
        for part, pause in zip(parts, (*pauses, 1.5), strict=True):
            self.receive(part)
            self.wait(pause)
        return self.acted

    # ── the screen

    def _hear(self, message: Message) -> None:
        match message:
            case Dropped():
                self._arming.hear(message.key, self.now)
            case events.Key():
                self._press(message)
            case events.Paste() | events.MouseDown() | events.AppFocus():
                self._arming.hear(None, self.now)

    def _press(self, key: events.Key) -> None:
        if is_modified(key) and key.is_printable:
            key.character = None
        name = key.character or key.key
        if self.letter in PRESSES and name == self.letter:
            self._arming.turn(self._shown, name, REDUCES_AFTER, self.now)
        else:
            self._arming.hear(name, self.now)
        if self.letter == "F" and key.key == "F" and not self._keyboard.may_be_a_rest:
            self.acted += 1
        if key.key == "escape":
            self._is_kill_open = False
            self._shown = ShownTicket("ticket", f"{self.now}")
            self._arming.paint(self._shown, self.now + PAINTED_AFTER)

    def _take(self) -> None:
        if self._arming.take(self._shown, self.now):
            self.acted += 1

    # ── the door

    def press_kill(self) -> None:
        self._is_kill_open = True

    def press_kill_again(self) -> None:
        if self.letter == "K":
            self.acted += 1

    def is_kill_open(self) -> bool:
        return self._is_kill_open and self.letter in "KF"


# ── what is tried on it

PAUSES = (0.05, 0.3, 0.6, 0.8, 1.2, 3.0)
AROUND = (b"j", b"\x1b[A", b"\x1b[0n", b"\x1b[<35;3;3M", b"\x1b", b"\x1b[I", b"\xc3\xa9")
QUIET = re.compile(rb"\x1b\[(?:<(?:0;10;20m|[1-9].*)|0n)").fullmatch
"""A mouse that moves, a wheel or a button let go, and the terminal's answer: the hand at the keyboard makes neither."""
Tries = Iterator[tuple[Sequence[bytes], Sequence[float]]]


def whole_and_joined(way: Way, letter: str) -> Tries:
    """The plain letter is a neighbour too, where it is judged by its silence, and the way is none that breaks none."""
    if not has_its_beginning(way, letter):
        return
    yield (way.data,), ()
    for neighbour in (*AROUND, way.data, *([letter.encode()] if letter in PRESSES and not QUIET(way.data) else [])):
        yield (neighbour + way.data,), ()
        yield (way.data + neighbour,), ()


def has_its_beginning(way: Way, letter: str) -> bool:
    """A `[` alone is no introducer: behind it the letters of a screen without an arming mean what they say."""
    return way.data[:1] != b"[" or letter in PRESSES


def cut_in_two(way: Way, letter: str) -> Tries:
    for at in range(1, len(way.data)) if has_its_beginning(way, letter) else ():
        for pause in PAUSES:
            yield (way.data[:at], way.data[at:]), (pause,)


def cut_in_three(way: Way, letter: str) -> Tries:
    for first in range(1, len(way.data) - 1) if has_its_beginning(way, letter) else ():
        for second in range(first + 1, len(way.data)):
            for pauses in ((0.6, 0.6), (0.3, 3.0), (3.0, 0.8), (1.2, 1.2)):
                yield (way.data[:first], way.data[first:second], way.data[second:]), pauses


def acted(tries: Tries, letter: str) -> Iterator[str]:
    for parts, pauses in tries:
        if ArmedScreen(letter).comes(parts, pauses):
            yield f"{parts} {pauses}"
