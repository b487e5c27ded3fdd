"""`?`: describe the focused pane and list every key that works there, its own first; `/` searches all keys of the desk.

A key that works elsewhere is found too, with its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from textual import events

from console.details import WIDTH
from console.keymap import KeyScope, bindings_for, help_rows, rows_elsewhere, written
from console.screens.reading import ReadingScreen
from console.screens.text_fields import ERASE, LONGEST
from widgets.lines import Cell, TextLine
from widgets.ticket import wrapped

ABOUT: Mapping[KeyScope, str] = {
    KeyScope.BASKET: "Many orders, signed once. Each was tried against every check with the effect of those before it; "
    "space marks the selected one. What sells goes first, the buys wait until it is filled.",
    KeyScope.EVERYWHERE: "Choose a pane by its number.",
}
"""Descriptions of places that are no panes."""


class HelpScreen(ReadingScreen):
    """`about` describes the pane, or is empty; `tour` starts or ends the tour."""

    PLACE = KeyScope.HELP
    BINDINGS = bindings_for(PLACE)

    def __init__(self, place: KeyScope, about: str, tour: Callable[[], None]) -> None:
        super().__init__(f"Help ─ {place.value}")
        self.place = place
        self.tour = tour
        self.filter = ""
        self.is_typing = False
        self._about = wrapped("", about or ABOUT.get(place, ABOUT[KeyScope.EVERYWHERE]), WIDTH)
        self._fill()

    def _fill(self) -> None:
        if not self.filter and not self.is_typing:
            self.read([*self._about, (), *_keys(help_rows(self.place)), (), *_more()])
            return
        words = self.filter.casefold().split()
        rows = [*help_rows(self.place), *rows_elsewhere(self.place)]
        found = [row for row in rows if all(word in " ".join(row).casefold() for word in words)]
        cursor = "▏" if self.is_typing else ""
        keys = "Enter keeps it  Esc clears it" if self.is_typing else f"{written('help.find')} another"
        line = (
            Cell(f"/ {self.filter}{cursor}", "strong"),
            Cell(f"   {len(found)} of {len(rows)} keys  {keys}", "muted"),
        )
        self.read([line, (), *_keys(found)])

    # ── the search ───────────────────────────────────────────────────────────────────────────────────────────────

    def action_find(self) -> None:
        self.is_typing = True
        self.action_scroll(-len(self._lines))
        self._fill()

    def take(self, event: events.Key) -> bool:
        """Handle a key of the search; return False for any other, such as the kill chord and scroll keys."""
        character = event.character if event.is_printable else None
        if not self.is_typing or (event.key not in ("enter", "escape", "ctrl+u", ERASE) and not character):
            return False
        if event.key in ("enter", "escape"):
            self.is_typing = False
            self.filter = self.filter if event.key == "enter" else ""
        elif event.key == "ctrl+u":
            self.filter = ""
        else:
            self.filter = self.filter[:-1] if event.key == ERASE else (self.filter + (character or ""))[:LONGEST]
        self._fill()
        return True

    def action_back(self) -> None:
        """Clear the search first."""
        if self.filter:
            self.filter = ""
            self._fill()
        else:
            super().action_back()

    def action_tour(self) -> None:
        self.dismiss()
        self.tour()


def _keys(rows: Iterable[tuple[str, str, str]]) -> Iterator[TextLine]:
    yield (Cell(f"{'WHERE':<14}{'KEY':<15}WHAT IT DOES", "muted"),)
    for where, key, what in rows:
        yield (Cell(f"{where:<14}", "muted"), Cell(f"{key:<15}", "strong"), Cell(what))


def _more() -> list[TextLine]:
    text = (
        f"{written('help.find')} finds a key by words, at every place. "
        f"{written('help.tour')} begins the tour, or ends it. "
        f"{written('commands')} finds every command by its name. "
    )
    text += "The kill works from everywhere: also here, in text fields, and while the link stalls."
    return wrapped("", text, WIDTH, "muted")
