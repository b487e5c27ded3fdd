"""The sandbox of a strategy's process, set up before it reads the user's code: no files, network or processes (ST-01).

Each layer works independently. The desk is told which of them this system supports; docs/STRATEGIES.md names the
limits. Runs only in that process, after all modules that a strategy may import are imported.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys
from contextlib import suppress

MEMORY = 512 * 1024 * 1024
"""The memory limit in bytes; an empty strategy takes 40 MB."""
SECONDS = 4
"""Processor time for one question: twice the desk's time-out."""
OUT_OF_MEMORY = 77
"""The exit code of a process whose strategy reached the memory limit."""

LIMITS, NAMESPACES, ROOT_OF_ITS_OWN, CALLS = "limits", "namespaces", "root", "calls"

NEW_MOUNTS, NEW_NAMES, NEW_SIGNALS, NEW_USER, NEW_NET, NEW_GROUPS = (
    0x00020000,
    0x04000000,
    0x08000000,
    0x10000000,
    0x40000000,
    0x02000000,
)
APART = NEW_MOUNTS | NEW_NAMES | NEW_SIGNALS | NEW_NET | NEW_GROUPS


def confine() -> tuple[str, ...]:
    """Set up the sandbox, and return the layers that hold."""
    held = [*_apart(), *_limited(), *_filtered()]
    with suppress(OSError):
        os.close(2)
    return tuple(held)


def move_on() -> None:
    """Start a new question: its processor time counts from here."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + SECONDS + 1
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def _limited() -> tuple[str, ...]:
    """Forbid new files, pipes and sockets, writing and new processes, and limit the memory."""
    limits = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_NOFILE, 0),
    ]
    held = 0
    for limit, most in limits:
        with suppress(OSError, ValueError):  # this system has no such limit
            resource.setrlimit(limit, (most, most))
            held += 1
    return (LIMITS,) if held == len(limits) and sys.platform != "darwin" else ()  # or accepts it without effect


def _apart() -> tuple[str, ...]:
    """Enter separate namespaces, with the empty folder as the file system root."""
    if not sys.platform.startswith("linux"):
        return ()
    libc = ctypes.CDLL(None, use_errno=True)
    is_apart = not libc.unshare(APART | NEW_USER) or not libc.unshare(APART)  # the second: root in a closed container
    try:
        os.chroot(".")
        os.chdir("/")
    except OSError:
        return (NAMESPACES,) if is_apart else ()
    return (NAMESPACES, ROOT_OF_ITS_OWN) if is_apart else (ROOT_OF_ITS_OWN,)


# ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────────────

NO_NEW_PRIVILEGES, SET_FILTER, FILTER = 38, 22, 2
ALLOWED, REFUSED = 0x7FFF0000, 0x00050001
"""Actions of the filter; the second is EPERM."""
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
MEMORY_OF_ARM = (214, 215, 216, 222, 226, 233)
MACHINES: dict[str, tuple[int, int, tuple[int, ...]]] = {
    "x86_64": (
        0xC000003E,
        302,
        (0, 1, 3, 9, 10, 11, 12, 13, 14, 15, 24, 25, 28, 35, 39, 60, 96, 98, 131, 186, 202, 219, 228, 230, 231, 318),
    ),
    "aarch64": (
        0xC00000B7,
        261,
        (57, 63, 64, 93, 94, 98, 101, 113, 115, 124, 128, 132, 134, 135, 139, 165, 169, 172, 178, *MEMORY_OF_ARM, 278),
    ),
}
"""For each machine: its architecture mark, the number of `prlimit64`, and the allowed calls.

These are read, write and close of open descriptors, memory, signals to itself, the clock, random numbers, and exit.
None of them names a file, a process or a socket.
"""


def _filtered() -> tuple[str, ...]:
    known = MACHINES.get(platform.machine()) if sys.platform.startswith("linux") else None
    if known is None:
        return ()
    program = _program(*known)

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))

    libc = ctypes.CDLL(None, use_errno=True)
    filtering = Program(len(program) // 8, program)
    if libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(SET_FILTER, FILTER, ctypes.byref(filtering), 0, 0):
        return ()
    return (CALLS,)


def _program(machine: int, limit: int, calls: tuple[int, ...]) -> bytes:
    """Return the BPF program: allow the listed calls of that machine and its own processor limit, and nothing else."""

    def step(code: int, yes: int, no: int, value: int) -> bytes:
        return struct.pack("=HBBI", code, yes, no, value)

    each = b"".join(step(EQUAL, 0, 1, call) + step(RETURN, 0, 0, ALLOWED) for call in calls)
    own_limit = b"".join(
        (
            step(EQUAL, 0, 5, limit),
            step(LOAD, 0, 0, 16),  # the target process: 0 is itself
            step(EQUAL, 0, 3, 0),
            step(LOAD, 0, 0, 24),  # the limited resource
            step(EQUAL, 0, 1, resource.RLIMIT_CPU),
            step(RETURN, 0, 0, ALLOWED),
        )
    )
    return b"".join(
        (
            step(LOAD, 0, 0, 4),
            step(EQUAL, 1, 0, machine),
            step(RETURN, 0, 0, REFUSED),
            step(LOAD, 0, 0, 0),
            each,
            own_limit,
            step(RETURN, 0, 0, REFUSED),
        )
    )
