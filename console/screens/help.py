"""`?`: what the pane with the keyboard shows, and every key that works there, the nearest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from console.details.lines import WIDTH
from console.keymap import KeyScope, help_rows, written
from console.screens.reading import ReadingScreen
from widgets.lines import Cell, TextLine
from widgets.ticket import wrapped

ABOUT: Mapping[KeyScope, str] = {
    KeyScope.PROPOSALS: "What strategies and exits ask you to confirm; nothing here has been sent. Exits stand first "
    "and count up until you act, entries count down and run out.",
    KeyScope.POSITIONS: "What you hold: average price, last price with its age where it is old, profit in USD and in R "
    "(times what was risked to the stop), and who holds the stop: the broker for that many shares, or YOU.",
    KeyScope.ORDERS: "The orders of today with their state at the broker, the newest first. `cancelling`, `in doubt` "
    "and `late fill` are marks of this desk. The lower edge gives the reason of the selected one.",
    KeyScope.PROTECTIONS: "What guards entries: each measure against its limit. A guard that is TRIPPED stops entries, "
    "one that is FULL has no more to give, one that is CLOSED waits for its hour. Exits are never held up.",
    KeyScope.STRATEGIES: "What each strategy last answered on each symbol, and for how many bars of the session. A "
    "paused one opens nothing and goes on watching its exits.",
    KeyScope.LOG: "Every fact of the journal but the bars, the newest at the end. It follows until you move.",
    KeyScope.RESULTS: "The trades of today from open to flat, what they made by strategy, and what was declined or "
    "blocked with what it would have made.",
    KeyScope.BASKET: "Many orders, signed once. Each was tried against every check with the effect of those before it; "
    "space marks the selected one. What sells goes first, the buys wait until it is filled.",
    KeyScope.EVERYWHERE: "Choose a pane by its number.",
}
"""What each pane shows, in a line or two."""


class HelpScreen(ReadingScreen):
    def __init__(self, place: KeyScope) -> None:
        super().__init__(f"Help ─ {place.value}")
        self.place = place
        self.read([*_about(place), (), *_keys(place), (), *_more()])


def _about(place: KeyScope) -> list[TextLine]:
    return wrapped("", ABOUT.get(place, ABOUT[KeyScope.EVERYWHERE]), WIDTH)


def _keys(place: KeyScope) -> Iterator[TextLine]:
    yield (Cell(f"{'WHERE':<14}{'KEY':<15}WHAT IT DOES", "muted"),)
    for where, key, what in help_rows(place):
        yield (Cell(f"{where:<14}", "muted"), Cell(f"{key:<15}", "strong"), Cell(what))


def _more() -> list[TextLine]:
    text = f"{written('commands')} finds every command by its name, the guide of the first start among them. The kill "
    text += "works from everywhere: also here, in text fields, and while the link stalls."
    return wrapped("", text, WIDTH, "muted")
