"""A question with the thing's name in it, answered by a key that is not the one that asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical

from console.keymap import Place, bindings_for, footer
from console.screens.layer import Dialog
from widgets.lines import Cell, Lines, TextLine

WIDTH = 66


class Question(Dialog):
    """The base: lines, and the keys of its place under them."""

    CSS = """
    .question { width: 72; max-width: 100%; height: auto; background: $surface; border: round $warning; padding: 0 1; }
    """
    PLACE = Place.QUESTION

    def __init__(self, title: str, lines: Sequence[TextLine]) -> None:
        super().__init__()
        self.asked = title
        self.lines = lines

    def compose(self) -> ComposeResult:
        box = Vertical(classes="question")
        box.border_title = self.asked
        with box:
            yield Lines([*self.lines, (), (Cell(footer(self.PLACE), "strong"),)])

    def action_back(self) -> None:
        self.dismiss()


class CancelQuestion(Question):
    """A stop is not cancelled by a slip: the question names it."""

    BINDINGS = bindings_for(Place.QUESTION)

    def __init__(self, title: str, lines: Sequence[TextLine], act: Callable[[], None]) -> None:
        super().__init__(title, lines)
        self.act = act

    def action_answer(self) -> None:
        self.dismiss()
        self.act()
