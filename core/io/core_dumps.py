"""Keep a process with secrets out of core dumps, and of other programs' reach (SY-06)."""

from __future__ import annotations

import ctypes
import resource
import sys
from contextlib import suppress

SET_DUMPABLE, GET_DUMPABLE = 4, 3
"""Operations of Linux's prctl. A dump that goes to a program, as systemd-coredump, has no other limit."""


def forbid_core_dumps() -> None:
    """Write no core of this process; on Linux no other program of its user can read its memory either."""
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_DUMPABLE, 0, 0, 0, 0)
