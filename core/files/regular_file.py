"""The one way in which a file is opened: a regular file of bounded size, or an error that names it and says what it is.

A pipe would be waited for, a device read for ever, and opening one may already do something. So a path is looked at
before it is opened, opened without waiting, and what was opened is looked at once more: it may have changed meanwhile.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EFBIG, EINVAL, EISDIR, ENXIO
from io import BufferedReader
from pathlib import Path

KINDS = (
    (stat.S_ISFIFO, "a pipe (FIFO)"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
WAITS_FOR_NOBODY = os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class OddFileError(OSError):
    """What stands at a path is no regular file; `strerror` says what it is and what to do."""


class TooLargeError(OSError):
    """The file is larger than anything that belongs there."""


def open_regular(path: Path, flags: int = os.O_RDONLY, mode: int = 0o600) -> int:
    """`os.open`, of a regular file alone and without ever waiting. Raises OSError, `OddFileError`."""
    cut, flags = flags & os.O_TRUNC, flags & ~os.O_TRUNC
    try:
        _require_regular(path, os.stat(path).st_mode)
    except FileNotFoundError:
        if not flags & os.O_CREAT:
            raise
    try:
        descriptor = os.open(path, flags | WAITS_FOR_NOBODY, mode)
    except OSError as error:
        if error.errno == ENXIO:  # a pipe without a reader, a socket
            raise OddFileError(EINVAL, _told("a pipe or a socket"), str(path)) from None
        raise
    try:
        _require_regular(path, os.fstat(descriptor).st_mode)
        if cut:
            os.ftruncate(descriptor, 0)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def reading(path: Path, largest: int | None = None) -> Iterator[BufferedReader]:
    """The file, open for reading; `largest` bounds its bytes. Raises OSError, as `OddFileError` and `TooLargeError`."""
    descriptor = open_regular(path)
    with os.fdopen(descriptor, "rb") as file:
        if largest is not None and os.fstat(descriptor).st_size > largest:
            raise _too_large(path, largest)
        yield file


def bytes_of(path: Path, largest: int | None = None) -> bytes:
    """All of a file; `largest` bounds its bytes, also where it grows meanwhile. Raises as `reading` does."""
    with reading(path, largest) as file:
        if largest is None:
            return file.read()
        content = file.read(largest + 1)
    if len(content) > largest:
        raise _too_large(path, largest)
    return content


def require_regular(path: Path) -> None:
    """Refuse what is no regular file, without opening it; a path with nothing there passes. Raises OSError."""
    try:
        _require_regular(path, os.stat(path).st_mode)
    except FileNotFoundError:
        return


def _require_regular(path: Path, mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR), str(path))
    kind = next((words for is_kind, words in KINDS if is_kind(mode)), "something else")
    raise OddFileError(EINVAL, _told(kind), str(path))


def _told(kind: str) -> str:
    return f"it is {kind} and no regular file; move it away"


def _too_large(path: Path, largest: int) -> TooLargeError:
    return TooLargeError(EFBIG, f"it has more than {largest:,} bytes; move it away", str(path))
