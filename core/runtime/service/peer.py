"""Who is at the other end of a connection, by the kernel's word: never by what it says of itself (OP-13)."""

from __future__ import annotations

import os
import pwd
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_CREDENTIALS = struct.Struct("3i")
SSH_DAEMON = "sshd"
_PARENT, _TERMINAL = 1, 4
"""Where they stand in `/proc/N/stat`, behind the name."""
_PSEUDO_TERMINALS, _CONSOLES = range(136, 144), 4
"""Major numbers of the kernel's `devices.txt`."""
ANCESTORS = 32
"""Parents that are looked at for the daemon that let somebody in."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A process at the other end.

    Attributes
    ----------
    terminal
        The device of its controlling terminal, as `/dev/pts/3`; empty where it has none.
    address
        From where it came over SSH; empty where it did not.
    """

    process: int
    user_number: int
    user: str
    terminal: str
    address: str

    @property
    def is_ours(self) -> bool:
        return self.user_number == os.getuid()

    @property
    def has_hands(self) -> bool:
        """Whether a person may sit there: it has a terminal, or SSH let somebody in whose terminal is elsewhere."""
        return bool(self.terminal or self.address)


def peer_of(connection: socket.socket) -> Peer:
    """Raises OSError where the kernel cannot tell."""
    asked = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    process, user, _group = _CREDENTIALS.unpack(asked)
    name = str(user)
    with suppress(KeyError):
        name = pwd.getpwuid(user).pw_name
    return Peer(process, user, name, _terminal_of(process), _address_of(process))


def _terminal_of(process: int) -> str:
    """By the number that the process table has, as `ps` names it: `pts/3`, `tty1`, or the number itself."""
    fields = _stat_of(process)
    number = int(fields[_TERMINAL]) if len(fields) > _TERMINAL else 0
    if number == 0:
        return ""
    major, minor = (number >> 8) & 0xFFF, (number & 0xFF) | ((number >> 12) & 0xFFF00)
    if major in _PSEUDO_TERMINALS:
        return f"/dev/pts/{minor}"
    return f"/dev/tty{minor}" if major == _CONSOLES else f"{major}:{minor}"


def _stat_of(process: int) -> list[str]:
    """What follows the name: state, parent, group, session, terminal …"""
    with suppress(OSError, ValueError, IndexError):
        return Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(")")[2].split()
    return []


def _address_of(process: int) -> str:
    """What the SSH daemon told it, where one is among its parents."""
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
