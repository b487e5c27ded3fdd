"""A key that waited while the engine was stalled does not count (OP-04, OP-07).

The operator may have closed the ticket since, or pressed the kill chord.
"""

from __future__ import annotations

from dataclasses import replace

from core.messages.commands import Command, Confirm, Kill, Loosens, RequestCancel, SignBasket

STOOD_STILL = 2.0
"""Seconds from a key to its handling after which it is late: a desk doubts a silent engine after one."""
LATE = "the engine stood still while this key was on its way, so it counts for nothing; read it again, then press"


def as_late(command: Command) -> Command:
    """Mark commands that confirm or loosen, or may do so: the cancel of a stop, a kill that also cancels stops.

    A command that stops something is valid however late.
    """
    marked = isinstance(command, Confirm | SignBasket | Loosens | RequestCancel | Kill)
    return replace(command, came_late=True) if marked else command
