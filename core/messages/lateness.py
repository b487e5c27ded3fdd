"""A key that lay before an engine that stood still counts no more (OP-04, OP-07).

Its hand may have put the ticket aside since, or pressed the chord.
"""

from __future__ import annotations

from dataclasses import replace

from core.messages.commands import Command, Confirm, Kill, Loosens, RequestCancel, SignBasket

STOOD_STILL = 2.0
"""Seconds from a key to the engine's turn after which it is late: a desk doubts a silent engine after one."""
LATE = "the engine stood still while this key was on its way, so it counts for nothing; read it again, then press"


def as_late(command: Command) -> Command:
    """What confirms or loosens is marked, and what may: the cancel of a stop, a kill that is to take stops along. What
    stops something stands, however late it is.
    """
    marked = isinstance(command, Confirm | SignBasket | Loosens | RequestCancel | Kill)
    return replace(command, came_late=True) if marked else command
