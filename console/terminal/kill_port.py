"""The driver's port for kill, halt and leave, called from its threads, whatever the event loop is doing (OP-07)."""

from __future__ import annotations

import math
from collections.abc import Callable

from textual import _time

from console.client.access import EngineAccess
from core.messages.commands import Halt

PATIENCE = 2.0
"""Time-out in seconds for the engine to finish its act and close its journal when the desk must leave."""


class DeskKillPort:
    """Implements `console.terminal.driver.KillPort`.

    Parameters
    ----------
    open_kill, close
        Open the kill screen, and end the desk: only passed to the event loop, never waited for.

    Attributes
    ----------
    reason
        Why the desk was asked to leave, or None.
    pressed_at
        The time of the last chord, on the clock by which Textual stamps keys.
    """

    def __init__(self, handle: EngineAccess, open_kill: Callable[[], object], close: Callable[[], object]) -> None:
        self.handle = handle
        self._open_kill = open_kill
        self._close = close
        self.reason: str | None = None
        self.pressed_at = -math.inf
        self._is_kill_open = False

    def press_kill(self) -> None:
        """Halt; repeating it changes nothing."""
        self.pressed_at = _time.get_time()
        self._is_kill_open = True
        self.handle.press_kill()
        self._open_kill()

    def press_kill_again(self) -> None:
        self.handle.press_kill_again()

    def is_kill_open(self) -> bool:
        return self._is_kill_open

    def let_k_be_a_letter(self) -> None:
        """Treat `K` as a letter: the kill screen closed, or is done, and a word may be typed."""
        self._is_kill_open = False

    def leave(self, reason: str) -> None:
        self.reason = reason
        self.handle.leave(reason)
        self.handle.ended.wait(PATIENCE)
        self._close()

    def halt(self, reason: str) -> None:
        self.handle.send(Halt(reason))
