"""Ask ssh-agent for the signature of a security key, which the operator touches meanwhile (OP-15).

The agent is that of the desk's own process, a forwarded one included. A request blocks until the key is touched, so it
belongs in a thread; `cancel` ends it from another. Nothing here decides whether a signature counts: the engine does.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from core.model.lazy_dataclass import dataclass
from core.model.touch import PublicKey, TouchFormError, TouchSignature, WireReader, wire_string
from core.ports import OperatorError

VARIABLE = "SSH_AUTH_SOCK"
TMUX = "TMUX"
"""Set in its windows: they keep the variables of the connection in which they were opened."""
TMUX_ANSWERS_IN = 2.0
TIMEOUT = 30.0
"""Seconds for the touch."""
LISTS_IN = 3.0
"""Seconds for the keys of the window's agent where tmux knows a newer one: a dead connection's socket may be there."""
MOST_BYTES = 256 * 1024
"""The longest answer of an agent (OpenSSH's own limit)."""
MOST_KEYS = 2048
REQUEST_IDENTITIES, IDENTITIES_ANSWER, SIGN_REQUEST, SIGN_RESPONSE = 11, 12, 13, 14

NO_AGENT = f"no ssh-agent: {VARIABLE} is not set here; start one, `ssh-add` the key, then start this again"
NOT_THERE = f"no answer at {VARIABLE}; start ssh-agent, `ssh-add` the key, then start this again"
GONE = (
    f"no answer at {VARIABLE}: its ssh connection ended, and tmux knows no newer one; attach to tmux from the new "
    f"connection, then try again (`tmux show-environment {VARIABLE}` shows what it knows)"
)
NO_KEY = "ssh-agent has no enrolled key; `ssh-add` it, `ssh-add -L` lists what the agent has"
NOT_TOUCHED = "the key was not touched in time; try again, and touch it while it blinks"
REFUSED = "ssh-agent refused to sign; plug the key in, or see what its window asks, then try again"
GIVEN_UP = "given up: nothing was signed"
SILENT = "ssh-agent took the connection and does not answer; restart the agent, or attach to tmux from a new connection"
NO_SENSE = "ssh-agent sent an answer that cannot be read; restart the agent"


@dataclass(frozen=True, slots=True)
class AgentState:
    """The number of keys, and whether it is not the agent of the desk's own environment, but one that tmux knows."""

    keys: int
    is_newer: bool


class SshAgent:
    """One request to the agent at `path`; `now` is a monotonic clock, in seconds."""

    def __init__(
        self, path: str | None = None, timeout: float = TIMEOUT, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._path = os.environ.get(VARIABLE, "") if path is None else path
        self._timeout, self._now = timeout, now
        self._ends_at = 0.0
        self._socket: socket.socket | None = None
        self._is_cancelled = False
        self._is_newer = False

    def look(self) -> AgentState:
        """Ask which keys the agent has, and sign nothing. Raises `OperatorError`."""
        connection, held = self._answering()
        connection.close()
        return AgentState(len(held), self._is_newer)

    def sign(self, keys: Sequence[PublicKey], message: bytes) -> TouchSignature:
        """Return the signature of the first of these keys that the agent has and that signs. Raises `OperatorError`."""
        connection, held = self._answering()
        with connection:
            found = [key for key in keys if key.blob in held]
            if not found:
                raise OperatorError(NO_KEY)
            for key in found:
                request = bytes([SIGN_REQUEST]) + wire_string(key.blob) + wire_string(message) + bytes(4)
                try:
                    answer = self._asked(connection, request)
                except TimeoutError:
                    raise OperatorError(NOT_TOUCHED) from None
                except OSError:
                    raise OperatorError(NOT_THERE) from None
                if answer[:1] == bytes([SIGN_RESPONSE]):
                    return TouchSignature.of(key.fingerprint, _only_string(answer[1:]))
            raise OperatorError(REFUSED)

    def cancel(self) -> None:
        """End the request, from any thread; `sign` then raises."""
        self._is_cancelled = True
        if (connection := self._socket) is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _answering(self) -> tuple[socket.socket, set[bytes]]:
        """Return agent and keys; under tmux those of the newest connection, where the desk has none that answers."""
        ends = self._now() + self._timeout
        newer, failure = _known_to_tmux(), None
        paths = [path for path in dict.fromkeys((self._path, newer)) if path]
        for path in paths:
            self._ends_at = ends if path == paths[-1] else min(ends, self._now() + LISTS_IN)
            connection = self._connection(path)
            if connection is None:
                continue
            try:
                held = self._held(connection)
            except OSError as error:
                connection.close()
                failure = error
            except BaseException:
                connection.close()
                raise
            else:
                self._ends_at, self._is_newer = ends, path != self._path
                return connection, held
        if isinstance(failure, TimeoutError):
            raise OperatorError(SILENT)
        if not self._path:
            raise OperatorError(NO_AGENT)
        raise OperatorError(GONE if os.environ.get(TMUX) else NOT_THERE)

    def _connection(self, path: str) -> socket.socket | None:
        connection = self._socket = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(self._timeout)
            connection.connect(path)
        except OSError:
            connection.close()
            return None
        return connection

    def _held(self, connection: socket.socket) -> set[bytes]:
        """Return the public keys of the agent, in their wire form. Raises OSError."""
        answer = self._asked(connection, bytes([REQUEST_IDENTITIES]))
        if answer[:1] != bytes([IDENTITIES_ANSWER]):
            raise OperatorError(REFUSED)
        reader = WireReader(answer[1:])
        try:
            count = min(reader.number(), MOST_KEYS)
            held = set()
            for _ in range(count):
                held.add(reader.string())
                reader.string()  # its comment
        except TouchFormError:
            raise OperatorError(NO_SENSE) from None
        return held

    def _asked(self, connection: socket.socket, request: bytes) -> bytes:
        """Return the answer. Raises OSError, and `OperatorError` where the operator gave up."""
        try:
            if self._is_cancelled:
                raise OperatorError(GIVEN_UP)
            connection.sendall(wire_string(request))
            length = int.from_bytes(self._read(connection, 4), "big")
            if not 0 < length <= MOST_BYTES:
                raise OperatorError(NO_SENSE)
            return self._read(connection, length)
        except OSError:
            if self._is_cancelled:
                raise OperatorError(GIVEN_UP) from None
            raise

    def _read(self, connection: socket.socket, length: int) -> bytes:
        """Read so many bytes, in the time that is left of the request. Raises OSError."""
        data = b""
        while len(data) < length:
            left = self._ends_at - self._now()
            if left <= 0:
                raise TimeoutError
            connection.settimeout(left)
            part = connection.recv(length - len(data))
            if not part:
                raise ConnectionError
            data += part
        return data


def _only_string(data: bytes) -> bytes:
    reader = WireReader(data)
    try:
        found = reader.string()
        reader.end()
    except TouchFormError:
        raise OperatorError(NO_SENSE) from None
    return found


def _known_to_tmux() -> str:
    """Return the agent's socket of the newest connection to this tmux; empty without one."""
    if not os.environ.get(TMUX):
        return ""
    try:
        asked = ["tmux", "show-environment", VARIABLE]
        told = subprocess.run(asked, capture_output=True, text=True, timeout=TMUX_ANSWERS_IN, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    name, _, path = told.stdout.strip().partition("=")
    return path if name == VARIABLE else ""
