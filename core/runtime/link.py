"""What stands between the engine and the world: who presses the keys, the line to the exchange, the kill latch."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from core.messages.commands import Command
from core.messages.effects import Effect, ReplaceOrder, SubmitOrder
from core.messages.inputs import Input
from core.model.broker import OrderUpdate
from core.ports import KillSwitch


class Operator(Protocol):
    """Who presses the keys. Commands that it gives now are taken in at once."""

    def next_at(self) -> datetime | None:
        """When it will press the next key."""
        ...

    def press(self, at: datetime) -> Iterable[Command]:
        """The commands of the keys that are due."""
        ...


@dataclass(frozen=True, slots=True)
class Link:
    """The line to the exchange: how long a request takes to arrive, and its word to come back.

    A sound line carries everything once. Simulations replace it by one that loses, delays and repeats.

    Attributes
    ----------
    patience
        From a request's leaving to its being given up where no answer came: all of a client's time limit.
    """

    latency: timedelta = timedelta(milliseconds=100)
    answer_delay: timedelta = timedelta(0)
    patience: timedelta = timedelta(seconds=8)

    def carry(self, effect: Effect) -> Iterable[timedelta]:
        """After how long a request arrives; nothing where it is lost."""
        return (self.latency,)

    def bring(self, effect: Effect, answer: Input) -> Iterable[tuple[timedelta, Input]]:
        """After how long its answer is heard, and what is heard of it."""
        is_order = isinstance(effect, SubmitOrder | ReplaceOrder)
        return ((self.answer_delay if is_order else timedelta(0), answer),)

    def tell(self, update: OrderUpdate) -> Iterable[timedelta]:
        """After how long an update of the stream is heard."""
        return (self.latency + self.answer_delay,)


class HaltLatch:
    """The latch that the gateway reads: shut from the first press on, by file, environment or record (OP-08).

    A press holds it by itself: no other command, and no other press, lets it go. Lanes read it, and read nothing of the
    desk: what the record says is told here by the engine's thread, as soon as it is another.
    """

    def __init__(self, switch: KillSwitch) -> None:
        self.switch = switch
        self._recorded: str | None = None
        self._lock = threading.RLock()  # a signal may press in the middle of a look
        self._held: dict[int, str] = {}
        self._presses = 0

    @property
    def presses(self) -> int:
        """How many there were so far."""
        return self._presses

    @property
    def obeyed(self) -> int:
        """Of these the first ones, that the engine has taken in: what it shows now has them."""
        with self._lock:
            return min(self._held, default=self._presses + 1) - 1

    def press(self, by: str) -> int:
        """Shut it now; the number of this press, which alone lets it go. Any thread."""
        with self._lock:
            self._presses += 1
            self._held[self._presses] = by
            return self._presses

    def let_go(self, press: int) -> None:
        """The command of this press was obeyed: what the engine recorded takes over from it."""
        with self._lock:
            self._held.pop(press, None)

    def note(self, refusal: str | None) -> None:
        """Why the record lets nothing open now, or None."""
        self._recorded = refusal

    def shut(self) -> str | None:
        with self._lock:
            pressed_by = next(iter(self._held.values()), None)
        if pressed_by is not None:
            return f"halted by {pressed_by}"
        if door := self.switch.is_on():
            return f"killed by {door}"
        return self._recorded
