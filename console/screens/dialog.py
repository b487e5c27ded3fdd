"""Stacked screens that do not repaint everything, and the interface of the desk for its dialogs.

Textual 8.2.8 draws the whole screen beneath through Rich at each of its changes. With ten prices a second and an open
ticket that would be most of the desk's work. Here only the changed lines are taken, as the widgets drew them.

In Textual 8.2.8 a screen beneath another passes its changes to the top screen and marks the same regions of itself as
changed again: after one full repaint, every later change repeats it. Measured with a ticket open at 120 × 40 while only
clocks tick: 34 kB/s without this module, 0.2 with it. Screens in between cache the screens beneath them, so they are
notified too; otherwise a status line under two dialogs would not update (OP-07).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Protocol

from textual._context import visible_screen_stack
from textual.geometry import Region
from textual.screen import ModalScreen, Screen
from textual.strip import Strip
from textual.widget import Widget, _RenderCache

from console.arming import Keyboard
from console.client.access import EngineAccess
from console.host_files import HostFiles
from console.keymap import KeyScope
from console.order_form.prefill import FormMemory
from console.order_form.presets import Preset
from console.terminal.driver import TerminalLink
from core.model.values import ClientOrderId, ProposalId, Symbol
from core.views import DeskView
from widgets.grid_cells import Tone
from widgets.lines import Lines


class Backdrop(Screen[None]):
    """A screen with the screen beneath as its background, if its own is fully transparent."""

    def _render_content(self) -> None:
        if self.styles.background.a:
            super()._render_content()
            return
        try:
            beneath = visible_screen_stack.get().pop()
        except LookupError:
            super()._render_content()
            return
        (width, height), style = self.size, self.rich_style
        is_known = self._render_cache.size == self.size and len(self._render_cache.lines) == height
        lines = [*self._render_cache.lines] if is_known else [Strip.blank(width, style)] * height
        wanted = self._changed_lines() if is_known else range(height)
        for y, line in _drawn(beneath, wanted):
            if y < height:
                lines[y] = line.adjust_cell_length(width, style)
        self._render_cache = _RenderCache(self.size, lines)
        self._dirty_regions.clear()

    def _changed_lines(self) -> set[int]:
        return {y for region in self._dirty_regions for y in region.line_range}


def _drawn(screen: Screen[object], lines: Collection[int]) -> list[tuple[int, Strip]]:
    """Return these lines of a screen as it is now, without click targets."""
    if not lines:
        return []
    first, end = min(lines), max(lines) + 1
    region = Region(0, first, screen.size.width, end - first)
    chops = screen._compositor._render_chops(region, lines.__contains__)  # noqa: SLF001
    return [(y, Strip.join(chops[y].values()).discard_meta()) for y in lines if 0 <= y < len(chops)]


MINIMUM = (80, 24)
"""Columns and lines that the desk needs.

On a smaller terminal nothing can be confirmed, because not all would be visible.
"""


class DialogLayer(Screen[None]):
    """A screen that, while covered, only passes on its changes."""

    def _on_timer_update(self) -> None:
        """Keep changes of this screen's own widgets, which Textual drops when the screen beneath reports changes."""
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
    """A modal layer that leaves the screen beneath unchanged: status lines stay readable over an open ticket."""

    PLACE = KeyScope.EVERYWHERE
    """The section of the key table with this dialog's keys."""
    NEEDS_ROOM = True
    """Whether the dialog is hidden on a terminal too small for the desk: a partial ticket is worse than none."""
    STAYS_CLEAR = True
    """Whether it leaves the status lines and the last line free, whatever their number; else it finds its own room."""

    NEEDS_KEY = False
    """Whether it is closed on a desk without control, because its actions open positions or loosen limits (OP-13)."""

    _holder: Widget | None = None
    _around: tuple[int, int] | None = None

    def acting_keys(self) -> Collection[str] | None:
        """Return the ids of this dialog's keys that act now; None if all in the footer do."""
        return None

    def clock_in_words(self, _now: datetime) -> str:
        """Return when what it shows expires, for the help that covers it."""
        return ""

    def update_view(self, _view: DeskView, _now: datetime) -> None:
        """Take a new view of the engine; the default ignores it."""

    def on_mount(self) -> None:
        self.stay_clear()

    def desk_lines(self) -> tuple[int, int]:
        """Return the number of the desk's lines above and below; a closing desk may have none."""
        lines = {each.id: len(each.lines) for each in self.app.screen_stack[0].children if isinstance(each, Lines)}
        return lines.get("status", 0), lines.get("footer", 0)

    @property
    def free_lines(self) -> int:
        """Number of terminal lines between them."""
        return self.app.size.height - sum(self.desk_lines())

    def stay_clear(self) -> None:
        """Leave every status line uncovered.

        UNCOVERED, KILLED and HALTED stay readable over every dialog (EX-13, OP-07).
        """
        if not self.STAYS_CLEAR or (around := self.desk_lines()) == self._around:
            return
        self._around = around
        for box in self.children:
            box.styles.margin = (around[0], 0, around[1], 0)
        self.room_changed()

    def room_changed(self) -> None:
        """Called when the number of free lines changed; a dialog that fills them redraws."""

    def on_resize(self) -> None:
        """Hide the dialog while there is no room; afterwards the previous widget has the focus again."""
        size = self.app.size
        is_too_small = self.NEEDS_ROOM and (size.width < MINIMUM[0] or size.height < MINIMUM[1])
        if is_too_small:
            self._holder = self.focused or self._holder
        elif self._holder is not None:
            self.call_after_refresh(self.set_focus, self._holder)
            self._holder = None
        self.set_class(is_too_small, "-too-small")


class DialogHost(Protocol):
    """The desk behind a dialog.

    Attributes
    ----------
    now
        The console's monotonic clock, in seconds, for keys and paints.
    keyboard
        The latest keys, on any screen.
    surroundings
        Access to files; each call may block.
    forms
        State shared by the order forms.
    """

    handle: EngineAccess
    keyboard: Keyboard
    surroundings: HostFiles
    forms: FormMemory
    now: Callable[[], float]

    @property
    def link(self) -> TerminalLink: ...
    @property
    def is_too_small(self) -> bool: ...
    @property
    def watched(self) -> Symbol | None: ...
    @property
    def view(self) -> DeskView | None: ...
    def engine_now(self) -> datetime: ...
    def say(self, text: str, tone: Tone = "") -> None: ...
    def open_ticket(self, proposal_id: ProposalId) -> None: ...
    def show_order(self, order_id: ClientOrderId) -> None: ...
    def flatten(self) -> None: ...
    def keep_preset(self, number: int, preset: Preset) -> None: ...
    def show_list(self, name: str) -> None: ...
    def step_off(self, pane: str, key: str) -> None: ...
    def ask(self, question: Dialog) -> None: ...
