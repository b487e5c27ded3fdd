"""Where the driver knocks: kill, halt and leave, from its threads, whatever the event loop is doing (OP-07)."""

from __future__ import annotations

import math
from collections.abc import Callable

from textual import _time

from console.client.access import EngineAccess
from core.messages.commands import Halt

PATIENCE = 2.0
"""Seconds that the engine has to finish its act and close its journal when the desk is told to go."""


class DeskKillPort:
    """Implements `console.terminal.driver.KillPort`.

    Parameters
    ----------
    open_kill, close
        What opens the kill screen and ends the desk: only handed to the event loop, never waited for.

    Attributes
    ----------
    reason
        Why the desk was told to leave; None while nobody did.
    pressed_at
        When the chord was read last, on the clock that Textual stamps keys with.
    """

    def __init__(self, handle: EngineAccess, open_kill: Callable[[], object], close: Callable[[], object]) -> None:
        self.handle = handle
        self._open_kill = open_kill
        self._close = close
        self.reason: str | None = None
        self.pressed_at = -math.inf
        self._is_kill_open = False

    def press_kill(self) -> None:
        """Halts; a repeat changes nothing."""
        self.pressed_at = _time.get_time()
        self._is_kill_open = True
        self.handle.press_kill()
        self._open_kill()

    def press_kill_again(self) -> None:
        self.handle.press_kill_again()

    def is_kill_open(self) -> bool:
        return self._is_kill_open

    def let_k_be_a_letter(self) -> None:
        """The kill screen closed, or has done its work: from here on a word may be typed."""
        self._is_kill_open = False

    def leave(self, reason: str) -> None:
        self.reason = reason
        self.handle.leave(reason)
        self.handle.ended.wait(PATIENCE)
        self._close()

    def halt(self, reason: str) -> None:
        self.handle.send(Halt(reason))
