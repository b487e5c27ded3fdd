"""The standard error of an engine: an unnamed file, which its watchdog reads and forwards.

A pipe would make the engine wait for a stopped watchdog, and lose output when the watchdog dies.
"""

from __future__ import annotations

import fcntl
import os
import tempfile

AT_ONCE = 1 << 16
LARGEST = 1_000_000
"""Bytes after which the read part is cut off, with any line written at that very moment."""


class Said:
    """The output of one process, started with `descriptor` as its standard error."""

    def __init__(self) -> None:
        """Create the file. Raises OSError."""
        self.descriptor = _nameless()
        self._read_to = 0
        self._rest = b""

    def lines(self, *, is_over: bool = False) -> list[str]:
        """Return the new lines; with `is_over` also an incomplete one. Never raises disk errors."""
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
    """Create an unnamed file in append mode, which also works after truncation."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("engine-said")
    else:
        descriptor, name = tempfile.mkstemp()  # macOS
        os.unlink(name)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_APPEND)
    return descriptor
