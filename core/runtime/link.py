"""The engine's connections to the world: the operator, the link to the exchange, and the kill latch."""

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
    """A source of key presses. Its commands are processed at once."""

    def next_at(self) -> datetime | None:
        """The time of its next key press."""
        ...

    def press(self, at: datetime) -> Iterable[Command]:
        """Return the commands of the keys that are due."""
        ...


@dataclass(frozen=True, slots=True)
class Link:
    """The link to the exchange, with the delays of requests and answers.

    This link delivers everything once. Simulations replace it by one that loses, delays and repeats messages.

    Attributes
    ----------
    patience
        The time-out of a request: the total time limit of a client.
    """

    latency: timedelta = timedelta(milliseconds=100)
    answer_delay: timedelta = timedelta(0)
    patience: timedelta = timedelta(seconds=8)

    def carry(self, effect: Effect) -> Iterable[timedelta]:
        """Return the delays after which a request arrives; empty if it is lost."""
        return (self.latency,)

    def bring(self, effect: Effect, answer: Input) -> Iterable[tuple[timedelta, Input]]:
        """Return the delays of its answer, each with the answer as received."""
        is_order = isinstance(effect, SubmitOrder | ReplaceOrder)
        return ((self.answer_delay if is_order else timedelta(0), answer),)

    def tell(self, update: OrderUpdate) -> Iterable[timedelta]:
        """Return the delays after which a stream update is received."""
        return (self.latency + self.answer_delay,)


class HaltLatch:
    """The latch that the gateway reads: shut by a press, the kill file, the environment or the record (OP-08).

    Each press holds it separately: no other command and no other press releases it. Lanes read only the latch, never
    the desk's state: the engine's thread updates the recorded refusal here whenever it changes.
    """

    def __init__(self, switch: KillSwitch) -> None:
        self.switch = switch
        self._recorded: str | None = None
        self._lock = threading.RLock()  # a signal handler may press during a read
        self._held: dict[int, str] = {}
        self._presses = 0

    @property
    def presses(self) -> int:
        """The number of presses so far."""
        return self._presses

    @property
    def obeyed(self) -> int:
        """The number of presses that the engine has processed: its views include them."""
        with self._lock:
            return min(self._held, default=self._presses + 1) - 1

    def press(self, by: str) -> int:
        """Shut the latch now; return the number of this press, which alone releases it. Any thread."""
        with self._lock:
            self._presses += 1
            self._held[self._presses] = by
            return self._presses

    def let_go(self, press: int) -> None:
        """Release a press after its command was processed: the recorded refusal takes over."""
        with self._lock:
            self._held.pop(press, None)

    def note(self, refusal: str | None) -> None:
        """Set the recorded reason why nothing may open, or None."""
        self._recorded = refusal

    def shut(self) -> str | None:
        with self._lock:
            pressed_by = next(iter(self._held.values()), None)
        if pressed_by is not None:
            return f"halted by {pressed_by}"
        if door := self.switch.is_on():
            return f"killed by {door}"
        return self._recorded
