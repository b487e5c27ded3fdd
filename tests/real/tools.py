"""Whether a folder may be mounted on, and what the kernel knows of processes."""

from __future__ import annotations

import socket
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path

from tests.kit.tools import path_of


@cache
def may_mount(folder: Path) -> bool:
    """Whether a file system may be mounted on this folder; it is unmounted again."""
    asked = ["mount", "-t", "tmpfs", "-o", "size=64k", "keyturn-tests", str(folder)]
    if path_of("mount") is None or subprocess.run(asked, capture_output=True, check=False).returncode != 0:
        return False
    subprocess.run(["umount", str(folder)], check=True)
    return True


def processes_on(home: Path) -> list[int]:
    """Whatever runs on this home, in order, as the kernel knows it: a watchdog and its engine are nobody's child here.

    A process that another one just started or that is about to end counts too: wait for a number of them.
    """
    mine, found = f"KEYTURN_HOME={home}".encode(), []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mine in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return sorted(found)


def command_of(pid: int) -> bytes:
    """Empty where it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def relays_on(home: Path) -> list[int]:
    """Of `keyturn`, not what stands in ssh's place."""
    return [pid for pid in processes_on(home) if command_of(pid).split(b"keyturn")[-1].startswith(b"\0relay")]


def is_running(pid: int) -> bool:
    """One that has ended and that nobody waited for is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def all_told(manager: socket.socket) -> list[str]:
    """What a service manager was told and has not read."""
    told = []
    manager.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            told.append(manager.recv(4096).decode())
    return told
