"""Test at the first start on a broker's account whether the kill chord arrives; some terminals capture it (OP-07).

Only the desk in control asks, because it can resume. The chord works as always: it halts, and the kill screen opens
over this one. If it arrived, that is remembered; if not, the screen names the keys and commands with the same effect.
"""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical

from console.keymap import KeyScope, bindings_for, written
from console.screens.dialog import Dialog
from widgets.lines import Lines, TextLine
from widgets.pane import put_note, put_title
from widgets.ticket import wrapped

WIDTH = 70


class ChordScreen(Dialog):
    """`received` is called once, when the chord arrives."""

    PLACE = KeyScope.GUIDE
    NEEDS_KEY = True
    BINDINGS = bindings_for(PLACE)

    def __init__(self, received: Callable[[], None]) -> None:
        super().__init__()
        self.received = received
        self.was_heard = False
        self.body = Lines(id="chord-body")

    def compose(self) -> ComposeResult:
        box = Vertical(id="chord")
        put_title(box, "Does the kill chord arrive?")
        put_note(box, f"{written('guide.back')}: to the desk")
        with box:
            yield self.body

    def on_mount(self) -> None:
        self.body.show(trial_lines(was_heard=False))

    def hear_chord(self) -> None:
        """Called when the driver's input thread has recognised the chord."""
        if self.was_heard:
            return
        self.was_heard = True
        self.body.show(trial_lines(was_heard=True))
        self.received()

    def action_back(self) -> None:
        self.dismiss()


def trial_lines(*, was_heard: bool) -> list[TextLine]:
    if was_heard:
        words = "Ctrl+K received. It halts from everywhere, at any moment. This is not asked again."
        return wrapped("", words, WIDTH, "strong")
    ask = "Press Ctrl+K now. It halts the engine, for all who are attached; U on the screen that opens lets it go on."
    otherwise = (
        "If nothing happens, this terminal keeps the chord for itself: F10 does the same here, and `keyturn kill` in "
        "another terminal. Until it has come once, it is asked again at each start."
    )
    return [*wrapped("", ask, WIDTH, "strong"), (), *wrapped("", otherwise, WIDTH)]
