"""Open regular files of bounded size; anything else is an error that names the path and its kind.

Opening a pipe would block, reading a device might never end, and opening one may have side effects. So a path is
checked before it is opened, opened without blocking, and the open file is checked again: it may have changed meanwhile.
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
    """The path is no regular file; `strerror` gives its kind and a remedy."""


class TooLargeError(OSError):
    """The file is larger than allowed."""


def open_regular(path: Path, flags: int = os.O_RDONLY, mode: int = 0o600) -> int:
    """Open a regular file like `os.open`, without ever blocking. Raises OSError, `OddFileError`."""
    cut, flags = flags & os.O_TRUNC, flags & ~os.O_TRUNC
    try:
        _require_regular(path, os.stat(path).st_mode)
    except FileNotFoundError:
        if not flags & os.O_CREAT:
            raise
    try:
        descriptor = os.open(path, flags | WAITS_FOR_NOBODY, mode)
    except OSError as error:
        if error.errno == ENXIO:  # a pipe without a reader, or a socket
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
    """Open a file for reading; `largest` is its maximum size in bytes.

    Raises OSError, also as `OddFileError` and `TooLargeError`.
    """
    descriptor = open_regular(path)
    with os.fdopen(descriptor, "rb") as file:
        if largest is not None and os.fstat(descriptor).st_size > largest:
            raise _too_large(path, largest)
        yield file


def bytes_of(path: Path, largest: int | None = None) -> bytes:
    """Return a file's content; `largest` is its maximum size in bytes, also if it grows meanwhile.

    Raises like `reading`.
    """
    with reading(path, largest) as file:
        if largest is None:
            return file.read()
        content = file.read(largest + 1)
    if len(content) > largest:
        raise _too_large(path, largest)
    return content


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
