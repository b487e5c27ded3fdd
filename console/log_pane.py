"""The log with its filter: what is typed on its lower edge is alive, and no letter of it is a command."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from textual import events
from textual.message import Message

from console.keymap import KEYS, KeyScope, bindings_for
from console.screens.text_fields import ERASE, LONGEST, one_line
from core.views import DeskView, LogRow, OrderRow
from widgets import format as f
from widgets.log import Log
from widgets.order_life import LogLine, folded

TYPED = {name for key in KEYS if key.place is KeyScope.FILTER for name in key.keys.split(",")}


class WriteLog(Message):
    """The operator wants what the log shows in a file."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class LogPane(Log):
    """`is_typing` while letters go to the filter."""

    BINDINGS = bindings_for(KeyScope.LOG)

    def __init__(self) -> None:
        super().__init__()
        self.filter = ""
        self.is_typing = False
        self._all: Sequence[LogLine] = ()
        self._made_of: tuple[Sequence[LogRow], Sequence[OrderRow]] | None = None
        self._now: datetime | None = None

    def show(self, view: DeskView, now: datetime) -> None:
        self._now = now
        if self._made_of != (view.log, view.orders):
            self._made_of = view.log, view.orders
            self._all = folded(view.log, view.orders)
        self._fill()

    def _fill(self) -> None:
        shown, count = self.shown(), len(self._all)
        self.show_rows(shown, self._now, count if self.filter else None)
        keys = f"Enter keeps it  Esc clears it  {len(shown)} of {count}" if self.is_typing else "Esc clears it"
        cursor = "▏" if self.is_typing else ""
        self.note(f"/ {self.filter}{cursor}  {keys}" if self.filter or self.is_typing else "")

    def shown(self) -> list[LogLine]:
        """The lines that have every word of the filter, an order's in any step of its life."""
        words = self.filter.casefold().split()
        return [line for line in self._all if all(word in line.words.casefold() for word in words)]

    def take(self, event: events.Key) -> bool:
        """Whether a key was for the filter; the kill chord and the keys that scroll never are."""
        character = event.character if event.is_printable else None
        if event.key not in TYPED and event.key != ERASE and not character:
            return False
        if event.key == "enter":
            self.end_typing()
        elif event.key == "escape":
            self.action_clear_filter()
        elif event.key == ERASE:
            self._filter(self.filter[:-1])
        else:
            self._filter(self.filter + (character or ""))
        return True

    def paste(self, text: str) -> None:
        self._filter(self.filter + one_line(text))

    def end_typing(self) -> None:
        """What was typed holds; letters are commands again."""
        self.is_typing = False
        self._fill()

    def _filter(self, text: str) -> None:
        self.filter = text[:LONGEST]
        self._fill()

    def on_grid_moved(self) -> None:
        """The frame says at once whether the end is followed."""
        self._fill()

    def on_descendant_blur(self) -> None:
        if self.is_typing:
            self.end_typing()

    def action_filter(self) -> None:
        self.is_typing = True
        self._fill()

    def action_clear_filter(self) -> None:
        self.filter = ""
        self.end_typing()

    def action_follow(self) -> None:
        self.follow()
        self._fill()

    def action_write(self) -> None:
        """What is shown, the newest last, with the filter named above it."""
        head = [f"lines with: {self.filter}"] if self.filter else []
        rows = (line.row for line in self.shown())
        lines = (f"{row.at:%Y-%m-%d} {f.clock(row.at)} {f.PLACE}  {row.kind:<9} {row.text}" for row in rows)
        self.post_message(WriteLog("\n".join([*head, *lines]) + "\n"))
