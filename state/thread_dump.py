"""Stack traces of a hanging process: SIGUSR2 with the interpreter's fault handler (SY-02).

The handler is in C and needs no interpreter lock, so that a stuck engine still answers. The signal is sent only to a
process that announced its handler: any other would be killed by it.
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
"""The maximum size of kept dumps in bytes; a start above it clears the file."""
LISTENS = "listens-to-SIGUSR2"
"""The end of the line by which a process announces its handler; part of the file's protocol."""


@contextmanager
def thread_dumps(folder: AccountFolder) -> Iterator[None]:
    """Within this context SIGUSR2 writes every thread's stack into the account's `logs/threads.txt`.

    If the file cannot be opened, there are no dumps, and nothing else changes.
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
    """Open the file. Raises OSError."""
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
    """Whether the process announced its handler. A reused process number counts for the last process with it."""
    said = [line for line in _text(folder.threads).splitlines() if line.endswith(LISTENS)]
    return bool(said) and said[-1] == _opening(pid)


def dumped_by(folder: AccountFolder, pid: int) -> str:
    """Return the dumps of the process since its announcement; empty if there are none."""
    _, is_there, text = _text(folder.threads).rpartition(f"{_opening(pid)}\n")
    return text if is_there else ""


def _opening(pid: int) -> str:
    return f"process {pid} {LISTENS}"


def _text(path: Path) -> str:
    with suppress(OSError):
        return bytes_of(path, 2 * LARGEST).decode(errors="replace")
    return ""
