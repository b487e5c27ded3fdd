"""Screens that lie over or under each other without drawing everything anew at each change.

In Textual 8.2.8 a screen under another one hands what changed to the one on top, and marks the same regions of itself
as changed again: one full repaint among them repeats itself at every later change. Measured with a ticket open at
120 × 40, while only clocks tick: 34 kB/s; with this, 0.2. And each screen between the two keeps what it drew of those
under it: it is told as well, or a status line under two dialogs stands still (OP-07).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from textual.screen import ModalScreen, Screen
from textual.widget import Widget

from console.keymap import KeyScope
from console.screens.backdrop import Backdrop
from core.views import DeskView
from widgets.lines import Lines

MINIMUM = (80, 24)
"""Columns and lines that the desk needs; below, nothing can be confirmed, because not all of it would be seen."""


class DialogLayer(Screen[None]):
    """A screen that, while others lie over it, only passes on what changed."""

    def _on_timer_update(self) -> None:
        """What its own widgets changed is kept: Textual forgets it where the screen is told of changes under it."""
        if self._repaint_required:
            self._compositor.update_widgets(self._dirty_widgets)
        super()._on_timer_update()

    def _compositor_refresh(self) -> None:
        top = self.app.screen
        if self is top:
            super()._compositor_refresh()
            return
        compositor = self._compositor
        regions = [*compositor._dirty_regions]  # noqa: SLF001
        compositor._dirty_regions.clear()  # noqa: SLF001
        self._dirty_widgets.clear()
        if not regions:
            return
        stack = self.app.screen_stack
        for between in stack[stack.index(self) + 1 : -1] if self in stack else ():
            between._set_dirty(*regions)  # noqa: SLF001
            between._repaint_regions.clear()  # noqa: SLF001
        top.refresh(*regions)


class Dialog(Backdrop, DialogLayer, ModalScreen[None]):
    """A modal layer; what lies under it stays as it is: the status lines are read while a ticket is open."""

    PLACE = KeyScope.EVERYWHERE
    """Which keys of the table are its own."""
    NEEDS_ROOM = True
    """Whether a terminal too small for the desk shows nothing of it: a part of a ticket is worse than none."""
    STAYS_CLEAR = True
    """Whether it leaves the status lines and the last one free, however many they are; else it makes its own room."""

    NEEDS_KEY = False
    """Whether it is closed on a desk that does not hold the key: all that it leads to opens or loosens (OP-13)."""

    _holder: Widget | None = None
    _around: tuple[int, int] | None = None

    def acting_keys(self) -> Collection[str] | None:
        """Which of its own keys do something now, by their ids; None where all that are in the footer do."""
        return None

    def update_view(self, _view: DeskView, _now: datetime) -> None:
        """A new picture of the engine; a dialog that shows nothing of it stays as it is."""

    def on_mount(self) -> None:
        self.stay_clear()

    def desk_lines(self) -> tuple[int, int]:
        """The desk's own lines above and below; one that is closing may have neither left."""
        lines = {each.id: len(each.lines) for each in self.app.screen_stack[0].children if isinstance(each, Lines)}
        return lines.get("status", 0), lines.get("footer", 0)

    @property
    def free_lines(self) -> int:
        """Lines of the terminal between them."""
        return self.app.size.height - sum(self.desk_lines())

    def stay_clear(self) -> None:
        """No word of a status line is covered: UNCOVERED, KILLED, HALTED are read over every dialog (EX-13, OP-07)."""
        if not self.STAYS_CLEAR or (around := self.desk_lines()) == self._around:
            return
        self._around = around
        for box in self.children:
            box.styles.margin = (around[0], 0, around[1], 0)
        self.room_changed()

    def room_changed(self) -> None:
        """There are more or fewer free lines than before; a dialog that fills them draws itself anew."""

    def on_resize(self) -> None:
        """What had the keyboard has it again as soon as there is room."""
        size = self.app.size
        is_too_small = self.NEEDS_ROOM and (size.width < MINIMUM[0] or size.height < MINIMUM[1])
        if is_too_small:
            self._holder = self.focused or self._holder
        elif self._holder is not None:
            self.call_after_refresh(self.set_focus, self._holder)
            self._holder = None
        self.set_class(is_too_small, "-too-small")
