"""Dialogs in which every letter is text.

The desk passes them each key before any binding, in order, so that text typed before Enter is complete when Enter
arrives, even while the dialog is opening.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical

from console.keymap import KEYS, KeyScope
from console.screens.dialog import Dialog
from console.screens.dialog_host import DialogHost
from widgets.lines import Cell, Lines, TextLine, joined
from widgets.pane import put_note, put_title
from widgets.ticket import wrapped

ERASE = "backspace"
LONGEST = 80
"""Maximum characters of a line; more are ignored."""
LONGEST_LINE = 66
"""Cells of a line with the reason why Enter did nothing."""


class TypedDialog(Dialog):
    """Base: keys of its place act as in the key table, Backspace erases, other characters are typed."""

    def __init__(self) -> None:
        super().__init__()
        self._early: list[events.Key] = []
        own = (key for key in KEYS if key.place is self.PLACE)
        self._acts = {name: key.action for key in own for name in key.keys.split(",")}

    def on_mount(self) -> None:
        early, self._early = self._early, []
        for event in early:
            self.take(event)

    def take(self, event: events.Key) -> bool:
        """Handle a key; return whether it is this dialog's. The kill chord never is."""
        if not self._is_its_own(event):
            return False
        character = event.character if event.is_printable else None
        if not self.is_mounted:
            self._early.append(event)
        elif event.key in self._acts:
            getattr(self, f"action_{self._acts[event.key]}")()
        elif event.key == ERASE:
            self.erase()
        elif character:
            self.write(character)
        return True

    def _is_its_own(self, event: events.Key) -> bool:
        return event.key == ERASE or event.key in self._acts or bool(event.is_printable and event.character)

    def paste(self, text: str) -> None:
        """Insert the first line of a paste as text; nothing in it acts as a key (OP-04)."""
        if self.is_mounted:
            self.write(one_line(text))

    def write(self, text: str) -> None:
        raise NotImplementedError

    def erase(self) -> None:
        raise NotImplementedError

    def action_back(self) -> None:
        self.dismiss()


def one_line(text: str) -> str:
    """Return the part of a paste that may stand in a line."""
    first = text.splitlines()[0] if text else ""
    return "".join(character for character in first if character.isprintable())[:LONGEST]


@dataclass(slots=True)
class TextField:
    """An input line. Its initial text is replaced by the first typed character, and edited by Backspace."""

    label: str
    unit: str
    text: str = ""
    is_fresh: bool = True

    def write(self, text: str) -> None:
        self.text = (("" if self.is_fresh else self.text) + text)[:LONGEST]
        self.is_fresh = False

    def erase(self) -> None:
        self.text, self.is_fresh = self.text[:-1], False

    def clear(self) -> None:
        self.text, self.is_fresh = "", False


class FieldsScreen(TypedDialog):
    """One or a few lines, a preview of the effect, and Enter, which only asks or stages."""

    PLACE = KeyScope.FIELD
    NEEDS_KEY = True

    def __init__(self, behind: DialogHost, title: str, fields: Sequence[TextField], takes: str) -> None:
        super().__init__()
        self.behind = behind
        self.fields = fields
        self.at = 0
        self.wrong = ""
        self.is_asking = False
        """Whether the engine has not answered Enter yet; until then only Esc works."""
        self.box = Vertical(classes="fields")
        self.body = Lines()
        put_title(self.box, title)
        self.takes = f"Enter {takes}  Esc back"
        put_note(self.box, self.takes)

    def compose(self) -> ComposeResult:
        with self.box:
            yield self.body

    def on_mount(self) -> None:
        self.draw()
        super().on_mount()

    def keys_in_words(self) -> str:
        """Return the keys for the last line, in the words of the box: Enter declines here, and stages there."""
        return self.takes

    def preview(self) -> Sequence[TextLine]:
        """Return the effect of Enter with the current texts."""
        return ()

    def accept(self) -> None:
        """Handle Enter."""
        raise NotImplementedError

    def draw(self) -> None:
        lines = [self._line(number, field) for number, field in enumerate(self.fields)]
        shown = self.preview()
        is_told = any(joined(line).strip() == self.wrong for line in shown)
        said = wrapped("", self.wrong, LONGEST_LINE, "warning") if self.wrong and not is_told else []
        asking: list[TextLine] = [(Cell("staging…", "muted"),)] if self.is_asking else []
        self.body.show([*lines, (), *shown, *said, *asking])

    def _line(self, number: int, field: TextField) -> TextLine:
        is_here = number == self.at
        cursor = "▏" if is_here else " "
        return (
            Cell("▸ " if is_here else "  "),
            Cell(f"{field.label:<13} "),
            Cell(f"{field.text}{cursor}".ljust(22), "strong" if is_here else ""),
            Cell(field.unit, "muted"),
        )

    def write(self, text: str) -> None:
        self.fields[self.at].write(text)
        self._changed()

    def erase(self) -> None:
        self.fields[self.at].erase()
        self._changed()

    def _changed(self) -> None:
        self.wrong = ""
        self.draw()

    def refuse(self, words: str) -> None:
        """Show why Enter did nothing; the typed text stays, to be corrected."""
        self.wrong = words
        self.is_asking = False
        self.draw()

    def hear_refusal(self, words: str) -> None:
        """Show the engine's refusal. The next character replaces the refused text, Backspace edits it."""
        self.fields[self.at].is_fresh = True
        self.refuse(words)

    def begin_asking(self) -> None:
        """Wait for the engine, which stages the typed text or refuses it."""
        self.is_asking = True
        self.draw()

    def take(self, event: events.Key) -> bool:
        """Ignore keys typed before the answer, but Esc: they were meant for the next screen (OP-04)."""
        is_heard = not self.is_asking or self._acts.get(event.key) == "back"
        return super().take(event) if is_heard else self._is_its_own(event)

    def paste(self, text: str) -> None:
        if not self.is_asking:
            super().paste(text)

    def action_accept(self) -> None:
        self.accept()

    def action_clear(self) -> None:
        self.fields[self.at].clear()
        self._changed()

    def action_next(self) -> None:
        self.at = (self.at + 1) % len(self.fields)
        self.draw()

    def action_previous(self) -> None:
        self.at = (self.at - 1) % len(self.fields)
        self.draw()
