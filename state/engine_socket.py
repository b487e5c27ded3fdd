"""Where an engine's socket lies and who may open it: `engine.sock`, 0600 in the account's folder, 0700 (SY-01).

Both ends look at it before they trust it: a link, another kind of file or another user's is refused by name. The path
may be longer than a socket's address can be; it is reached through its folder's descriptor then.
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
"""Bytes of a path that is used as it is."""
BACKLOG = 128
"""Connections that wait to be accepted; the kernel refuses what comes beside them."""

ASK_AGAIN = 0.005
"""Seconds."""


class SocketRefusedError(OperatorError):
    """What stands in the socket's place is none of ours."""


class NoEngineError(OperatorError):
    """Nobody listens there."""


@contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """A socket that this engine listens at, gone with it. Only who holds the account's lock may ask.

    What a killed engine left there is taken away: with the lock held nobody listens at it any more.

    Raises
    ------
    SocketRefusedError
        A link, a file or a folder stands there; it is left as it is.
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


def connected(path: Path, patience: float) -> socket.socket:
    """A connection to the engine of this folder; `patience` in seconds.

    Raises
    ------
    NoEngineError
        Nobody listens.
    SocketRefusedError
        It is a link, no socket, or another user's.
    """
    found = _kind_at(path)
    if found is None:
        raise NoEngineError(f"no engine runs here ({path} is not there); `keyturn engine start` starts it")
    if not stat.S_ISSOCK(found.st_mode) or found.st_uid != os.getuid():
        whose = "a link or no socket" if found.st_uid == os.getuid() else "another user's"
        raise SocketRefusedError(f"{path} is {whose}: nothing is said to it; find out who put it there")
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(patience)
    try:
        with _short(path) as address:
            _connect(connection, address, time.monotonic() + patience)
    except (ConnectionRefusedError, FileNotFoundError):
        connection.close()
        raise NoEngineError("no engine listens at its socket; `keyturn engine start` starts it") from None
    except OSError as error:
        connection.close()
        raise NoEngineError(f"the engine does not answer at its socket: {error.strerror or error}") from None
    return connection


def _connect(connection: socket.socket, address: str, until: float) -> None:
    """Where too many stand at the door already, the kernel has one more ask again; it says so at once."""
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
    """An address of the socket that fits the 107 bytes which the kernel gives it."""
    if len(os.fsencode(path)) <= LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
