"""The operator's place: the terminal and user recorded with each confirmation (OP-13)."""

from __future__ import annotations

import os
import pwd
import sys
from contextlib import suppress

from core.messages.command_ports import CommandPort, PortKind
from core.model.desk import Seat


def a_console_door() -> CommandPort:
    """Return the console's port, with the names of its terminal and user."""
    return CommandPort(PortKind.CONSOLE, terminal(), user())


def a_seat() -> Seat:
    """Return this desk's place by its own statement; an engine in another process trusts only the kernel."""
    return Seat(terminal(), user(), os.environ.get("SSH_CONNECTION", "").split(" ")[0])


def terminal() -> str:
    """Return the terminal's device; empty without one."""
    for stream in (sys.__stdin__, sys.__stdout__):
        with suppress(OSError, ValueError, AttributeError):
            return os.ttyname(stream.fileno())  # type: ignore[union-attr]
    return ""


def user() -> str:
    """Return this process's user by the system's user table; the environment is ignored."""
    number = os.getuid()
    with suppress(KeyError):
        return pwd.getpwuid(number).pw_name
    return str(number)
