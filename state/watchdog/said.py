"""What an engine says on standard error: a file without a name, which its watchdog reads and passes on.

Not a pipe: a watchdog that stands still must not make the engine wait, nor one that dies end what it writes.
"""

from __future__ import annotations

import fcntl
import os
import tempfile

AT_ONCE = 1 << 16
LARGEST = 1_000_000
"""Bytes after which what was read is cut off; a line that is written in that very instant goes with it."""


class Said:
    """Of one process, which is started with `descriptor` as its standard error."""

    def __init__(self) -> None:
        """Raises OSError."""
        self.descriptor = _nameless()
        self._read_to = 0
        self._rest = b""

    def lines(self, *, is_over: bool = False) -> list[str]:
        """What is new, a line each; `is_over` takes an unfinished one too. Raises no error of the disk."""
        content = self._rest
        try:
            while new := os.pread(self.descriptor, AT_ONCE, self._read_to):
                self._read_to += len(new)
                content += new
            if self._read_to > LARGEST:
                os.ftruncate(self.descriptor, 0)
                self._read_to = 0
        except OSError:
            is_over = True
        *whole, self._rest = content.split(b"\n")
        if is_over:
            whole, self._rest = [*whole, self._rest], b""
        return [words for line in whole if (words := line.decode(errors="replace").rstrip())]

    def close(self) -> None:
        os.close(self.descriptor)


def _nameless() -> int:
    """It grows at its end, whoever cuts it."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("engine-said")
    else:
        descriptor, name = tempfile.mkstemp()  # macOS
        os.unlink(name)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_APPEND)
    return descriptor
