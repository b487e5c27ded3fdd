"""The first start: the purpose of the desk, the five main keys, how to confirm and how to stop. One screen."""

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
        "Ctrl+K halts at once, from everywhere. Then K cancels what could open and stays shut, F stages the close of "
        "what you hold, U resumes, Esc looks around, still halted."
    )
    yield from wrapped("To stop all  ", stop, WIDTH)
    yield ()
    yield (Cell("To leave     ", "muted"), Cell(f"{written('leave')} says first what that means for each position."))
