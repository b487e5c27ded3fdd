"""`?`: a description of the focused pane, and its keys, the nearest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from console.details.lines import WIDTH
from console.keymap import KeyScope, bindings_for, help_rows, written
from console.screens.reading import ReadingScreen
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
        said = wrapped("", about or ABOUT.get(place, ABOUT[KeyScope.EVERYWHERE]), WIDTH)
        self.read([*said, (), *_keys(place), (), *_more()])

    def action_tour(self) -> None:
        self.dismiss()
        self.tour()


def _keys(place: KeyScope) -> Iterator[TextLine]:
    yield (Cell(f"{'WHERE':<14}{'KEY':<15}WHAT IT DOES", "muted"),)
    for where, key, what in help_rows(place):
        yield (Cell(f"{where:<14}", "muted"), Cell(f"{key:<15}", "strong"), Cell(what))


def _more() -> list[TextLine]:
    text = (
        f"{written('help.tour')} begins the tour, or ends it. {written('commands')} finds every command by its name. "
    )
    text += "The kill works from everywhere: also here, in text fields, and while the link stalls."
    return wrapped("", text, WIDTH, "muted")
