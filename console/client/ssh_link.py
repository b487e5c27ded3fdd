"""The link to an engine on another machine: the ssh command, its process, and its restarts (SY-01).

The first ssh is started before the desk takes over the terminal, so that it may prompt for a password or a host key.
Later ones run in a session of their own and never prompt.
"""

from __future__ import annotations

import shlex
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from console.client.access import LinkBrokenError
from console.client.ssh_stream import GREETING_TIMEOUT, SshStream
from core.model.text_sanitizer import harmless, is_news
from core.ports import OperatorError
from core.protocol.frames import Channel

if TYPE_CHECKING:
    import socket

    from core.protocol.frames import Role


VARIABLE = "KEYTURN_SSH"
OPTIONS = (
    "-T",
    "-x",
    "-a",
    *("-o", "RemoteCommand=none"),
    *("-o", "ClearAllForwardings=yes"),
    *("-o", "ConnectTimeout=10"),
    *("-o", "ServerAliveInterval=5"),
    *("-o", "ServerAliveCountMax=3"),
)
"""Options for `ssh`: no remote terminal, no forwarding, and a dead link is detected within 15 s."""
NOBODY_THERE = ("-o", "BatchMode=yes")
"""Once the desk has the terminal, ssh must not prompt."""
RELAY = ("keyturn", "relay")
NO_START = "--no-start"
"""Used for all but a desk's first relay: an engine stopped there stays stopped."""
NOT_FOUND, FAILED = 127, 255
"""Exit codes: of a shell that does not find the program, of ssh itself."""
ASKS = ("permission denied", "host key verification failed", "passphrase", "authentication")
"""Messages of ssh that need a person's answer."""


def checked(destination: str) -> str:
    """Return the destination unchanged. Raises `OperatorError` if ssh would take it for an option or several words."""
    if not destination or destination.startswith("-") or any(not c.isprintable() or c.isspace() for c in destination):
        raise OperatorError(f"--host {destination!r}: a machine as ssh names it, user@server")
    return destination


def ssh_command(named: str, destination: str, *, is_first: bool) -> list[str]:
    """Return the ssh command; `named` is the value of `KEYTURN_SSH`, used unchanged.

    The first may prompt, and start an engine.

    Raises OperatorError: the value cannot be split like a shell command.
    """
    relay = RELAY if is_first else (*RELAY, NO_START)
    if not named.strip():
        return ["ssh", *OPTIONS, *(() if is_first else NOBODY_THERE), destination, *relay]
    try:
        return [*shlex.split(named), destination, *relay]
    except ValueError as error:
        raise OperatorError(f"{VARIABLE}={named}: {error}; fix it, or unset it to use ssh") from None


def end_in_words(destination: str, status: int, said: str) -> str:
    """Describe why ssh ended, from its exit code and its last line, with a remedy if a person is needed."""
    if status == NOT_FOUND:
        return f"{destination} finds no program `keyturn` ({said or 'exit 127'}); install the same Keyturn there"
    if status == FAILED and any(word in said.lower() for word in ASKS):
        return f"{said}; ssh needs you: leave, and attach again with `keyturn --host {destination}`"
    if said:
        return said.removeprefix("keyturn: ")
    if status < 0:
        with suppress(ValueError):
            return f"ssh was ended by {signal.Signals(-status).name}"
    return f"ssh ended with status {status}, without a word"


PROCESS_ENDS = 1.0
"""Time-out in seconds for each step of the end: exit, terminate, read the last line."""
LONGEST_LINE = 4096
SHOWN = 200
"""The maximum length of its last line on the desk."""


class SshProcess:
    """An ssh process with pipes for input and output. Raises `OperatorError` if it cannot be started.

    Parameters
    ----------
    may_ask
        It may use the terminal, for a password. Start such a process under `ctrl_c_ignored`.
    hear
        Called with each line of its standard error, made harmless, in a separate thread.
    """

    def __init__(self, command: list[str], *, may_ask: bool, hear: Callable[[str], None]) -> None:
        self._hear = hear
        self._last = ""
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=not may_ask,
            )
        except OSError as error:
            why = error.strerror or error
            raise OperatorError(f"{command[0]} cannot be started: {why}; install ssh, or fix {VARIABLE}") from None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.input, self.output = self._process.stdin, self._process.stdout
        self._listener = threading.Thread(target=self._listen, name="ssh words", daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def _listen(self) -> None:
        assert self._process.stderr is not None
        with suppress(OSError, ValueError), self._process.stderr as said:
            while line := said.readline(LONGEST_LINE):
                if words := harmless(line.decode(errors="replace").strip()):
                    self._last = words[:SHOWN]
                    self._hear(words)

    def end(self) -> None:
        """Close its pipes, and end it if it does not exit. It has exited when this returns."""
        for pipe in (self.input, self.output):
            with suppress(OSError):
                pipe.close()
        for more in (self._process.terminate, self._process.kill):
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(PROCESS_ENDS)
                return
            more()
        self._process.wait()

    def last_words(self, destination: str) -> str:
        """Return the reason of its end; a running process is ended."""
        self.end()
        self._listener.join(PROCESS_ENDS)  # a shared ssh connection in the background may keep the pipe open
        return end_in_words(destination, self._process.returncode, self._last)


@contextmanager
def ctrl_c_ignored() -> Iterator[None]:
    """Ignore SIGINT in this process, and in processes started meanwhile; for the main thread alone.

    ssh keeps it ignored, and Ctrl+C still ends its password prompt. A second Ctrl+C cannot leave an ssh behind.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


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
        timeout: float = GREETING_TIMEOUT,
    ) -> None:
        self._destination, self._named = checked(destination), named
        self._show, self._pauses, self._timeout = show, pauses, timeout
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

        Raises OperatorError: it ended before that; the message gives the reason.
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
        tries = 0 if self._run(timeout=None) else None
        while tries is not None and not self._is_left.wait(self._pause(tries)):
            try:
                self._start(may_ask=False)
            except OperatorError as error:
                self._trouble = str(error)
                tries += 1
            else:
                tries = 0 if self._run(self._timeout) else tries + 1

    def _start(self, *, may_ask: bool) -> SshStream:
        command = ssh_command(self._named, self._destination, is_first=may_ask)
        with self._lock:
            if self._is_left.is_set():
                raise OperatorError("the desk is left")
            process = SshProcess(command, may_ask=may_ask, hear=self._hear)
            stream = SshStream(process.output, process.input, self._destination, self._tell_once)
            self._process, self._stream = process, stream
        return stream

    def _run(self, timeout: float | None) -> bool:
        """Run the stream to its end; return whether a relay had greeted."""
        stream, process = self._stream, self._process
        assert stream is not None
        assert process is not None
        stream.run(timeout)
        self._trouble = f"the link to {self._destination} broke"  # until ssh's own message is known
        words = process.last_words(self._destination)
        self._trouble = stream.trouble or words
        self._stream = self._process = None
        return stream.greeted.is_set()

    def _pause(self, tries: int) -> float:
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
