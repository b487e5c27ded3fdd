"""What every thread does, written by a process that hangs: SIGUSR2 and the interpreter's own fault handler (SY-02).

The handler runs in C and needs no lock of the interpreter's, so an engine that is stuck in one still answers. It is
asked only where it said that it listens: elsewhere the signal would end the process.
"""

from __future__ import annotations

import faulthandler
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.files.regular_file import bytes_of
from state.files import FOLDER_MODE, open_private, write_all
from state.folders import AccountFolder

LARGEST = 1_000_000
"""Bytes of dumps that are kept; a start over that begins the file anew."""
LISTENS = "listens-to-SIGUSR2"
"""Ends the line by which a process says that it does: a line of the file's protocol."""


@contextmanager
def thread_dumps(folder: AccountFolder) -> Iterator[None]:
    """While this holds, SIGUSR2 writes every thread's stack into the account's `logs/threads.txt`.

    Where the file cannot be opened there are none, and nothing else is different.
    """
    try:
        descriptor = _opened(folder)
    except OSError:
        yield
        return
    try:
        faulthandler.register(signal.SIGUSR2, file=descriptor, all_threads=True)
        try:
            yield
        finally:
            faulthandler.unregister(signal.SIGUSR2)
    finally:
        os.close(descriptor)


def _opened(folder: AccountFolder) -> int:
    """Raises OSError."""
    folder.logs.mkdir(mode=FOLDER_MODE, exist_ok=True)
    descriptor = open_private(folder.threads, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        if os.fstat(descriptor).st_size > LARGEST:
            os.ftruncate(descriptor, 0)
        if not listens(folder, os.getpid()):
            write_all(descriptor, f"{_opening(os.getpid())}\n".encode())
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def listens(folder: AccountFolder, pid: int) -> bool:
    """Whether the process said that it answers. A number that is used again is that of who said it last."""
    said = [line for line in _text(folder.threads).splitlines() if line.endswith(LISTENS)]
    return bool(said) and said[-1] == _opening(pid)


def dumped_by(folder: AccountFolder, pid: int) -> str:
    """What the process wrote since it began to listen; empty where it wrote nothing."""
    _, is_there, text = _text(folder.threads).rpartition(f"{_opening(pid)}\n")
    return text if is_there else ""


def _opening(pid: int) -> str:
    return f"process {pid} {LISTENS}"


def _text(path: Path) -> str:
    with suppress(OSError):
        return bytes_of(path, 2 * LARGEST).decode(errors="replace")
    return ""
