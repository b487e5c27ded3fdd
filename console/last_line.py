"""The last line: the keys of the focused place, or for some seconds the latest message."""

from __future__ import annotations

from collections.abc import Callable

from textual.geometry import Size
from textual.screen import Screen

from console.board import width_of
from widgets.grid_cells import Tone
from widgets.status_lines import FooterLine

SAID_FOR = 5.0
"""Seconds for which a message is shown, unless another screen comes to the top."""


class LastLine:
    """The last line; `now` is the console's monotonic clock."""

    def __init__(self, line: FooterLine, now: Callable[[], float]) -> None:
        self._line = line
        self._now = now
        self._said: tuple[str, Tone, float, Screen[object]] | None = None

    def say(self, text: str, tone: Tone, screen: Screen[object]) -> None:
        self._said = (text, tone, self._now(), screen)

    def room(self, size: Size) -> int:
        """Return the cells for keys; the kill key is at the end, one cell closer than other keys."""
        return width_of(size) + 1

    def take_back(self, beginning: str) -> None:
        """Withdraw a message with that beginning."""
        if self._said is not None and self._said[0].startswith(beginning):
            self._said = None

    def show(self, keys: Callable[[], str], top: Screen[object], size: Size) -> None:
        """Show the latest message of this screen, else its keys."""
        if self._said is not None:
            text, tone, at, screen = self._said
            if screen is top and self._now() - at < SAID_FOR:
                self._line.show_words(text, tone, width_of(size))
                return
            self._said = None
        self._line.show_keys(keys(), width_of(size))
