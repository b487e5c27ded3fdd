"""The desk's terminal driver, its port for kill, halt and leave, and the desk's view of the link (OP-04).

The desk's terminal driver: input with kill keys and whole sequences, output without a queue of old frames.
It replaces four parts of Textual's driver for Linux and macOS, and nothing else:

- input: `console.terminal.input_reader` gets every byte in the input thread; the kill keys go to the `KillPort` at
  once, from that thread, whatever the event loop is doing (OP-07); the rest goes through Textual's parser, guarded.
- output: `write` is the interception point. App._display ends each frame with a cursor move and writes nothing else
  that does, so a write is a frame or a control sequence; `console.terminal.writer` may skip frames and must send
  controls. The event loop never waits for the terminal. Textual's own writer thread is started by the base class and
  stays idle.
- leaving: `console.shutdown` handles the signals, and a terminal that is gone.
- stopping: SIGTSTP is ignored, because a suspended desk receives no kill. After SIGCONT the event loop sets up the
  terminal again. Textual's own handler would start its threads a second time.
"""

from __future__ import annotations

import math
import os
import re
import selectors
import signal
import termios
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, ClassVar, Protocol

from textual import _time, events
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from console.client.access import EngineAccess
from console.shutdown import Departure
from console.terminal.input_reader import AnotherScript, Dropped, KillChordPort, Reader
from console.terminal.keys import asks_with_places
from console.terminal.writer import PacedWriter
from core.messages.commands import Halt

TIMEOUT = 2.0
"""Time-out in seconds for the engine to finish its act and close its journal when the desk must leave."""


class DeskKillPort:
    """Implements `console.terminal.driver.KillPort`.

    Parameters
    ----------
    open_kill, close
        Open the kill screen, and end the desk: only passed to the event loop, never waited for.

    Attributes
    ----------
    reason
        Why the desk was asked to leave, or None.
    pressed_at
        The time of the last chord, on the clock by which Textual stamps keys.
    """

    def __init__(self, handle: EngineAccess, open_kill: Callable[[], object], close: Callable[[], object]) -> None:
        self.handle = handle
        self._open_kill = open_kill
        self._close = close
        self.reason: str | None = None
        self.pressed_at = -math.inf
        self._is_kill_open = False

    def press_kill(self) -> None:
        """Halt; repeating it changes nothing."""
        self.pressed_at = _time.get_time()
        self._is_kill_open = True
        self.handle.press_kill()
        self._open_kill()

    def press_kill_again(self) -> None:
        self.handle.press_kill_again()

    def is_kill_open(self) -> bool:
        return self._is_kill_open

    def let_k_be_a_letter(self) -> None:
        """Treat `K` as a letter: the kill screen closed, or is done, and a word may be typed."""
        self._is_kill_open = False

    def leave(self, reason: str) -> None:
        self.reason = reason
        self.handle.leave(reason)
        self.handle.ended.wait(TIMEOUT)
        self._close()

    def halt(self, reason: str) -> None:
        self.handle.send(Halt(reason))


BEFORE_AGAIN = "\x1b[?1049h\x1b[?2048l\x1b[<u"
"""Undo the parts of the start that must not be done twice: reports of a new size, and one more keyboard mode.

Each of the terminal's two screens has its own keyboard modes, so the desk's screen comes first.
"""
FRAME = re.compile(r"\x1b\[\d+;\d+H\Z", re.ASCII)
IDLE, EAGER = 0.1, 0.02
"""Seconds between two checks for silence: with nothing pending, and with something pending."""


class KillPort(KillChordPort, Protocol):
    """The interface for the kill keys.

    Every method is called outside the event loop's thread, never waits for that loop, and does not raise.
    """

    def leave(self, reason: str) -> None:
        """End the desk within `console.shutdown.DEADLINE` seconds. Called from a separate thread, at most once."""

    def halt(self, reason: str) -> None:
        """Halt on SIGUSR1 (OP-08). Called from the thread that handles signals."""


def make_driver(port: KillPort) -> type[KeyturnDriver]:
    """Return the class for `App(driver_class=…)`, which creates the driver itself."""

    class DeskDriver(KeyturnDriver):
        pass

    DeskDriver.port = port
    return DeskDriver


class KeyturnDriver(LinuxDriver):
    """The driver of the desk. The counts are for tests and the log."""

    port: ClassVar[KillPort]

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._writer: PacedWriter | None = None
        self._is_synchronised = False
        self._clock = time.monotonic
        self._reader = Reader(self.port, self._hear, self._prove, debug)
        self.keys_dropped = 0
        """Keys, pastes and clicks made while the link was stalled (OP-04)."""
        self.input_error: Exception | None = None
        """The exception that ended the input thread, if it was ours."""
        self._departure = Departure(
            leave=self.port.leave,
            halt=self.port.halt,
            stop_painting=self._stop_painting,
            restore=self._restore_at_once,
        )
        self._departure.listen()
        self._modes: termios._AttrReturn | None = None
        self._opening, self._is_starting = "", False

    # Queries of the desk

    @property
    def exit_status(self) -> int | None:
        """The exit status after `KillPort.leave`; None if the desk was not asked to leave."""
        return self._departure.status

    @property
    def frames_skipped(self) -> int:
        return self._writer.frames_skipped if self._writer else 0

    @property
    def last_drained_at(self) -> float:
        """When the terminal last had all output (time.monotonic); the current time while it has."""
        return self._writer.last_drained_at if self._writer else time.monotonic()

    def had_gap(self, since: float, until: float) -> bool:
        """Whether there was a frame gap over 1 s between two instants of time.monotonic (OP-04)."""
        return self._writer is not None and self._writer.had_gap(since, until)

    @property
    def paint_is_proved(self) -> bool | None:
        """Whether this terminal acknowledges drawing; None while unknown (OP-04)."""
        return self._writer.paint_is_proved if self._writer else None

    @property
    def doubt(self) -> str | None:
        """Why a character typed now would be dropped, and for how long: it may belong to a sequence (OP-04)."""
        return self._reader.doubt(self._clock())

    @property
    def sequences_dropped(self) -> int:
        """Broken or unknown sequences."""
        return self._reader.sequences_dropped

    def ask_for_proof(self) -> int:
        """Request an acknowledgement behind all output so far; return the request's number."""
        return self._writer.ask_for_proof() if self._writer else 0

    def painted_at(self, question: int) -> float | None:
        """Return from when the output before the request was on the screen; None while unknown."""
        return self._writer.painted_at(question) if self._writer else None

    def keep_watch(self) -> None:
        """Call while something may be confirmed: it reveals stalls of a link that hides them."""
        if self._writer is not None:
            self._writer.keep_watch()

    # Output

    def write(self, data: str) -> None:
        """Write without waiting.

        The marks of a synchronised update are added to the frame, so that both are sent or neither.
        """
        if self._writer is None or data == SYNC_END:
            return
        if data == SYNC_START:
            self._is_synchronised = True
        elif FRAME.search(data):
            self._writer.frame(f"{SYNC_START}{data}{SYNC_END}" if self._is_synchronised else data)
        else:
            asked = asks_with_places(data)
            if self._is_starting:
                self._opening += asked
            self._writer.control(asked)

    def start_application_mode(self) -> None:
        assert self._file is not None, "a desk without a standard error has no terminal"
        self._writer = PacedWriter(self._file.fileno(), self._ask_for_repaint)
        self._writer.start()
        self._take_terminal()

    def _take_terminal(self) -> None:
        """Set up the terminal and start to read it.

        In the background Textual does neither: it stops the process, and SIGCONT calls this again.
        """
        self._opening, self._is_starting = "", True
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._is_starting = False
        if self._key_thread is not None:
            with suppress(termios.error):
                self._modes = termios.tcgetattr(self.fileno)
            self.ask_for_proof()

    def close(self) -> None:
        if self._writer is not None and not self._writer.stop():
            self._writer.restore_at_once()
        self._writer = None
        super().close()

    def _sigtstp_application(self, *_: object) -> None:
        """Ignore SIGTSTP."""

    def _sigcont_application(self, *_: object) -> None:
        self._do_soon(self._come_back)

    def _come_back(self) -> None:
        """Set up the terminal again, because others may have used it while this process was stopped; and paint."""
        if self._writer is None or not self._app.is_running or self.exit_status is not None:
            return
        if self._key_thread is None:
            self._take_terminal()
        else:
            try:
                if self._modes is not None:
                    termios.tcsetattr(self.fileno, termios.TCSANOW, self._modes)
            except termios.error:
                return  # stopped again in the background: the next SIGCONT calls this
            self._writer.control(BEFORE_AGAIN + self._opening)
            signal.raise_signal(signal.SIGWINCH)  # only the foreground is told of a new size
        self._repaint()

    def _ask_for_repaint(self) -> None:
        self._do_soon(self._repaint)

    def _do_soon(self, act: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(act)

    def _repaint(self) -> None:
        if self._app.is_running and self._app.screen_stack:
            self._app.screen.refresh()

    def _stop_painting(self) -> None:
        if self._writer is not None:
            self._writer.stop_painting()

    def _restore_at_once(self) -> None:
        if self.attrs_before is not None:
            try:
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
            except termios.error:
                return
        if self._writer is not None:
            self._writer.restore_at_once()

    # Input

    def run_input_thread(self) -> None:
        """Read until the driver is stopped, or the terminal is gone. A failure ends the desk visibly."""
        try:
            with selectors.SelectSelector() as selector:
                selector.register(self.fileno, selectors.EVENT_READ)
                while not self.exit_event.is_set():
                    is_ready = selector.select(EAGER if self._reader.is_waiting else IDLE)
                    now = self._clock()
                    if is_ready or selector.select(0):  # checked again: this thread may not have run for a while
                        self._read()
                    else:
                        self._reader.tick(now)
        except (OSError, EOFError):
            self._departure.terminal_is_gone()
        except Exception as error:
            self.input_error = error
            self._departure.keyboard_failed()

    def process_message(self, message: Message) -> None:
        """Drop input typed into a stalled link: it would act in one burst, on another view (OP-04)."""
        is_typed = isinstance(message, (events.Key, events.Paste, events.MouseEvent))
        if is_typed and self._writer is not None and self._writer.is_deaf():
            self.keys_dropped += 1
            self.send_message(Dropped(message.character or message.key if isinstance(message, events.Key) else None))
            return
        super().process_message(message)

    def _read(self) -> None:
        data = os.read(self.fileno, 4096)
        if not data:
            raise EOFError
        self._reader.feed(data, self._clock())

    def _prove(self) -> None:
        if self._writer is not None:
            self._writer.prove()

    def _hear(self, message: Message) -> None:
        if isinstance(message, (Dropped, AnotherScript)):
            self.send_message(message)
        else:
            self.process_message(message)


def may_ask_for_mouse(environ: Mapping[str, str]) -> bool:
    """Return False inside GNU screen, also if only the terminal's name reveals it, as behind ssh.

    GNU screen (4.9) with mouse reporting holds each Escape back until the next key and sends both as one: neither
    arrives as typed. There the desk does without the mouse: Esc leaves every dialog.
    """
    if environ.get("STY"):
        return False
    return "TMUX" in environ or not environ.get("TERM", "").startswith("screen")


class TerminalLink(Protocol):
    @property
    def frames_skipped(self) -> int:
        """Frames that were never sent."""

    @property
    def last_drained_at(self) -> float:
        """When the terminal last had all output; the current time while it has. Seconds of the console's clock."""

    def had_gap(self, since: float, until: float) -> bool:
        """Whether there was a frame gap over 1 s between two instants of that clock."""

    @property
    def paint_is_proved(self) -> bool | None:
        """Whether this terminal acknowledges drawing: then a frame counts from its answer on, otherwise by time.

        None while unknown.
        """

    @property
    def doubt(self) -> str | None:
        """Why a character typed now would be dropped, and for how long; otherwise None."""

    def ask_for_proof(self) -> int:
        """Request an acknowledgement behind all output so far; return the request's number."""

    def painted_at(self, question: int) -> float | None:
        """Return from when the output before the request was on the screen; None while unknown."""

    def keep_watch(self) -> None:
        """Call repeatedly while something may be confirmed: it reveals stalls of a link that hides them."""


class NoTerminalLink:
    """A driver without a terminal: it draws at once and never stalls."""

    frames_skipped = 0
    paint_is_proved = True
    doubt = None

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now

    @property
    def last_drained_at(self) -> float:
        return self._now()

    def had_gap(self, since: float, until: float) -> bool:
        return False

    def ask_for_proof(self) -> int:
        return 0

    def painted_at(self, question: int) -> float | None:
        return self._now()

    def keep_watch(self) -> None:
        """Do nothing: there are no stalls."""


def link_of(driver: object, now: Callable[[], float]) -> TerminalLink:
    return driver if isinstance(driver, KeyturnDriver) else NoTerminalLink(now)
