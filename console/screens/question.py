"""A question that names its object, answered by another key than the one that asked it.

It is armed like a ticket (OP-04): its key counts only after a moment on the screen without input, so that typing ahead,
a held key or a paste does not answer it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical

from console.arming import REDUCES_AFTER, Arming, Painted, ShownTicket, ask_whether_drawn
from console.keymap import KeyScope, bindings_for, footer, written
from console.screens.dialog import Dialog, DialogHost
from widgets.lines import Cell, Lines, TextLine, spread
from widgets.pane import put_title

WIDTH = 66
AROUND = 4
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
        room = max(1, self.free_lines - AROUND)
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


class ArmedQuestion(Question):
    """A question with an armed key; `does` describes its effect in a word or two and `act` executes it."""

    NEEDS_KEY = True
    BINDINGS = bindings_for(KeyScope.QUESTION)

    def __init__(
        self, behind: DialogHost, title: str, lines: Sequence[TextLine], does: str, act: Callable[[], None]
    ) -> None:
        self.behind = behind
        self.does = does
        self.act = act
        self.arming = Arming(behind.keyboard)
        self.shown = ShownTicket("question", title)
        self._was_early = False
        super().__init__(title, lines)
        self.painted = Painted(self.arming, lambda: behind.link, behind.now)

    def on_mount(self) -> None:
        ask_whether_drawn(self, self.painted, self.shown)
        self.set_interval(TICK, self.tick)

    def key_line(self) -> TextLine:
        key = written("question.do")
        left = (Cell(f" {key} ", "strong"), Cell(f" {self.does}   {written('question.back')}  no"))
        return spread(left, (self._state(key),), WIDTH)

    def _state(self, key: str) -> Cell:
        if self.arming.is_turning():
            return Cell("doing it…", "strong")
        if self.behind.is_too_small:
            return Cell("terminal too small", "warning")
        if (doubt := self.behind.link.doubt) is not None:
            return Cell(doubt, "warning")
        left = self.arming.seconds_left(self.shown, key, REDUCES_AFTER, self.behind.now())
        if left == 0:
            self._was_early = False
            return Cell("armed ", "strong")
        seconds = f"{REDUCES_AFTER if left is None else left + 0.05:.1f} s"
        if self._was_early:
            return Cell(f"too early: press {key} in {seconds}", "warning")
        return Cell(f"armed in {seconds}", "muted")

    def hear(self, character: str | None, at: float) -> None:
        """Handle a key by its character, or a click or paste (None); `at` is an instant of the console's clock."""
        self.painted.see_whether_it_ran()
        key = written("question.do")
        if character != key or self.behind.is_too_small:
            self.arming.hear(character, at)
        elif not self.arming.turn(self.shown, key, REDUCES_AFTER, at):
            self._was_early = True
        self.tick()

    def tick(self) -> None:
        """Follow the confirmation delay and act once, if the key was not followed by other input."""
        self.painted.see_whether_it_ran()
        if not self.is_active or self.behind.is_too_small:
            self.painted.forget()
            return
        if self.painted.look():
            self.refresh()
        if self.arming.take(self.shown, self.behind.now()):
            self.dismiss()
            self.act()
            return
        self.keys.show([self.key_line()])
        ask_whether_drawn(self, self.painted, self.shown)

    def on_screen_suspend(self) -> None:
        self.painted.forget()

    def on_screen_resume(self) -> None:
        self.painted.forget()

    def action_answer(self) -> None:
        """The key is evaluated in `hear`."""


class EverybodysQuestion(ArmedQuestion):
    """A question whose answer stops new activity; a desk without control may ask it too (OP-13)."""

    NEEDS_KEY = False
