"""Desk control: whether this desk has it, and taking it from another (OP-13)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from textual.binding import Binding

from console.keymap import KeyScope, bindings_for, written
from console.screens.dialog import DialogHost
from console.screens.limits import WordScreen
from console.screens.question import WIDTH, ArmedQuestion
from core.model.desk import PaintProof
from core.views import DeskView, KeyView
from widgets import format as f
from widgets.lines import TextLine
from widgets.ticket import wrapped


def holds_key(desk: DialogHost) -> bool:
    """Return whether this desk may open positions and loosen limits."""
    view = desk.view
    return view is None or view.status.key.is_held_by(desk.handle.desk)


def may_act(desk: DialogHost) -> bool:
    """Return the same, and show the reason if not."""
    if holds_key(desk):
        return True
    if desk.view is not None:
        desk.say(f"{holder_in_words(desk.view)}; {written('key.take')} takes it", "warning")
    return False


def holder_in_words(view: DeskView) -> str:
    """Format `eve on pts/3 from 10.0.0.7 holds the key`."""
    return f"{_who(view.status.key)} holds the key"


def _who(key: KeyView) -> str:
    return "nobody" if key.holder is None else key.holder.seat.in_words


def proof_of(desk: DialogHost) -> PaintProof:
    """Return how this desk knows that a ticket is on the screen."""
    return PaintProof.ANSWERED if desk.link.paint_is_proved is True else PaintProof.TIMED


class KeyWatch:
    """Closes dialogs that need control on a desk that has lost it, and says who has it.

    A dialog beneath another one is closed once the upper one is gone; until then its keys have no effect.
    """

    def __init__(self, desk: DialogHost) -> None:
        self._desk = desk
        self._held: bool | None = None
        self._lost = ""

    def look(self, view: DeskView) -> None:
        """Take a new view."""
        holds, held_before = holds_key(self._desk), self._held
        self._held = holds
        if holds:
            self._lost = ""
            if held_before is False:
                self._desk.say("this desk holds the key", "strong")
            return
        if held_before:
            self._lost = f"{holder_in_words(view)} now: what was open here is closed"

    def takes_away(self, needs_key: bool) -> bool:
        """Return whether to close the top dialog; once none is left to close, say who took control."""
        if self._held is not False:
            return False
        if not needs_key and self._lost:
            self._desk.say(self._lost, "warning")
            self._lost = ""
        return needs_key


TAKE = "TAKE"
TITLE = "Take the key?"
BACK = "question.back"


class TakeByWord(WordScreen):
    """Take control by a word; letters belong to the word, so only the back key of a question remains."""

    PLACE = KeyScope.QUESTION
    BINDINGS = [line for line in bindings_for(PLACE) if isinstance(line, Binding) and line.id == BACK]
    NEEDS_KEY = False

    def __init__(self, key: KeyView, lines: list[TextLine], act: Callable[[], None]) -> None:
        self.key = key
        super().__init__(TITLE, lines, TAKE, "to take it", act)

    def acting_keys(self) -> Collection[str]:
        return (BACK,)


class TakeByQuestion(ArmedQuestion):
    NEEDS_KEY = False

    def __init__(self, behind: DialogHost, lines: list[TextLine], act: Callable[[], None]) -> None:
        super().__init__(behind, TITLE, lines, "take it", act)


def taking_lines(key: KeyView, desk: DialogHost) -> list[TextLine]:
    """Say who has control, since when, and the effect of a hand-over."""
    return list(_lines(key, desk))


def _lines(key: KeyView, desk: DialogHost) -> Iterator[TextLine]:
    holder, now = key.holder, desk.engine_now()
    if holder is not None:
        since = f" since {f.minute_of_week(key.since, now)}" if key.since is not None else ""
        yield from wrapped("", f"{holder.seat.in_words} holds it{since}.", WIDTH, "strong")
        yield from wrapped("", _activity(key, desk), WIDTH, "warning" if key.takes_word else "")
    elif key.kept_for is not None and key.away_until is not None:
        until = f.dated_clock(key.away_until, now)
        words = f"{key.kept_for.in_words} held it as the engine ended; it is kept for that terminal until {until}."
        yield from wrapped("", words, WIDTH, "warning")
    yield from wrapped("", "What is open there is closed: tickets, an unsigned basket, a key on its way.", WIDTH)
    yield from wrapped("", "What is signed goes on. It is recorded, and shown on both desks.", WIDTH, "muted")


def _activity(key: KeyView, desk: DialogHost) -> str:
    now = desk.engine_now()
    if key.away_until is not None:
        return f"Its link is lost; the key is kept for it until {f.dated_clock(key.away_until, now)}."
    heard = key.holder.heard_at if key.holder is not None else None
    return "Nothing was typed there." if heard is None else f"Active {f.short_age(heard, now)} ago."
