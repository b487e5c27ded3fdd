"""What a service manager is told: systemd's datagrams on `NOTIFY_SOCKET` (sd_notify(3)), without a library.

Nothing here ever waits or raises: a manager that is gone or busy changes nothing in what it manages.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress

VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
"""Meant for the one process that the manager started; what it starts itself gets none of them."""
LONGEST_STATUS = 200


class NotifySocket:
    """Of one process. Where no manager asks, nothing is sent.

    Attributes
    ----------
    watchdog_seconds
        How often the manager wants to hear that this process lives: half of what it asks for; None where it does not.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        named = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + named[1:] if named.startswith("@") else named
        self.watchdog_seconds = _half_of(environ)

    def ready(self, status: str) -> None:
        self._send(f"READY=1\nSTATUS={_line(status)}")

    def alive(self) -> None:
        self._send("WATCHDOG=1")

    def status(self, words: str) -> None:
        self._send(f"STATUS={_line(words)}")

    def stopping(self, words: str) -> None:
        self._send(f"STOPPING=1\nSTATUS={_line(words)}")

    def _send(self, message: str) -> None:
        if not self._address.startswith(("/", "\0")):
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto(message.encode(), self._address)


def without_notify(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for what this process starts."""
    return {name: value for name, value in environ.items() if name not in VARIABLES}


def _half_of(environ: Mapping[str, str]) -> float | None:
    """None too where it is another process that the manager wants to hear."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    try:
        microseconds = int(environ.get("WATCHDOG_USEC", "0"))
    except ValueError:
        return None
    return microseconds / 2_000_000 if microseconds > 0 else None


def _line(text: str) -> str:
    """One line: a second one would be another message."""
    return " ".join(text.split())[:LONGEST_STATUS]
