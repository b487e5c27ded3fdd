"""Override a protection by a word typed in full; a paste does not count (RK-06).

The base class serves other dialogs that require a word before they loosen something.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events

from console.keymap import KeyScope, bindings_for
from console.screens.question import WIDTH, Question
from console.ticket import TypedWord, in_capitals
from core.views import ProtectionRow
from widgets.lines import Cell, TextLine
from widgets.ticket import wrapped

OVERRIDE = "OVERRIDE"


class WordScreen(Question):
    """A dialog with a required word; `does` describes its effect and `act` executes it."""

    PLACE = KeyScope.OVERRIDE
    NEEDS_KEY = True
    BINDINGS = bindings_for(KeyScope.OVERRIDE)

    def __init__(self, title: str, lines: Sequence[TextLine], word: str, does: str, act: Callable[[], None]) -> None:
        self.word = TypedWord(word)
        self.does = does
        self.act = act
        super().__init__(title, lines)

    def key_line(self) -> TextLine:
        typed = (Cell(f"    typed: {self.word.typed}", "strong"),) if self.word.typed else ()
        if self.word.is_in_another_case:
            typed = (Cell(f"    {in_capitals(self.word.word)}", "warning"),)
        return (Cell(f" type {self.word.word} ", "strong"), Cell(f"{self.does}   Esc no"), *typed)

    def on_key(self, event: events.Key) -> None:
        if event.character is None or not event.character.isalpha():
            self.word.forget()
        else:
            event.stop()
            event.prevent_default()
            self.word.hear(event.character)
        self.keys.show([self.key_line()])
        if self.word.stands:
            self.dismiss()
            self.act()

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self.word.forget()


class OverrideScreen(WordScreen):
    def __init__(self, row: ProtectionRow, act: Callable[[], None]) -> None:
        super().__init__(f"Override {row.name}?", _lines(row), OVERRIDE, "to let entries pass", act)


def _lines(row: ProtectionRow) -> list[TextLine]:
    return [
        *wrapped("", f"{row.name}, {row.measure}: {row.reason}.", WIDTH, "warning"),
        *wrapped("", f"Overridden, {row.override}.", WIDTH),
        *wrapped("", "It is recorded. Exits pass in any case.", WIDTH, "muted"),
    ]
