"""Where the operator sits: the terminal and the user that each confirmation is recorded with (OP-13)."""

from __future__ import annotations

import os
import pwd
import sys
from contextlib import suppress

from core.messages.command_ports import CommandPort, PortKind
from core.model.desk import Seat


def a_console_door() -> CommandPort:
    """The console's own, with the names of its terminal and of who runs it."""
    return CommandPort(PortKind.CONSOLE, terminal(), user())


def a_seat() -> Seat:
    """Where this desk is, by its own word: an engine in another process believes the kernel's."""
    return Seat(terminal(), user(), os.environ.get("SSH_CONNECTION", "").split(" ")[0])


def terminal() -> str:
    """The terminal's device; empty where there is none."""
    for stream in (sys.__stdin__, sys.__stdout__):
        with suppress(OSError, ValueError, AttributeError):
            return os.ttyname(stream.fileno())  # type: ignore[union-attr]
    return ""


def user() -> str:
    """Who runs this process, by the system's own table: what the environment says counts for nothing."""
    number = os.getuid()
    with suppress(KeyError):
        return pwd.getpwuid(number).pw_name
    return str(number)
