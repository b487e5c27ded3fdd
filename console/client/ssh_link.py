"""The link to an engine on another machine: `ssh SERVER keyturn relay`, restarted after each interruption (SY-01).

The first ssh is started before the desk takes over the terminal, so that it may prompt for a password or a host key.
Later ones run in a session of their own and never prompt.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from console.client.engine_link import LinkBrokenError
from console.client.ssh_command import checked, ssh_command
from console.client.ssh_process import SshProcess, ctrl_c_ignored
from console.client.ssh_stream import GREETING_PATIENCE, SshStream
from core.model.harmless_text import is_news
from core.ports import OperatorError
from core.protocol.relay import Channel

if TYPE_CHECKING:
    import socket

    from core.protocol.frames import Role

PAUSES = (1.0, 2.0, 5.0)
"""Seconds before the first retries; the last value repeats."""
LOOK = 0.05
ENDS = 4.0
"""Time-out in seconds for the end of the link's thread."""


def tell_nobody(_words: str) -> None:
    """Do nothing: the link has not begun."""


class SshLink:
    """The link of one desk. Call `begin` first, in the main thread; then `connect` serves `RemoteEngine`.

    Parameters
    ----------
    named
        The value of `KEYTURN_SSH`: the command to use for ssh. Empty for ssh itself.
    show
        Called with each line of ssh until the desk has the terminal.
    """

    def __init__(
        self,
        destination: str,
        named: str,
        show: Callable[[str], None],
        pauses: tuple[float, ...] = PAUSES,
        patience: float = GREETING_PATIENCE,
    ) -> None:
        self._destination, self._named = checked(destination), named
        self._show, self._pauses, self._patience = show, pauses, patience
        self._tell: Callable[[str], None] = tell_nobody
        self._told = ""
        self._has_terminal = True
        self._trouble = ""
        self._stream: SshStream | None = None
        self._process: SshProcess | None = None
        self._is_left = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._live, name="ssh link", daemon=True)

    @property
    def process(self) -> int | None:
        """The process number of the current ssh; None between two."""
        return None if self._process is None else self._process.pid

    # ── from other threads ───────────────────────────────────────────────────────────────────────────────────────

    def begin(self, tell: Callable[[str], None]) -> None:
        """Start the first ssh, and wait until a relay has greeted; meanwhile a person may have to type.

        `tell` is called once with the relay's message on its engine; it never waits.

        Raises
        ------
        OperatorError
            It ended before that; the message gives the reason.
        """
        self._tell = tell
        with ctrl_c_ignored():
            stream = self._start(may_ask=True)
        self._thread.start()
        while not stream.greeted.wait(LOOK):
            if not self._thread.is_alive():
                raise OperatorError(f"{self._destination}: {self._trouble}")
        self._has_terminal = False

    def connect(self, role: Role) -> socket.socket:
        """Open a connection.

        Raises `LinkBrokenError` without a link, and `OperatorError` for a refusal of the relay.
        """
        stream = self._stream
        if stream is None or not stream.greeted.is_set():
            raise LinkBrokenError(self._trouble)
        return stream.open(Channel[role.name])

    def give_up(self) -> None:
        """Stop waiting and start no more ssh processes, because the desk is left.

        Open connections may still say goodbye.
        """
        with self._lock:
            self._is_left.set()
        if self._stream is not None:
            self._stream.give_up()

    def close(self) -> None:
        """End ssh; it has exited when this returns, also after further Ctrl+C. For the main thread."""
        with ctrl_c_ignored():
            self.give_up()
            if self._thread.ident is not None:  # the first ssh could be started
                self._thread.join(ENDS)
            if self._process is not None:
                self._process.end()

    # ── the link's thread ────────────────────────────────────────────────────────────────────────────────────────

    def _live(self) -> None:
        """Run each ssh to its end, with a pause before the next. A first one that never greeted is not repeated."""
        tries = 0 if self._run(patience=None) else None
        while tries is not None and not self._is_left.wait(self._pause(tries)):
            try:
                self._start(may_ask=False)
            except OperatorError as error:
                self._trouble = str(error)
                tries += 1
            else:
                tries = 0 if self._run(self._patience) else tries + 1

    def _start(self, *, may_ask: bool) -> SshStream:
        command = ssh_command(self._named, self._destination, is_first=may_ask)
        with self._lock:
            if self._is_left.is_set():
                raise OperatorError("the desk is left")
            process = SshProcess(command, may_ask=may_ask, hear=self._hear)
            stream = SshStream(process.output, process.input, self._destination, self._tell_once)
            self._process, self._stream = process, stream
        return stream

    def _run(self, patience: float | None) -> bool:
        """Run the stream to its end; return whether a relay had greeted."""
        stream, process = self._stream, self._process
        assert stream is not None
        assert process is not None
        stream.run(patience)
        self._trouble = f"the link to {self._destination} broke"  # until ssh's own message is known
        words = process.last_words(self._destination)
        self._trouble = stream.trouble or words
        self._stream = self._process = None
        return stream.greeted.is_set()

    def _pause(self, tries: int) -> float:
        """Return the delay before the next attempt, and report it."""
        pause = self._pauses[min(tries, len(self._pauses) - 1)]
        self._trouble = f"the link to {self._destination} broke: {self._trouble}; tried again in {pause:g} s"
        return pause

    def _hear(self, line: str) -> None:
        if self._has_terminal:
            self._show(line)

    def _tell_once(self, words: str) -> None:
        if is_news(words, self._told):
            self._told = words
            self._tell(words)
