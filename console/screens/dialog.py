"""Stacked screens that do not repaint everything, the desk's interface for them, and questions (OP-04).

Textual 8.2.8 draws the whole screen beneath through Rich at each of its changes. With ten prices a second and an open
ticket that would be most of the desk's work. Here only the changed lines are taken, as the widgets drew them.

In Textual 8.2.8 a screen beneath another passes its changes to the top screen and marks the same regions of itself as
changed again: after one full repaint, every later change repeats it. Measured with a ticket open at 120 × 40 while only
clocks tick: 34 kB/s without this module, 0.2 with it. Screens in between cache the screens beneath them, so they are
notified too; otherwise a status line under two dialogs would not update (OP-07).

A question names its object, and is answered by another key than the one that asked it. It is armed like a ticket: its
key counts only after a moment on the screen without input, so that typing ahead, a held key or a paste does not answer
it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Protocol

from textual._context import visible_screen_stack
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Region
from textual.screen import ModalScreen, Screen
from textual.strip import Strip
from textual.widget import Widget, _RenderCache

from console.arming import REDUCES_AFTER, Arming, Keyboard, Painted, ShownTicket
from console.client.access import EngineAccess, HostFiles
from console.client.ssh_agent import SshAgent
from console.keymap import KeyScope, bindings_for, footer, written
from console.order_form.prefill import FormMemory, Preset
from console.terminal.driver import TerminalLink
from core.model.values import ClientOrderId, ProposalId, Symbol
from core.views import DeskView
from widgets.lines import Cell, Lines, TextLine, Tone, spread
from widgets.pane import put_title


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
        wanted = {y for region in self._dirty_regions for y in region.line_range} if is_known else range(height)
        for y, line in _drawn(beneath, wanted):
            if y < height:
                lines[y] = line.adjust_cell_length(width, style)
        self._render_cache = _RenderCache(self.size, lines)
        self._dirty_regions.clear()


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
    new_agent
        Makes a request to ssh-agent.
    """

    handle: EngineAccess
    keyboard: Keyboard
    surroundings: HostFiles
    forms: FormMemory
    now: Callable[[], float]
    new_agent: Callable[[], SshAgent]

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


class ArmedKey(Painted):
    """The armed key of one screen: it counts after its effect was on the screen for a moment without input (OP-04).

    Attributes
    ----------
    was_early
        Whether it was pressed too early, and did not count since.
    """

    def __init__(self, screen: Dialog, behind: DialogHost) -> None:
        super().__init__(Arming(behind.keyboard), lambda: behind.link, behind.now)
        self.was_early = False
        self._screen = screen

    def seconds_left(self, shown: ShownTicket, key: str, silence: float) -> float | None:
        """Return the seconds until it would count: 0 is armed, None is not painted yet."""
        return self.arming.seconds_left(shown, key, silence, self._now())

    def state(self, shown: ShownTicket, key: str, silence: float, armed: str = "armed ") -> Cell:
        """Return its state in words if nothing prevents arming; `armed` is said once it would count."""
        left = self.seconds_left(shown, key, silence)
        if left == 0:
            self.was_early = False
            return Cell(armed, "strong")
        seconds = f"{silence if left is None else left + 0.05:.1f} s"
        if self.was_early:
            return Cell(f"too early: press {key} in {seconds}", "warning")
        return Cell(f"armed in {seconds}", "muted")

    def follow(self) -> bool:
        """Follow the paint; return whether the screen is drawn again because its frame was skipped."""
        must_draw = self.look()
        if must_draw:
            self._screen.refresh()
        return must_draw

    def take(self, shown: ShownTicket) -> bool:
        """Return once whether it confirmed exactly this and no other key followed."""
        return self.arming.take(shown, self._now())

    def ask_whether_drawn(self, shown: ShownTicket) -> None:
        """Check after the next frame that this was drawn, if no frame has shown it yet."""
        if self.must_ask(shown):
            skipped, screen = self.asked(), self._screen
            screen.call_after_refresh(
                lambda: self.drew(shown, skipped, screen.is_active and screen.size == screen.app.size)
            )


class ArmedDialog(Dialog):
    """A dialog with an armed key; the desk gives it every key, click and paste by `hear`."""

    armed: ArmedKey

    def hear(self, character: str | None, at: float) -> None:
        """Handle a key by its character, or a click or paste (None); `at` is an instant of the console's clock."""
        raise NotImplementedError

    def disarm(self) -> None:
        """Disarm: another screen covers it, or its content is no longer valid."""
        self.armed.forget()

    def on_screen_suspend(self) -> None:
        self.disarm()

    def on_screen_resume(self) -> None:
        self.disarm()


WIDTH = 66
QUESTION_AROUND = 4
"""Lines for the frame, a gap and the keys."""
TICK = 0.05


class Question(Dialog):
    """Base: lines, with the keys of its place under them."""

    PLACE = KeyScope.QUESTION

    def __init__(self, title: str, lines: Sequence[TextLine]) -> None:
        super().__init__()
        self.asked = title
        self.lines = lines
        self.body = Lines()
        self.keys = Lines([self.key_line()])

    def compose(self) -> ComposeResult:
        box = Vertical(classes="question")
        put_title(box, self.asked)
        with box:
            yield self.body
            yield self.keys

    def on_resize(self) -> None:
        super().on_resize()
        self.room_changed()

    def room_changed(self) -> None:
        """Draw the lines; those without room are counted. The keys always have room."""
        room = max(1, self.free_lines - QUESTION_AROUND)
        lines = [*self.lines]
        if len(lines) > room:
            lines[room - 1 :] = [
                (Cell(f"… {len(lines) - room + 1} lines more: a taller terminal shows them", "warning"),)
            ]
        self.body.show([*lines, ()])

    def key_line(self) -> TextLine:
        return (Cell(footer(self.PLACE), "strong"),)

    def action_back(self) -> None:
        self.dismiss()


class ArmedQuestion(Question, ArmedDialog):
    """A question with an armed key; `does` describes its effect in a word or two and `act` executes it."""

    NEEDS_KEY = True
    BINDINGS = bindings_for(KeyScope.QUESTION)

    def __init__(
        self, behind: DialogHost, title: str, lines: Sequence[TextLine], does: str, act: Callable[[], None]
    ) -> None:
        self.behind = behind
        self.does = does
        self.act = act
        self.armed = ArmedKey(self, behind)
        self.shown = ShownTicket("question", title)
        super().__init__(title, lines)

    def on_mount(self) -> None:
        self.armed.ask_whether_drawn(self.shown)
        self.set_interval(TICK, self.tick)

    def key_line(self) -> TextLine:
        key = written("question.do")
        left = (Cell(f" {key} ", "strong"), Cell(f" {self.does}   {written('question.back')}  no"))
        return spread(left, (self._state(key),), WIDTH)

    def _state(self, key: str) -> Cell:
        if self.armed.arming.is_turning():
            return Cell("doing it…", "strong")
        if self.behind.is_too_small:
            return Cell("terminal too small", "warning")
        if (doubt := self.behind.link.doubt) is not None:
            return Cell(doubt, "warning")
        return self.armed.state(self.shown, key, REDUCES_AFTER)

    def hear(self, character: str | None, at: float) -> None:
        self.armed.see_whether_it_ran()
        key = written("question.do")
        if character != key or self.behind.is_too_small:
            self.armed.arming.hear(character, at)
        elif not self.armed.arming.turn(self.shown, key, REDUCES_AFTER, at):
            self.armed.was_early = True
        self.tick()

    def tick(self) -> None:
        """Follow the confirmation delay and act once, if the key was not followed by other input."""
        self.armed.see_whether_it_ran()
        if not self.is_active or self.behind.is_too_small:
            self.disarm()
            return
        self.armed.follow()
        if self.armed.take(self.shown):
            self.dismiss()
            self.act()
            return
        self.keys.show([self.key_line()])
        self.armed.ask_whether_drawn(self.shown)

    def action_answer(self) -> None:
        """The key is evaluated in `hear`."""


class EverybodysQuestion(ArmedQuestion):
    """A question whose answer stops new activity; a desk without control may ask it too (OP-13)."""

    NEEDS_KEY = False
