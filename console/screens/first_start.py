"""The first start: the purpose of the desk, its five main keys, and the test of the kill chord.

Test at the first start on a broker's account whether the kill chord arrives; some terminals capture it (OP-07).
Only the desk in control asks, because it can resume. The chord works as always: it halts, and the kill screen opens
over this one. If it arrived, that is remembered; if not, the screen names the keys and commands with the same effect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from textual.app import ComposeResult
from textual.containers import Vertical

from console.keymap import KeyScope, bindings_for, confirming_key, written
from console.screens.dialog import Dialog
from core.model.order import Effect
from widgets.lines import Cell, Lines, TextLine
from widgets.pane import put_note, put_title
from widgets.ticket import wrapped

WIDTH = 70


class GuideScreen(Dialog):
    """`closed` is called once it was read; `tour` if a tour is requested."""

    PLACE = KeyScope.GUIDE
    BINDINGS = bindings_for(PLACE)

    def __init__(self, closed: Callable[[], None], tour: Callable[[], None]) -> None:
        super().__init__()
        self.closed = closed
        self.tour = tour

    def compose(self) -> ComposeResult:
        box = Vertical(id="guide")
        put_title(box, "Welcome to Keyturn")
        put_note(box, f"{written('guide.tour')}: a tour of eight steps  {written('guide.back')}: to the desk")
        with box:
            yield Lines([*guide_lines()])

    def action_back(self) -> None:
        self.dismiss()
        self.closed()

    def action_tour(self) -> None:
        self.action_back()
        self.tour()


def guide_lines() -> Iterator[TextLine]:
    head = "Strategies propose, you turn the key. Nothing is sent before that."
    yield (Cell(head, "strong"),)
    yield ()
    for id, does in (
        ("grid.open", "opens what is selected: a proposal opens its ticket"),
        ("exit.urgent", "opens the most urgent exit, from anywhere"),
        ("order.new", "writes an order of your own; it becomes a proposal first"),
        ("help", "what this pane shows, and every key that works in it"),
        ("commands", "finds every command by its name, this page among them"),
    ):
        yield (Cell(f" {written(id):<8}", "strong"), Cell(does))
    yield ()
    buys, sells = confirming_key(Effect.OPEN), confirming_key(Effect.CLOSE)
    confirm = (
        f"read the ticket. When its last line says `armed`, one capital letter sends it: {buys} buys, {sells} sells "
        "what you hold. Enter, space and y send nothing, ever."
    )
    yield from wrapped("To confirm   ", confirm, WIDTH)
    yield ()
    stop = (
        "Ctrl+K halts at once, from everywhere. Then K cancels entries and blocks new ones, F stages the close of "
        "what you hold, U resumes, Esc looks around, still halted."
    )
    yield from wrapped("To stop all  ", stop, WIDTH)
    yield ()
    yield (Cell("To leave     ", "muted"), Cell(f"{written('leave')} says first what that means for each position."))


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
