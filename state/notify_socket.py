"""The service manager's notifications: systemd datagrams on `NOTIFY_SOCKET` (sd_notify(3)), without a library.

Nothing here waits or raises: a missing or busy manager does not affect the process.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress

VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
"""Meant only for the process that the manager started; removed for its children."""
LONGEST_STATUS = 200


class NotifySocket:
    """The notifications of one process; nothing is sent without a manager.

    Attributes
    ----------
    watchdog_seconds
        The interval of watchdog messages: half of the manager's limit; None without one.
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
    """Return the environment for child processes, without the manager's variables."""
    return {name: value for name, value in environ.items() if name not in VARIABLES}


def _half_of(environ: Mapping[str, str]) -> float | None:
    """Return half of the manager's limit; None also if it expects another process."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    try:
        microseconds = int(environ.get("WATCHDOG_USEC", "0"))
    except ValueError:
        return None
    return microseconds / 2_000_000 if microseconds > 0 else None


def _line(text: str) -> str:
    """Return the text on one line: a second line would be another message."""
    return " ".join(text.split())[:LONGEST_STATUS]
