"""The process at the other end of a Unix socket: its user, its terminal and its SSH client by the kernel (OP-13)."""

from __future__ import annotations

import os
import pwd
import socket
import struct
from contextlib import suppress
from pathlib import Path

from core.model.lazy_dataclass import dataclass

_CREDENTIALS = struct.Struct("3i")
SSH_DAEMON = "sshd"
_PARENT, _TERMINAL = 1, 4
"""Field positions in `/proc/N/stat`, after the name."""
_PSEUDO_TERMINALS, _CONSOLES = range(136, 144), 4
"""Major device numbers from the kernel's `devices.txt`."""
ANCESTORS = 32
"""The number of parent processes searched for the SSH daemon."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A process at the other end.

    Attributes
    ----------
    terminal
        The device of its controlling terminal, such as `/dev/pts/3`; empty if it has none.
    address
        The SSH client's address; empty if it did not come over SSH.
    """

    process: int
    user_number: int
    user: str
    terminal: str
    address: str

    @property
    def is_ours(self) -> bool:
        return self.user_number == os.getuid()


def peer_of(connection: socket.socket) -> Peer:
    """Return the peer of a connection. Raises OSError if the kernel does not know it."""
    asked = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    process, user, _group = _CREDENTIALS.unpack(asked)
    name = str(user)
    with suppress(KeyError):
        name = pwd.getpwuid(user).pw_name
    return Peer(process, user, name, _terminal_of(process), _address_of(process))


def _terminal_of(process: int) -> str:
    """Return the terminal's device by its number in the process table: `pts/3`, `tty1`, or the number itself."""
    fields = _stat_of(process)
    number = int(fields[_TERMINAL]) if len(fields) > _TERMINAL else 0
    if number == 0:
        return ""
    major, minor = (number >> 8) & 0xFFF, (number & 0xFF) | ((number >> 12) & 0xFFF00)
    if major in _PSEUDO_TERMINALS:
        return f"/dev/pts/{minor}"
    return f"/dev/tty{minor}" if major == _CONSOLES else f"{major}:{minor}"


def _stat_of(process: int) -> list[str]:
    """Return the fields after the name: state, parent, group, session, terminal …"""
    with suppress(OSError, ValueError, IndexError):
        return Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(")")[2].split()
    return []


def _address_of(process: int) -> str:
    """Return the client address that an SSH daemon among its parents set."""
    if not _is_below_ssh(process):
        return ""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/environ").read_bytes().split(b"\0"):
            if line.startswith(b"SSH_CONNECTION="):
                return line.partition(b"=")[2].split(b" ")[0].decode(errors="replace")[:64]
    return ""


def _is_below_ssh(process: int) -> bool:
    for _ in range(ANCESTORS):
        fields = _stat_of(process)
        if len(fields) <= _PARENT:
            return False
        process = int(fields[_PARENT])
        if process <= 1:
            return False
        with suppress(OSError):
            if Path(f"/proc/{process}/comm").read_text().startswith(SSH_DAEMON):
                return True
    return False
