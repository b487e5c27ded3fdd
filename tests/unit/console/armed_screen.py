"""A screen with an armed key, on a clock that the test moves: the real bytes-to-messages, keyboard and arming under it.

Every Esc uncovers another one with the same key, as a dialog over a ticket does; nothing else leaves it.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.message import Message

from console.arming import REDUCES_AFTER, Arming, Keyboard, ShownTicket
from console.terminal.input_reader import Dropped, Reader
from console.terminal.typed import is_modified

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
