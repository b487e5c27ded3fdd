"""Programs of this machine that a case may need, and what the kernel knows of processes."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest

SYSTEM = "/usr/sbin:/sbin"
"""Where sshd is, which not every path names."""


def path_of(tool: str) -> str | None:
    return shutil.which(tool, path=f"{os.environ.get('PATH', '')}:{SYSTEM}")


def needs(*tools: str) -> pytest.MarkDecorator:
    """Skip a case by name where a program is not installed."""
    missing = [tool for tool in tools if path_of(tool) is None]
    return pytest.mark.skipif(bool(missing), reason=f"needs {missing[0] if missing else ''}")


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
