"""A read-only dialog with a title: help, details, the history of an order. Long text is scrolled.

It confirms and asks nothing; its keys scroll and close.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical

from console.keymap import KeyScope, bindings_for, written
from console.screens.dialog import Dialog
from widgets.lines import Lines, TextLine
from widgets.pane import put_note, put_title

FRAME = 2
"""Lines of the frame."""


class ReadingScreen(Dialog):
    PLACE = KeyScope.READING
    BINDINGS = bindings_for(PLACE)

    def __init__(self, title: str) -> None:
        super().__init__()
        self.box = Vertical(classes="reading")
        put_title(self.box, title)
        self.body = Lines()
        self._lines: Sequence[TextLine] = ()
        self._top = 0

    def compose(self) -> ComposeResult:
        with self.box:
            yield self.body

    def on_mount(self) -> None:
        self._draw()

    def on_resize(self) -> None:
        super().on_resize()
        self._draw()

    def room_changed(self) -> None:
        self._draw()

    def read(self, lines: Sequence[TextLine]) -> None:
        """Show these lines and keep the scroll position."""
        self._lines = lines
        self._draw()

    def _draw(self) -> None:
        if not self.is_attached:
            return
        room = self._room()
        self._top = max(0, min(self._top, len(self._lines) - room))
        self.body.show(self._lines[self._top : self._top + room])
        end = min(self._top + room, len(self._lines))
        place = f"{self._top + 1}–{end} of {len(self._lines)}, {written('read.page_down')}  "
        edge = (place if len(self._lines) > room else "") + f"{written('read.back')} back"
        put_note(self.box, edge)

    def action_scroll(self, step: int) -> None:
        self._top += step
        self._draw()

    def action_page(self, step: int) -> None:
        self.action_scroll(step * max(1, self._room() - 1))

    def _room(self) -> int:
        return max(1, self.free_lines - FRAME)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.action_scroll(-1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.action_scroll(1)

    def action_back(self) -> None:
        self.dismiss()
