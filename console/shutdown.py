"""The end of a desk, by the operator, a signal or a lost terminal, and a press that no engine received (OP-07).

Textual handles neither SIGHUP nor SIGTERM, and without its terminal its own exit can hang or spin. Here a signal
handler only writes a byte. A thread that waits for it does the rest, regardless of the event loop, and another thread
ends the process if the desk does not.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import FrameType

from console.client.access import EngineAccess, HostFiles
from core.ports import OperatorError

DEADLINE = 3.0
"""Seconds for the desk to end by itself."""

TERMINAL_GONE, KEYBOARD_FAILED = 0, 255
"""Bytes for the causes that are not signals."""

DEADLY = (
    signal.SIGQUIT,
    signal.SIGALRM,
    signal.SIGABRT,
    signal.SIGUSR2,
    signal.SIGVTALRM,
    signal.SIGPROF,
    signal.SIGIO,
    signal.SIGXCPU,
)
"""These would end the process at once and leave the terminal unusable for a shell."""

CAUSES: Mapping[int, tuple[str, int]] = {
    TERMINAL_GONE: ("the terminal is gone", 128 + signal.SIGHUP),
    KEYBOARD_FAILED: ("the keyboard cannot be read any more", 1),
    signal.SIGHUP: ("the terminal hung up (SIGHUP)", 128 + signal.SIGHUP),
    signal.SIGTERM: ("asked to end (SIGTERM)", 128 + signal.SIGTERM),
    signal.SIGINT: ("interrupted (SIGINT)", 128 + signal.SIGINT),
    **{number: (f"asked to end ({number.name})", 128 + number) for number in DEADLY},
}
"""The reason for each cause, and its exit status."""


class Departure(threading.Thread):
    """Waits for the signals. SIGUSR1 halts (OP-08); any other one leaves, once.

    `stop_painting` is called first, then `leave` in a separate thread; `restore` just before the process is ended by
    force, `DEADLINE` seconds later. None of them runs inside a signal handler.
    """

    def __init__(
        self,
        *,
        leave: Callable[[str], None],
        halt: Callable[[str], None],
        stop_painting: Callable[[], None],
        restore: Callable[[], None],
    ) -> None:
        super().__init__(daemon=True, name="keyturn-leaving")
        self._leave = leave
        self._halt = halt
        self._stop_painting = stop_painting
        self._restore = restore
        self._ear, self._mouth = os.pipe()
        os.set_blocking(self._mouth, False)
        self.status: int | None = None
        """The exit status of the cause; None while nothing asked the desk to leave."""

    def listen(self) -> None:
        """Install the signal handlers. Main thread only, like `signal.signal`."""
        for number in (*CAUSES, signal.SIGUSR1):
            if number not in (TERMINAL_GONE, KEYBOARD_FAILED):
                signal.signal(number, self._heard)
        self.start()

    def terminal_is_gone(self) -> None:
        """Report that a read or write found no terminal. From any thread; repeated calls do nothing."""
        self._say(TERMINAL_GONE)

    def keyboard_failed(self) -> None:
        """Report that the input thread failed. A desk that cannot receive a kill must not go on (OP-07)."""
        self._say(KEYBOARD_FAILED)

    def run(self) -> None:
        while heard := os.read(self._ear, 1):
            if heard[0] == signal.SIGUSR1:
                self._halt("SIGUSR1")
            elif self.status is None:
                self._go(heard[0])

    def _go(self, cause: int) -> None:
        reason, status = CAUSES[cause]
        self.status = status
        threading.Thread(target=self._end_by_force, args=(status,), daemon=True).start()
        self._stop_painting()
        threading.Thread(target=self._leave, args=(reason,), daemon=True).start()

    def _end_by_force(self, status: int) -> None:
        time.sleep(DEADLINE)
        try:
            self._restore()
        finally:
            os._exit(status)

    def _heard(self, number: int, _frame: FrameType | None) -> None:
        self._say(number)

    def _say(self, cause: int) -> None:
        try:
            os.write(self._mouth, bytes([cause]))
        except BlockingIOError:
            return  # 64 kB of causes wait already


CLOSING_TIMEOUT = 3.0
"""Seconds for the engine to close when the operator leaves."""


class Closing:
    """The end of one desk.

    Attributes
    ----------
    failure
        Why the desk ended although nobody left it; None after a normal end.
    """

    def __init__(self, handle: EngineAccess, now: Callable[[], float]) -> None:
        self.was_left = False
        self.failure: str | None = None
        self._handle = handle
        self._now = now
        self._until: float | None = None

    @property
    def is_waiting(self) -> bool:
        return self._until is not None

    def begin(self) -> None:
        """Called when the operator leaves."""
        self.was_left = True
        self._until = self._now() + CLOSING_TIMEOUT
        self._handle.leave("left by the operator", on_purpose=True)

    def is_over(self) -> bool:
        """Return whether the engine has closed or timed out."""
        if self._until is None or self._handle.ended.is_set():
            return self._until is not None
        if self._now() <= self._until:
            return False
        if not self._handle.goes_on:
            self.failure = "the engine did not close its journal in time; the next start repairs it"
        return True


def not_heard(handle: EngineAccess) -> str:
    """Return the banner text; empty if nothing is pending."""
    owed = handle.owes_press
    return f"{owed.upper()} NOT HEARD YET: it is sent as soon as an engine hears it." if owed is not None else ""


class OwedPress:
    """The pending press of one desk. A file in the account's folder halts the engine that runs or starts next."""

    def __init__(self, handle: EngineAccess, surroundings: HostFiles) -> None:
        self._handle = handle
        self._surroundings = surroundings
        self._lock = threading.Lock()
        self._left: set[str] = set()

    def leave_behind(self) -> None:
        """Store the press when the desk is left, from any thread. A needless halt costs only a key press."""
        with self._lock:
            owed = self._handle.owes_press
            if owed is not None and owed not in self._left:
                with suppress(OperatorError, OSError):
                    self._surroundings.leave_press(kills=owed == "kill")
                    self._left.add(owed)

    def last_words(self) -> tuple[bool, str]:
        """Return whether everything was or will be received, and the text for stderr."""
        owed = self._handle.owes_press
        if owed is None:
            return True, ""
        if owed in self._left:
            return True, f"the {owed} was not heard yet: it is left for the engine, which takes it as it runs or starts"
        place = self._handle.place
        way = f"ssh {place} keyturn kill" if place else "keyturn kill"
        return False, f"THE {owed.upper()} WAS NOT HEARD by any engine, and is lost: run `{way}`"
