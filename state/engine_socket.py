"""An engine's socket: `engine.sock`, mode 0600 in the account's folder, mode 0700 (SY-01).

Both ends check it before they trust it: a link, another kind of file or another user's file is refused. A path may be
longer than a socket's address can be; then it is reached through its folder's descriptor.
"""

from __future__ import annotations

import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.ports import OperatorError
from state.files import FILE_MODE

LONGEST = 100
"""The longest path, in bytes, that is used directly."""
BACKLOG = 128
"""Connections waiting to be accepted; the kernel refuses more."""

ASK_AGAIN = 0.005
"""Seconds."""


class SocketRefusedError(OperatorError):
    """The file at the socket's path is not the engine's socket."""


class NoEngineError(OperatorError):
    """No engine listens there."""


@contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """Create the socket of this engine, and remove it at the end. Only for the holder of the account's lock.

    A socket left by a killed engine is removed: with the lock held, no engine listens on it.

    Raises SocketRefusedError: a link, a file or a folder is at its path; it is left unchanged.
    """
    found = _kind_at(path)
    if found is not None:
        if not stat.S_ISSOCK(found.st_mode):
            raise SocketRefusedError(f"{path} is no socket; move it away and start the engine again")
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _short(path) as address:
            listener.bind(address)
        path.chmod(FILE_MODE)  # until here its folder alone keeps others out
        listener.listen(BACKLOG)
        mine = path.lstat().st_ino
        try:
            yield listener
        finally:
            left = _kind_at(path)
            if left is not None and left.st_ino == mine:
                path.unlink()
    finally:
        listener.close()


def connected(path: Path, timeout: float) -> socket.socket:
    """Connect to the engine of this folder; `timeout` is the time-out in seconds.

    Raises NoEngineError: no engine listens.
    Raises SocketRefusedError: it is a link, no socket, or another user's.
    """
    found = _kind_at(path)
    if found is None:
        raise NoEngineError(f"no engine runs here ({path} is not there); `keyturn engine start` starts it")
    if not stat.S_ISSOCK(found.st_mode) or found.st_uid != os.getuid():
        whose = "a link or no socket" if found.st_uid == os.getuid() else "another user's"
        raise SocketRefusedError(f"{path} is {whose}: nothing is said to it; find out who put it there")
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout)
    try:
        with _short(path) as address:
            _connect(connection, address, time.monotonic() + timeout)
    except (ConnectionRefusedError, FileNotFoundError):
        connection.close()
        raise NoEngineError("no engine listens at its socket; `keyturn engine start` starts it") from None
    except OSError as error:
        connection.close()
        raise NoEngineError(f"the engine does not answer at its socket: {error.strerror or error}") from None
    return connection


def _connect(connection: socket.socket, address: str, until: float) -> None:
    """Connect, and retry while the backlog is full; the kernel reports that at once."""
    while True:
        try:
            connection.connect(address)
        except BlockingIOError:
            if time.monotonic() > until:
                raise
            time.sleep(ASK_AGAIN)
        else:
            return


def _kind_at(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """Yield an address of the socket within the kernel's limit of 107 bytes."""
    if len(os.fsencode(path)) <= LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
