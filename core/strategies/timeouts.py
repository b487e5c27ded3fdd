"""How long the desk waits for a strategy of the user's (ST-07)."""

from __future__ import annotations

PATIENCE = 2.0
"""Seconds that one answer may take; the process that has not given it by then is ended."""


class OverdueError(Exception):
    """There was no answer in time."""

    def __init__(self) -> None:
        super().__init__(f"no answer in {PATIENCE:g} s; its process was ended")
