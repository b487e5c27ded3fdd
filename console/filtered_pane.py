"""A pane with a filter: text typed in its lower edge filters at once, and no letter of it is a command."""

from __future__ import annotations

from collections.abc import Iterable

from textual import events
from textual.message import Message

from console.keymap import KEYS, KeyScope
from console.screens.form import ERASE, LONGEST, one_line
from widgets.pane import Pane

TYPED = {name for key in KEYS if key.place is KeyScope.FILTER for name in key.keys.split(",")}


class WriteShown(Message):
    """The operator asked to write the pane's content to a file with this name prefix."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__()
        self.name = name
        self.text = text


class FilteredPane(Pane):
    """Mixin before the filtered pane; `is_typing` while letters go to the filter."""

    filter = ""
    is_typing = False

    def fill(self) -> None:
        """Show the rows that match."""
        raise NotImplementedError

    def passes(self, text: str) -> bool:
        """Return whether the text has every word of the filter, in any order."""
        return all(word in text.casefold() for word in self.filter.casefold().split())

    def filter_note(self, shown: int, count: int) -> str:
        """Return the note in the lower edge; empty without a filter."""
        keys = f"Enter keeps it  Esc clears it  {shown} of {count}" if self.is_typing else "Esc clears it"
        cursor = "▏" if self.is_typing else ""
        return f"/ {self.filter}{cursor}  {keys}" if self.filter or self.is_typing else ""

    def take(self, event: events.Key) -> bool:
        """Return whether the key was for the filter; the kill chord and scroll keys never are."""
        character = event.character if event.is_printable else None
        if event.key not in TYPED and event.key != ERASE and not character:
            return False
        if event.key == "enter":
            self.end_typing()
        elif event.key == "escape":
            self.action_clear_filter()
        elif event.key == ERASE:
            self._filter(self.filter[:-1])
        elif event.key == "ctrl+u":
            self._filter("")
        else:
            self._filter(self.filter + (character or ""))
        return True

    def paste(self, text: str) -> None:
        self._filter(self.filter + one_line(text))

    def end_typing(self) -> None:
        """Keep the filter; letters are commands again."""
        self.is_typing = False
        self._fill_anew()

    def write(self, name: str, lines: Iterable[str]) -> None:
        """Write these lines to a new file, below the filter."""
        head = [f"lines with: {self.filter}"] if self.filter else []
        self.post_message(WriteShown(name, "\n".join([*head, *lines]) + "\n"))

    def _filter(self, text: str) -> None:
        self.filter = text[:LONGEST]
        self._fill_anew()

    def _fill_anew(self) -> None:
        """Apply the filter; if the selected row is filtered out, select the first."""
        self.fill()
        rows = self.grid.window.rows
        if self.grid.selected is None and rows:
            self.grid.select(rows[0].key)

    def on_descendant_blur(self) -> None:
        if self.is_typing:
            self.end_typing()

    def action_filter(self) -> None:
        self.is_typing = True
        self.fill()

    def action_clear_filter(self) -> None:
        self.filter = ""
        self.end_typing()
