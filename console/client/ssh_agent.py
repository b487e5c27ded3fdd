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
SILENT = "ssh-agent took the connection and does not answer; restart the agent"
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
        with self._connected() as connection:
            return AgentState(len(self._held(connection)), self._is_newer)

    def sign(self, keys: Sequence[PublicKey], message: bytes) -> TouchSignature:
        """Return the signature of the first of these keys that the agent has and that signs. Raises `OperatorError`."""
        with self._connected() as connection:
            held = self._held(connection)
            found = [key for key in keys if key.blob in held]
            if not found:
                raise OperatorError(NO_KEY)
            for key in found:
                request = bytes([SIGN_REQUEST]) + wire_string(key.blob) + wire_string(message) + bytes(4)
                answer = self._asked(connection, request)
                if answer[:1] == bytes([SIGN_RESPONSE]):
                    return TouchSignature.of(key.fingerprint, _only_string(answer[1:]))
            raise OperatorError(REFUSED)

    def cancel(self) -> None:
        """End the request, from any thread; `sign` then raises."""
        self._is_cancelled = True
        if (connection := self._socket) is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _connected(self) -> socket.socket:
        """Connect to the agent; under tmux to that of the newest connection, where the desk has none that answers."""
        self._ends_at = self._now() + self._timeout
        connection = self._connection(self._path) if self._path else None
        if connection is None and (newer := _known_to_tmux()) not in ("", self._path):
            connection, self._is_newer = self._connection(newer), True
        if connection is None and not self._path:
            raise OperatorError(NO_AGENT)
        if connection is None:
            raise OperatorError(GONE if os.environ.get(TMUX) else NOT_THERE)
        if self._is_cancelled:
            connection.close()
            raise OperatorError(GIVEN_UP)
        return connection

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
        """Return the public keys of the agent, in their wire form."""
        answer = self._asked(connection, bytes([REQUEST_IDENTITIES]), SILENT)
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

    def _asked(self, connection: socket.socket, request: bytes, late: str = NOT_TOUCHED) -> bytes:
        try:
            connection.sendall(wire_string(request))
            length = int.from_bytes(self._read(connection, 4), "big")
            if not 0 < length <= MOST_BYTES:
                raise OperatorError(NO_SENSE)
            return self._read(connection, length)
        except OSError as error:
            if self._is_cancelled:
                raise OperatorError(GIVEN_UP) from None
            raise OperatorError(late if isinstance(error, TimeoutError) else NOT_THERE) from None

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
